#!/usr/bin/env bash
# Builds build/oakroot_VERSION_ARCH.deb: the wheel with all it needs below /usr/lib/oakroot, units, man pages, settings.
# What runs from it needs no network and no other Python packages. Usage: build_deb.sh [VERSION]
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
version=${1:-$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml | head -1)}
architecture=$(dpkg --print-architecture)
minor=$($python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
next=${minor%.*}.$((${minor#*.} + 1))
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/root
wheels=$stage/wheels
VIRTUAL_ENV=$PWD/.venv .venv/bin/maturin build --release --quiet --out "$wheels"

# Libraries, from the registry that pip knows, at the versions that it finds now.
$python -m pip install --quiet --no-compile --target "$root/usr/lib/oakroot" "$wheels"/oakroot-*.whl
rm -rf "$root/usr/lib/oakroot/"{bin,share}
# Tests and type hints of libraries, and sources of their extensions, are of no use at run time.
find "$root/usr/lib/oakroot" \( -name tests -o -name test \) -type d -prune -exec rm -rf {} +
find "$root/usr/lib/oakroot" \( -name '*.pyi' -o -name '*.c' -o -name '*.h' -o -name py.typed \) -delete
find "$root/usr/lib/oakroot" -name '*.so' -exec strip --strip-unneeded --remove-section={.comment,.note} {} +
find "$root/usr/lib/oakroot" -type d -empty -delete

install -D -m 755 scripts/deb/oakroot "$root/usr/bin/oakroot"
install -D -m 644 scripts/deb/oakroot.toml "$root/etc/oakroot/oakroot.toml"
install -D -m 644 -t "$root/lib/systemd/system" examples/systemd/*
install -D -m 644 -t "$root/usr/share/man/man1" packaging/data/share/man/man1/*.1
gzip --best --no-name "$root"/usr/share/man/man1/*.1
install -D -m 644 LICENSE "$root/usr/share/doc/oakroot/copyright"
date=$(date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")
printf 'oakroot (%s) unstable; urgency=medium\n\n  * See /usr/share/doc/oakroot/CHANGELOG.md.gz.\n\n -- %s  %s\n' \
    "$version" "The Oakroot authors <oakroot@example.org>" "$date" |
    gzip --best --no-name >"$root/usr/share/doc/oakroot/changelog.gz"
gzip --best --no-name <CHANGELOG.md >"$root/usr/share/doc/oakroot/CHANGELOG.md.gz"
install -D -m 644 docs/oakroot.schema.json "$root/usr/share/oakroot/oakroot.schema.json"
install -D -m 644 scripts/deb/lintian-overrides "$root/usr/share/lintian/overrides/oakroot"

install -D -m 755 -t "$root/DEBIAN" scripts/deb/postinst scripts/deb/prerm scripts/deb/postrm
echo /etc/oakroot/oakroot.toml >"$root/DEBIAN/conffiles"
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@MINOR@/$minor/" -e "s/@NEXT@/$next/" \
    -e "s/@SIZE@/$(du -sk "$root" | cut -f1)/" scripts/deb/control >"$root/DEBIAN/control"
(cd "$root" && find usr lib -type f -print0 | sort --zero-terminated | xargs --null md5sum) >"$root/DEBIAN/md5sums"
find "$root" -type d -exec chmod 755 {} +
find "$root/usr/lib" -type f -exec chmod 644 {} +
mkdir -p build
dpkg-deb --root-owner-group -Zxz --build "$root" "build/oakroot_${version}_$architecture.deb"
