#!/usr/bin/env bash
# Prints the path of a tar of a small Debian that can boot, of this machine's suite. It is made once, and kept in build/.
# As root; wants mmdebstrap.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
base=build/debian-$suite-systemd.tar
mkdir -p build
[ -e "$base" ] || mmdebstrap --quiet --variant=minbase --include=systemd-sysv,dbus,python3,iproute2 "$suite" "$base" >&2
echo "$PWD/$base"
