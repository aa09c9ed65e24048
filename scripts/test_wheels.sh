#!/usr/bin/env bash
# Runs the tests of what is computed (zone text, messages, keys, answers) on the wheel for aarch64, with Debian's Python for
# that processor, on this one (qemu-user-static). Wants mmdebstrap; the Python is kept in build/. Nothing is emulated but
# a process: tests that start others stay with `make test`. Usage: test_wheels.sh [PYTEST ARGUMENTS]
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
root=$PWD/build/aarch64-$suite
[ -e "$root" ] || mmdebstrap --quiet --variant=extract --architectures=arm64 --include=python3 "$suite" "$root"
minor=$(cd "$root/usr/bin" && echo python3.*[0-9])

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
platforms=(--platform manylinux_2_34_aarch64 --platform manylinux_2_28_aarch64 --platform manylinux2014_aarch64)
.venv/bin/python -m pip install --quiet --no-compile --target "$work/site" "${platforms[@]}" --only-binary=:all: \
    --python-version "${minor#python}" build/wheels/oakroot-*_aarch64.whl pytest hypothesis
# Without src, so that nothing but the wheel can be imported.
cp -r tests pyproject.toml "$work"
cd "$work"
export PYTHONPATH=$work/site:$work PYTHONDONTWRITEBYTECODE=1
[ $# -gt 0 ] || set -- tests/zones tests/protocol tests/keys
qemu-aarch64-static -L "$root" -E PYTHONHOME="$root/usr" "$root/usr/bin/$minor" -m pytest -p no:cacheprovider \
    --override-ini pythonpath=. --override-ini addopts=--import-mode=importlib --quiet "$@"
