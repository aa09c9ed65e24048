#!/usr/bin/env bash
# Builds Oakroot's wheel of the same commit twice, as differently as one machine can, and compares the octets:
# another folder, place of the compiler and of its crates, user, umask, time zone, locale, time and number of jobs.
# Needs root (for the other user), and some minutes. What differs is told by diffoscope, if that is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT # the mount is gone by then, with its namespace
chmod 755 "$work"
registry=${CARGO_HOME:-$HOME/.cargo}

commit=$(git rev-parse HEAD)

checkout() { # a clone of what is committed, with the build tool
    git clone --quiet --no-hardlinks . "$1"
    git -C "$1" checkout --quiet "$commit"
    ln -s "$PWD/.venv" "$1/.venv"
}

checkout "$work/one"
(cd "$work/one" && scripts/build_wheels.sh --here)

other="$work/another one/further below"
(umask 077 && mkdir -p "$other/rust" "$other/tmp" && checkout "$other/oakroot" && cp -r "$registry" "$other/cargo")
chown -R 4242:4242 "$work/another one"
toolchain=$(rustc --print sysroot)
export other toolchain
# In a mount namespace the compiler lies elsewhere too, where this user finds it.
unshare --mount bash -euo pipefail -c '
    mount --bind "$toolchain" "$other/rust"
    cd "$other/oakroot"
    export HOME=$other TMPDIR=$other/tmp USER=somebody LOGNAME=somebody CARGO_HOME=$other/cargo
    export PATH=$other/rust/bin:/usr/bin:/bin
    export TZ=Asia/Tokyo LC_ALL=C LANG=tr_TR.UTF-8 CARGO_BUILD_JOBS=1
    git config --global safe.directory "*"
    umask 027
    exec setpriv --reuid 4242 --regid 4242 --clear-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search \
        scripts/build_wheels.sh --here
'

status=0
for wheel in "$work"/one/build/wheels/*.whl; do
    if ! cmp "$wheel" "$other/oakroot/build/wheels/${wheel##*/}"; then
        status=1
        command -v diffoscope >/dev/null && diffoscope --max-report-size 20000 "$wheel" "$other/oakroot/build/wheels/${wheel##*/}" || :
    else
        sha256sum "$wheel" | sed "s|$work/one/build/wheels/||"
    fi
done
[ "$status" != 0 ] || echo "both builds made the same octets"
exit "$status"
