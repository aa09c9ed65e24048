#!/usr/bin/env bash
# The tutorial on appliance images: a primary, a secondary and a certifier, each a machine of its own, on a bridge
# "service" in a network namespace. Needs root, iproute2, git, QEMU, dig, nsupdate, pebble, curl and openssl; touches
# nothing outside of its namespace.
#   examples/tutorial/run.sh IMAGES
# with the folder of images that `oakroot image build primary secondary certifier --out IMAGES` made.
# WAIT is how many seconds each step may take, MEM the memory of each machine in MiB.
set -euo pipefail
[ $# = 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
images=$(realpath "$1")
oakroot=${OAKROOT:-oakroot} pebble=${PEBBLE:-pebble}
wait=${WAIT:-120} memory=${MEM:-128}
host=10.0.42.1 primary=10.0.42.2 secondary=10.0.42.3 certifier=10.0.42.4
for program in "$oakroot" "$pebble" ip git qemu-system-x86_64 dig nsupdate curl openssl; do
    command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 2; }
done

work=$(mktemp -d)
space=oakroot-tutorial-$$
declare -A programs
tidy() {
    for program in "${programs[@]}"; do kill "$program" 2>/dev/null || true; done
    wait
    ip netns delete "$space" 2>/dev/null || true
    rm -r "$work"
}
trap tidy EXIT
inside() { ip netns exec "$space" "$@"; }
say() { printf '\n== %s (%s s)\n' "$*" $SECONDS; }
fail() {
    echo "$*" >&2
    tail -n 20 "$work"/*.log >&2
    exit 1
}
until_it_holds() { # WHAT COMMAND…: waits for the command to succeed
    local what=$1 until=$((SECONDS + wait))
    shift
    until "$@"; do
        for name in "${!programs[@]}"; do
            kill -0 "${programs[$name]}" 2>/dev/null || fail "$what did not happen: $name has ended"
        done
        [ $SECONDS -lt $until ] || fail "$what did not happen within $wait s"
        sleep 0.2
    done
}
answers() { inside dig +time=1 +tries=1 +short "@$1" "$2" "$3" 2>&1 | grep -q "^$4"; }
# No function of ours in between: the process started must be the one that is ended.
begin() { # NAME COMMAND…: starts a program on the bridge
    local name=$1
    shift
    ip netns exec "$space" "$@" </dev/null >>"$work/$name.log" 2>&1 &
    programs[$name]=$!
}
end() { # NAME: ends what `begin` started
    kill "${programs[$1]}"
    wait "${programs[$1]}" || true
    unset "programs[$1]"
}
machine() { # ROLE TAP OPTION…: starts a machine
    local role=$1 tap=$2
    shift 2
    begin "$role" "$oakroot" image run "$images/$role" --net "$tap" --mem "$memory" "$@"
}

say "a bridge, and a tap interface for each machine"
ip netns add "$space"
inside ip link set lo up
inside ip link add service type bridge
inside ip address add $host/24 dev service
inside ip link set service up
for tap in tap0 tap1 tap2; do
    inside ip tuntap add $tap mode tap
    inside ip link set $tap master service up
done

say "a repository with a zone, and keys made for this run"
key() { # FILE NAME: makes a key, whose line goes into the repository and to who has it
    printf '%s. DNSKEY 0 3 163 %s\n' "$2" "$(head -c 32 /dev/urandom | base64)" |
        tee -a "$work/zones/mirage._keys" >"$work/$1.key"
}
git init --quiet --bare --initial-branch=main "$work/zones.git"
git clone --quiet "$work/zones.git" "$work/zones" 2>/dev/null
cat >"$work/zones/mirage" <<'ZONE'
$ORIGIN mirage.
$TTL 3600
@	SOA	ns1	hostmaster	1	86400	7200	1048576	3600
@	NS	ns1
@	NS	ns2
ns1	A	10.0.42.2
ns2	A	10.0.42.3
www	A	1.1.1.1
ZONE
key personal personal._update.mirage
key transfer $primary.$secondary._transfer.mirage
key certifier certifier._update.mirage
push() { # MESSAGE: commits and pushes what the operator wrote
    git -C "$work/zones" add .
    git -C "$work/zones" -c user.name=operator -c user.email=operator@example.org commit --quiet --message "$1"
    git -C "$work/zones" push --quiet origin HEAD:main
}
push "The zone mirage"
# Started directly: `git daemon` would put a process in between that a signal does not reach.
begin git "$(git --exec-path)/git-daemon" --base-path="$work" --export-all --enable=receive-pack --listen=$host

say "a certificate authority, which asks the secondary"
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=authority -addext "subjectAltName=IP:$host" \
    -keyout "$work/authority.key" -out "$work/authority.pem" 2>/dev/null
cat >"$work/pebble.json" <<JSON
{"pebble": {"listenAddress": "$host:14000", "managementListenAddress": "$host:15000", "httpPort": 80, "tlsPort": 443,
  "certificate": "$work/authority.pem", "privateKey": "$work/authority.key"}}
JSON
begin pebble env PEBBLE_VA_NOSLEEP=1 "$pebble" -config "$work/pebble.json" -strict -dnsserver $secondary:53

start_primary() {
    machine primary tap0 -- --ipv4=$primary/24 --ipv4-gateway=$host --remote=git://$host/zones.git
}
start_secondary() {
    machine secondary tap1 --secret "transfer.key=$work/transfer.key" -- \
        --ipv4=$secondary/24 --ipv4-gateway=$host --key @/run/secrets/transfer.key
}
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/account.pem" 2>/dev/null
start_certifier() {
    # All that it is told on a disk, as for a monitor that has no other way.
    "$oakroot" image drive --out "$work/certifier.img" \
        --secret "update.key=$work/certifier.key" --secret "authority.pem=$work/authority.pem" \
        --secret "account.pem=$work/account.pem" -- \
        --ipv4=$certifier/24 --ipv4-gateway=$host --server $primary --key @/run/secrets/update.key \
        --account-key /run/secrets/account.pem --orders /var/lib/oakroot/orders \
        --directory https://$host:14000/dir --directory-ca /run/secrets/authority.pem
    machine certifier tap2 --config-drive "$work/certifier.img"
}
say "three machines"
start_primary
start_secondary
start_certifier
for server in $primary $secondary; do
    until_it_holds "an answer of $server" answers $server mirage NS ns1
    inside dig any mirage @$server
done

say "a push and a NOTIFY change both"
sed -i 's/hostmaster\t1/hostmaster\t2/; $a foo\tA\t127.0.0.1' "$work/zones/mirage"
push "Add foo"
inside "$oakroot" notify $primary mirage --key "@$work/personal.key"
answers $primary foo.mirage A 127.0.0.1 || fail "the primary answered the NOTIFY, and has no foo.mirage"
until_it_holds "the push at the secondary" answers $secondary foo.mirage A 127.0.0.1

say "an update becomes a commit, and reaches the secondary"
read -r name _ _ _ _ secret <"$work/personal.key"
printf 'server %s\nzone mirage\nupdate add my-other.mirage 3600 A 192.0.2.1\nsend\n' $primary |
    inside nsupdate -k <(printf 'key %s {algorithm hmac-sha256; secret "%s";};\n' "$name" "$secret")
git -C "$work/zones.git" show main:mirage | grep -q 192.0.2.1 || fail "the update is not in the repository"
until_it_holds "the update at the secondary" answers $secondary my-other.mirage A 192.0.2.1
git -C "$work/zones.git" log --format='%h %an: %s' -1

say "a certificate"
certify() { # HOST
    inside "$oakroot" certify $primary "$1.mirage" --key "@$work/personal.key" --out "$work/$1" --timeout "$wait" ||
        fail "no certificate came"
}
certify foo
curl() { inside curl --silent --show-error --fail --cacert "$work/authority.pem" "$@"; }
curl https://$host:15000/roots/0 >"$work/root.pem"
openssl verify -CAfile "$work/root.pem" -untrusted "$work/foo/chain.pem" -verify_hostname foo.mirage "$work/foo/cert.pem"
git -C "$work/zones.git" log --format='%h %an: %s' -4

say "the secondary serves while the primary is down; all start again and have it all"
end primary
end certifier
answers $secondary my-other.mirage A 192.0.2.1 || fail "the secondary does not serve by itself"
end secondary
start_secondary
start_primary
start_certifier
for server in $primary $secondary; do
    until_it_holds "the update at $server" answers $server my-other.mirage A 192.0.2.1
done

say "a certifier without a memory orders what is asked for, and nothing again"
certify my-other
# Each order is known to the authority by its account, and both are by the one key.
ordered=$(grep -c "There are now .* orders in the db" "$work/pebble.log")
accounts=$(grep -c "There are now .* accounts in memory" "$work/pebble.log")
[ "$ordered $accounts" = "2 1" ] || fail "$ordered orders of $accounts accounts, where 2 of 1 should be"
echo "$ordered orders of $accounts account"
say "done"
