#!/usr/bin/env bash
# The tutorial on appliance images: a primary and a secondary, each a machine of its own, on a bridge "service" in
# a network namespace. Needs root, iproute2, git, QEMU, dig and nsupdate; touches nothing outside of its namespace.
#   examples/tutorial/run.sh PRIMARY_IMAGE SECONDARY_IMAGE
# with images that `oakroot image build primary` and `… secondary` made. WAIT is how long a machine may take to start.
set -euo pipefail
[ $# = 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
primary_image=$(realpath "$1") secondary_image=$(realpath "$2")
oakroot=${OAKROOT:-oakroot}
wait=${WAIT:-120}

work=$(mktemp -d)
space=oakroot-tutorial-$$
programs=()
tidy() {
    for program in "${programs[@]}"; do kill "$program" 2>/dev/null || true; done
    wait
    ip netns delete "$space" 2>/dev/null || true
    rm -r "$work"
}
trap tidy EXIT
inside() { ip netns exec "$space" "$@"; }
say() { printf '\n== %s\n' "$*"; }
until_it_holds() { # WHAT COMMAND…: waits for the command to succeed
    local what=$1 until=$((SECONDS + wait))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || { echo "$what did not happen within $wait s" >&2; tail -n 20 "$work"/*.console >&2; exit 1; }
        sleep 0.5
    done
}
answers() { inside dig +time=2 +tries=1 +short "@$1" "$2" "$3" | grep -q "^$4"; }
start() { # NAME IMAGE TAP ARGUMENT…
    local name=$1 image=$2 tap=$3
    shift 3
    # No function here: the process started must be the one that is ended.
    ip netns exec "$space" "$oakroot" image run "$image" --net "$tap" "${SECRETS[@]}" -- "$@" >"$work/$name.console" 2>&1 &
    programs+=($!)
    started=$!
}

say "a bridge, and a tap interface for each machine"
ip netns add "$space"
inside ip link set lo up
inside ip link add service type bridge
inside ip address add 10.0.42.1/24 dev service
inside ip link set service up
for tap in tap0 tap1; do
    inside ip tuntap add "$tap" mode tap
    inside ip link set "$tap" master service up
done

say "a repository with a zone, and keys made for this run"
update=personal._update.mirage transfer=10.0.42.2.10.0.42.3._transfer.mirage
update_secret=$(head -c 32 /dev/urandom | base64) transfer_secret=$(head -c 32 /dev/urandom | base64)
git init --quiet --bare --initial-branch=main "$work/zones.git"
git clone --quiet "$work/zones.git" "$work/zones" 2>/dev/null
cat >"$work/zones/mirage" <<'ZONE'
$ORIGIN mirage.
$TTL 3600
@	SOA	ns1	hostmaster	2	86400	7200	1048576	3600
@	NS	ns1
@	NS	ns2
ns1	A	10.0.42.2
ns2	A	10.0.42.3
ZONE
printf '%s. DNSKEY 0 3 163 %s\n' "$update" "$update_secret" "$transfer" "$transfer_secret" >"$work/zones/mirage._keys"
git -C "$work/zones" add .
git -C "$work/zones" -c user.name=operator -c user.email=operator@example.org commit --quiet --message "The zone mirage"
git -C "$work/zones" push --quiet origin HEAD:main
# Started directly: `git daemon` would put a process in between that a signal does not reach.
ip netns exec "$space" "$(git --exec-path)/git-daemon" --base-path="$work" --export-all --enable=receive-pack --listen=10.0.42.1 &
programs+=($!)

say "two machines"
remote=git://10.0.42.1/zones.git
SECRETS=()
start primary "$primary_image" tap0 --ipv4=10.0.42.2/24 --ipv4-gateway=10.0.42.1 --remote="$remote"
first=$started
printf '%s. DNSKEY 0 3 163 %s\n' "$transfer" "$transfer_secret" >"$work/transfer.key"
SECRETS=(--secret "transfer.key=$work/transfer.key")
start secondary "$secondary_image" tap1 --ipv4=10.0.42.3/24 --ipv4-gateway=10.0.42.1 --key @/run/secrets/transfer.key
until_it_holds "an answer of the primary" answers 10.0.42.2 mirage NS ns1
inside dig any mirage @10.0.42.2
until_it_holds "an answer of the secondary" answers 10.0.42.3 mirage NS ns1

say "an update becomes a commit, and reaches the secondary"
printf 'server 10.0.42.2\nzone mirage\nupdate add www.mirage 3600 A 192.0.2.1\nsend\n' |
    inside nsupdate -y "hmac-sha256:$update:$update_secret"
until_it_holds "the update at the secondary" answers 10.0.42.3 www.mirage A 192.0.2.1
git -C "$work/zones.git" log --format='%h %an: %s' -2

say "the primary starts again, and has it still"
kill "$first"
wait "$first" || true
SECRETS=()
start primary "$primary_image" tap0 --ipv4=10.0.42.2/24 --ipv4-gateway=10.0.42.1 --remote="$remote"
until_it_holds "the update at the primary" answers 10.0.42.2 www.mirage A 192.0.2.1
say "done in $SECONDS s"
