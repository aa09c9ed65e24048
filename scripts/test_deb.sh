#!/usr/bin/env bash
# Has lintian judge the Debian package, and installs, runs, upgrades and purges it in a fresh Debian, without a network and
# without systemd. As root; wants mmdebstrap and lintian. Usage: test_deb.sh PACKAGE.deb
set -euo pipefail
cd "$(dirname "$0")/.."
package=$1
base=$(scripts/debian_base.sh)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chroot=$work/root
mkdir "$chroot"
tar --extract --file "$base" --directory "$chroot" --exclude './dev/*'
mknod -m 666 "$chroot/dev/null" c 1 3
mknod -m 666 "$chroot/dev/urandom" c 1 9

# A network of its own, with nothing in it but loopback.
inside() { unshare --net --mount --pid --fork -- sh -c 'mount -t proc proc "$0/proc"; ip link set lo up; exec chroot "$0" "$@"' "$chroot" "$@"; }
fail() {
    echo "test_deb: $*" >&2
    exit 1
}

echo "lintian"
lintian --allow-root --display-info --pedantic --tag-display-limit 0 --fail-on error,warning,info,pedantic "$package" ||
    fail "scripts/deb/lintian-overrides gives no reason for the above"

# The same package under a higher version, with a file changed that is no setting of the user's.
dpkg-deb --raw-extract "$package" "$work/next"
sed -i 's/^Version: .*/&+next/' "$work/next/DEBIAN/control"
echo '# a new remark' >>"$work/next/etc/oakroot/oakroot.toml"
dpkg-deb --root-owner-group -Znone --build "$work/next" "$chroot/next.deb" >/dev/null
cp "$package" "$chroot/first.deb"
find "$chroot" -xdev \( -path "$chroot/proc" -o -path "$chroot/var/log" -o -path "$chroot/var/lib/dpkg" \) -prune -o -print |
    sort >"$work/before"

echo "install"
inside dpkg --install /first.deb >/dev/null
inside oakroot --version
inside sh -c 'printf "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n" >/tmp/example.org && oakroot check /tmp/example.org'
inside oakroot config check
cat >"$chroot/tmp/serve.py" <<'PYTHON'
import socket, subprocess, sys, time
command = ["oakroot", "primary", "--listen", "127.0.0.1:5353", "--user", "nobody"]
with subprocess.Popen(command, stderr=None, stdout=subprocess.DEVNULL) as server:
    query = bytes.fromhex("000701000001000000000000") + b"\x07example\x03org\0\0\6\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.5)
        for _ in range(60):
            client.sendto(query, ("127.0.0.1", 5353))
            try:
                answer = client.recv(512)
            except OSError:
                time.sleep(0.2)
                continue
            if answer[3] & 15 == 0 and answer[7]:
                break
            time.sleep(0.2)
        else:
            sys.exit("no answer")
    server.terminate()
    sys.exit(server.wait(20))
PYTHON
inside python3 /tmp/serve.py || fail "the installed primary does not serve its demo"

echo "upgrade"
echo '# mine' >>"$chroot/etc/oakroot/oakroot.toml"
inside dpkg --install --force-confold /next.deb >/dev/null
grep -q '# mine' "$chroot/etc/oakroot/oakroot.toml" || fail "the upgrade lost the user's settings"
inside dpkg-query --show --showformat '${Version}\n' oakroot | grep -q '+next$' || fail "the upgrade is not there"
inside oakroot --version >/dev/null

echo "remove"
inside dpkg --remove oakroot >/dev/null
[ -e "$chroot/etc/oakroot/oakroot.toml" ] || fail "removing took the settings"
[ ! -e "$chroot/usr/lib/oakroot" ] || fail "removing left $(find "$chroot/usr/lib/oakroot" | head -3)"

echo "purge"
inside dpkg --purge oakroot >/dev/null
rm -f "$chroot"/tmp/example.org "$chroot"/tmp/serve.py
find "$chroot" -xdev \( -path "$chroot/proc" -o -path "$chroot/var/log" -o -path "$chroot/var/lib/dpkg" \) -prune -o -print |
    sort >"$work/after"
diff "$work/before" "$work/after" || fail "purging left something, or took something of others"
echo "the package installs, serves, upgrades and goes"
