#!/usr/bin/env bash
# Builds wheels into build/wheels: for this machine and, unless `--here` is given, for aarch64 where Rust and a linker
# for it are installed (rustup target add aarch64-unknown-linux-gnu; on Debian: gcc-aarch64-linux-gnu).
# The same compiler makes the same octets of the same commit, whatever the folder, the user and the time
# (`make test-reproducible` proves it).
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/wheels
rm -rf "$out"
export VIRTUAL_ENV=$PWD/.venv
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
umask 022

# Paths of this machine would go into messages of panics, into debugging information, and so into the build id.
registry=${CARGO_HOME:-$HOME/.cargo}
flags=("--remap-path-prefix=$PWD=/oakroot" "--remap-path-prefix=$registry=/cargo" "--remap-path-prefix=$(rustc --print sysroot)=/rust")
CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}")
export CARGO_ENCODED_RUSTFLAGS
# Folders may have spaces in their names.
export CC_SHELL_ESCAPED_FLAGS=1
export CFLAGS="${CFLAGS:-} '-ffile-prefix-map=$PWD=/oakroot' '-ffile-prefix-map=$registry=/cargo'"

.venv/bin/maturin build --release --quiet --locked --out "$out"
target=aarch64-unknown-linux-gnu
linker=aarch64-linux-gnu-gcc
if [ "$(uname -m)" = aarch64 ] || [ "${1:-}" = --here ]; then
    :
elif [ ! -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
    echo >&2 "no wheel for aarch64: rustup target add $target"
elif ! command -v $linker >/dev/null; then
    echo >&2 "no wheel for aarch64: $linker is missing (Debian: gcc-aarch64-linux-gnu)"
else
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$linker CC_aarch64_unknown_linux_gnu=$linker \
        .venv/bin/maturin build --release --quiet --locked --target $target --out "$out"
fi
ls "$out"
