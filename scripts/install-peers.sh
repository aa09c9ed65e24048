#!/usr/bin/env bash
# Installs the servers and tools that the tests compare Oakroot with, where that is possible: as root on Debian.
# Elsewhere it names what is missing and lets the tests decide (they skip, or fail in CI).
set -euo pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

programs=(
    named named-checkzone dnssec-signzone dig host nsupdate
    knotd kdig knsupdate nsd nsd-checkzone pdns_server yadifad pebble lego ldns-signzone sshd ssh-keygen git dnsperf
    qemu-system-x86_64 runc ip nft promtool chromium tshark openssl systemd-analyze zsh fish mandoc
    curl jq fstrm_capture dnstap-read dnstap
    reprotest diffoscope faketime disorderfs cpio
)
packages=(
    bind9 bind9-dnsutils bind9-host bind9utils knot knot-dnsutils nsd pdns-server pdns-backend-bind
    pdns-backend-sqlite3 yadifa pebble lego ldnsutils openssh-server git dnsperf iproute2 nftables tshark openssl
    systemd zsh fish mandoc prometheus chromium qemu-system-x86 runc curl jq
    fstrm-bin golang-github-dnstap-golang-dnstap-cli
    reprotest diffoscope-minimal faketime disorderfs cpio
)

# Debian's pebble knows no renewal information, profiles or dns-persist-01: a newer one is built where Go is.
if ! command -v pebble-newest >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v go >/dev/null; then
        built=$(mktemp -d)
        GOBIN=$built go install github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.3
        install -m 755 "$built/pebble" /usr/local/bin/pebble-newest
        rm -r "$built"
    else
        echo >&2 "missing peer: pebble-newest (with Go: go install github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.3)"
    fi
fi

missing=()
for program in "${programs[@]}"; do
    command -v "$program" >/dev/null || missing+=("$program")
done
[ -e /usr/share/pdns-backend-sqlite3 ] || missing+=(pdns-backend-sqlite3)
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo >&2 "missing peers: ${missing[*]} (on Debian: apt-get install ${packages[*]})"
    exit 0
fi

# Debian starts a server when it is installed; a policy that forbids it keeps port 53 free and the machine as it was.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt-get update --quiet=2
DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --no-install-recommends "${packages[@]}"
