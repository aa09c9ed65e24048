#!/usr/bin/env bash
# Tries the wheel for aarch64 with Debian's Python for that processor, on this one: tests of what is computed (zone text,
# messages, keys, loading), and a primary that serves its demo. Only processes are emulated, one at a time, so tests that
# start others stay with `make test`. Wants mmdebstrap, qemu-user-static and kdig; the Python is kept in build/.
# Usage: test_wheels.sh [TESTS]
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
root=$PWD/build/aarch64-$suite
[ -e "$root" ] || mmdebstrap --quiet --variant=extract --architectures=arm64 --include=python3 "$suite" "$root"
minor=$(basename "$(readlink "$root/usr/bin/python3")")

work=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" || true; fi; rm -rf "$work"' EXIT
platforms=(--platform manylinux_2_34_aarch64 --platform manylinux_2_28_aarch64 --platform manylinux2014_aarch64)
.venv/bin/python -m pip install --quiet --no-compile --target "$work/site" "${platforms[@]}" --only-binary=:all: \
    --python-version "${minor#python}" build/wheels/oakroot-*_aarch64.whl pytest hypothesis
# Without src, so that nothing but the wheel can be imported.
cp -r tests pyproject.toml "$work"
cd "$work"
export PYTHONPATH=$work/site:$work PYTHONDONTWRITEBYTECODE=1
emulated=(qemu-aarch64-static -L "$root" -E PYTHONHOME="$root/usr" "$root/usr/bin/$minor")
"${emulated[@]}" -c 'import platform, oakroot._engine as engine; print(platform.machine(), engine.__file__)'

[ $# -gt 0 ] || set -- tests/zones/test_{reread,broken_zones,load,load_serials,diagnostics}.py \
    tests/protocol/test_{wire,message,tsig}.py
"${emulated[@]}" -m pytest -p no:cacheprovider -p no:hypothesispytest --override-ini pythonpath=. \
    --override-ini addopts=--import-mode=importlib --quiet "$@"

start='import sys; from oakroot.cli.main import main; sys.exit(main())'
"${emulated[@]}" -c "$start" primary --listen 127.0.0.1:0 --workers 1 >/dev/null 2>log &
server=$!
for _ in $(seq 60); do
    sleep 1
    port=$(sed -n 's/.*info: serving .* on 127.0.0.1:\([0-9]*\)$/\1/p' log)
    [ -n "$port" ] && kdig +timeout=5 "@127.0.0.1" -p "$port" www.example.org AAAA +short | grep --quiet '^2001:db8::80$' &&
        kdig +tcp +timeout=5 "@127.0.0.1" -p "$port" www.example.org AAAA +short | grep --quiet '^2001:db8::80$' &&
        echo "an emulated primary answers over UDP and TCP" && exit
done
cat log >&2
exit 1
