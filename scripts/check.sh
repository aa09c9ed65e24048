#!/usr/bin/env bash
# Runs every judge of the code, also after one has failed, and ends with one line for each.
# BIN is the folder of the virtual environment's programs.
set -uo pipefail
cd "$(dirname "$0")/.."
BIN=${BIN:-.venv/bin}
manifest=(--manifest-path engine/Cargo.toml)

names=()
verdicts=()
failed=0

judge() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        verdicts+=("ok")
    else
        verdicts+=("FAILED")
        failed=1
        printf -- '--- %s: %s\n%s\n\n' "$name" "$*" "$output"
    fi
    names+=("$name")
}

rust_program() {
    cargo fmt --manifest-path "$1" --check && cargo clippy --quiet --manifest-path "$1" --all-targets -- -D warnings
}

judge "python layout" "$BIN/ruff" format --check --quiet .
judge "python rules" "$BIN/ruff" check --quiet .
judge "python types" "$BIN/mypy"
judge "engine's stub" "$BIN/python" -m mypy.stubtest --concise oakroot._engine
judge "import contracts" "$BIN/lint-imports" --no-cache
judge "rust layout" cargo fmt "${manifest[@]}" --check
for program in bench/*/Cargo.toml; do
    judge "$(dirname "$program")" rust_program "$program"
done
judge "rust rules" cargo clippy --quiet "${manifest[@]}" --all-targets -- -D warnings
judge "rust rules, door" cargo clippy --quiet "${manifest[@]}" --all-targets --features python -- -D warnings
judge "site" "$BIN/python" -m sphinx -W --keep-going -q -E -b html docs build/site
judge "budgets" "$BIN/python" scripts/budgets.py

for index in "${!names[@]}"; do
    printf '%-18s %s\n' "${names[$index]}" "${verdicts[$index]}"
done
exit "$failed"
