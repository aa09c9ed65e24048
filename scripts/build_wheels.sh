#!/usr/bin/env bash
# Builds wheels into build/wheels: for this machine, and for aarch64 where Rust and a linker for it are installed
# (rustup target add aarch64-unknown-linux-gnu; on Debian: gcc-aarch64-linux-gnu).
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/wheels
rm -rf "$out"
export VIRTUAL_ENV=$PWD/.venv
.venv/bin/maturin build --release --quiet --out "$out"
target=aarch64-unknown-linux-gnu
linker=aarch64-linux-gnu-gcc
if [ "$(uname -m)" = aarch64 ]; then
    :
elif [ ! -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
    echo >&2 "no wheel for aarch64: rustup target add $target"
elif ! command -v $linker >/dev/null; then
    echo >&2 "no wheel for aarch64: $linker is missing (Debian: gcc-aarch64-linux-gnu)"
else
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$linker CC_aarch64_unknown_linux_gnu=$linker \
        .venv/bin/maturin build --release --quiet --target $target --out "$out"
fi
ls "$out"
