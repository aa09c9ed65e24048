#!/usr/bin/env bash
# Sees to what the build needs: Python with venv, a Rust toolchain, a linker. What Debian splits off from Python and
# Rust is installed when that is possible (as root); for the rest it says what to do.
set -euo pipefail
python=$1
rust_needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' engine/Cargo.toml)

refuse() {
    echo >&2 "$1"
    exit 1
}

command -v "$python" >/dev/null || refuse "$python is missing: install Python 3.11 or later"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    refuse "$("$python" --version) is too old: Oakroot needs 3.11 or later (make PYTHON=python3.12 …)"

command -v cargo >/dev/null || refuse "cargo is missing: install a Rust toolchain, $rust_needed or later (rustup.rs)"
rust_found=$(rustc --version | cut -d ' ' -f 2)
[ "$(printf '%s\n' "$rust_needed" "$rust_found" | sort --version-sort | head -n 1)" = "$rust_needed" ] ||
    refuse "Rust $rust_found is too old: Oakroot needs $rust_needed or later (rustup update)"

packages=()
"$python" -c 'import ensurepip' 2>/dev/null || packages+=("python3-venv")
command -v cc >/dev/null || packages+=("gcc" "libc6-dev")
[ ${#packages[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    refuse "missing for the build (names of Debian's packages): ${packages[*]}"
fi
apt-get update --quiet=2
DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --no-install-recommends "${packages[@]}"
