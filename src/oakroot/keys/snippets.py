"""A key as its users want it: one writer per client, each giving text to paste or to save.

No secret stands in a command line here, since every user of a machine can read those. All of a snippet's
lines that are not for the client are `#` comments, which each of these forms has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from types import MappingProxyType

import dns.name

from oakroot.frozen import frozen
from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.grant import Operation, read_grant
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.rejected import KeyRejectedError

EXAMPLE_SERVER = "192.0.2.53"
_PORT = 53
_CERT_MANAGER_ALGORITHMS = {
    Algorithm.SHA1: "HMACSHA1",
    Algorithm.SHA256: "HMACSHA256",
    Algorithm.SHA512: "HMACSHA512",
}


@frozen
class Primary:
    """Where a client finds the primary."""

    host: str = EXAMPLE_SERVER
    port: int = _PORT

    @property
    def with_port(self) -> str:
        """In one word."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def port_behind(self, word: str) -> str:
        """The port behind a word, where it has to be said."""
        return "" if self.port == _PORT else f"{word}{self.port}"


def write_for(client: str, key: Key, primary: Primary | None = None) -> str:
    """The snippet for a client of `CLIENTS`, ending in a newline, with the primary for those who are told it.

    A secondary that is told of a primary gets all it needs to have the zone of a key for transfers.
    Raises KeyRejectedError where the client cannot use the key.
    """
    snippet = CLIENTS[client](key, primary or Primary())
    if primary is None or client not in _SECONDARIES or not _is_for_transfers(key):
        return snippet
    note = "" if read_grant(key.name).zone != dns.name.root else "# One zone; the others go the same way.\n"
    return snippet + note + _SECONDARIES[client](key, _with_address(client, primary))


def key_file_note(key: Key) -> str:
    """Comment lines that say what to put into which key file, so that the server knows the key too."""
    zone = read_grant(key.name).zone
    file = "_keys" if zone == dns.name.root else f"{_without_dot(zone)}._keys"
    return f"# The zone repository's file {file} gets the line:\n# {write_dnskey(key)}\n"


def _write_oakroot(key: Key, _primary: Primary) -> str:
    return write_dnskey(key) + "\n"


def _write_block(key: Key) -> str:
    return (
        f'key "{_without_dot(key.name)}" {{\n'
        f"\talgorithm {key.algorithm.text};\n"
        f'\tsecret "{key.secret.base64()}";\n'
        "};\n"
    )


def _write_bind(key: Key, primary: Primary) -> str:
    return (
        f'# In named.conf, beside: server {primary.host} {{ keys {{ "{_without_dot(key.name)}"; }}; }};\n'
        + _write_block(key)
    )


def _write_nsupdate(key: Key, primary: Primary) -> str:
    server = f"server {primary.host}{primary.port_behind(' ')}"
    note = f"# Save as oakroot.key, mode 0600; then nsupdate -k oakroot.key, and there: {server}\n"
    return note + _write_block(key)


def _write_dig(key: Key, primary: Primary) -> str:
    server = f"@{primary.host}{primary.port_behind(' -p ')}"
    command = f"dig -k oakroot.key {server} {_zone_of(key)} SOA"
    return f"# Save as oakroot.key, mode 0600; then {command}\n{_write_block(key)}"


def _write_kdig(key: Key, primary: Primary) -> str:
    server = f"@{primary.host}{primary.port_behind(' -p ')}"
    command = f"kdig -k oakroot.key {server} {_zone_of(key)} SOA"
    return f"{_write_word(key)}# Save as oakroot.key, mode 0600, the key first; then {command}\n"


def _write_knsupdate(key: Key, primary: Primary) -> str:
    server = f"server {primary.host}{primary.port_behind(' ')}"
    command = f"knsupdate -k oakroot.key, and there: {server}"
    return f"{_write_word(key)}# Save as oakroot.key, mode 0600, the key first; then {command}\n"


def _write_word(key: Key) -> str:
    """The notation of Knot's tools, which read the first line of a file."""
    return f"{key.algorithm.text}:{_without_dot(key.name)}:{key.secret.base64()}\n"


def _write_knot(key: Key, _primary: Primary) -> str:
    name, algorithm, secret = _without_dot(key.name), key.algorithm.text, key.secret.base64()
    return (
        f"# {algorithm}:{name}:{secret}\n"
        "key:\n"
        f"  - id: {name}\n"
        f"    algorithm: {algorithm}\n"
        f"    secret: {secret}\n"
    )


def _write_nsd(key: Key, _primary: Primary) -> str:
    return (
        "key:\n"
        f'    name: "{_without_dot(key.name)}"\n'
        f"    algorithm: {key.algorithm.text}\n"
        f'    secret: "{key.secret.base64()}"\n'
    )


def _have_bind_transfer(key: Key, primary: Primary) -> str:
    zone = _zone_of(key)
    return (
        f'zone "{zone}" {{\n'
        "\ttype secondary;\n"
        f'\tfile "{zone}.secondary";\n'
        f'\tprimaries {{ {primary.host} port {primary.port} key "{_without_dot(key.name)}"; }};\n'
        "};\n"
    )


def _have_knot_transfer(key: Key, primary: Primary) -> str:
    name = _without_dot(key.name)
    return (
        "remote:\n"
        "  - id: oakroot\n"
        f"    address: {primary.host}@{primary.port}\n"
        f"    key: {name}\n"
        "acl:\n"
        "  - id: oakroot\n"
        f"    address: {primary.host}\n"
        f"    key: {name}\n"
        "    action: notify\n"
        "zone:\n"
        f"  - domain: {_zone_of(key)}\n"
        "    master: oakroot\n"
        "    acl: oakroot\n"
    )


def _have_nsd_transfer(key: Key, primary: Primary) -> str:
    name, zone = _without_dot(key.name), _zone_of(key)
    return (
        "zone:\n"
        f'    name: "{zone}"\n'
        f'    zonefile: "{zone}.secondary"\n'
        f"    request-xfr: {primary.host}@{primary.port} {name}\n"
        f"    allow-notify: {primary.host} {name}\n"
    )


def _is_for_transfers(key: Key) -> bool:
    try:
        return read_grant(key.name).operation is Operation.TRANSFER
    except KeyRejectedError:
        return False


def _with_address(client: str, primary: Primary) -> Primary:
    """The primary, whose address these configurations want; names are not looked up in them."""
    try:
        ip_address(primary.host)
    except ValueError:
        message = f"a secondary's configuration for {client} needs the primary's address, not its name"
        raise KeyRejectedError("key-address", message, "give --server ADDRESS[:PORT]") from None
    return primary


def _write_certbot(key: Key, primary: Primary) -> str:
    return (
        "# Save with mode 0600; then certbot certonly --dns-rfc2136 --dns-rfc2136-credentials FILE\n"
        f"dns_rfc2136_server = {primary.host}\n"
        f"dns_rfc2136_port = {primary.port}\n"
        f"dns_rfc2136_name = {key.name}\n"
        f"dns_rfc2136_secret = {key.secret.base64()}\n"
        f"dns_rfc2136_algorithm = {key.algorithm.text.upper()}\n"
        "dns_rfc2136_sign_query = true\n"
    )


def _write_lego(key: Key, primary: Primary) -> str:
    settings = (
        f"NAMESERVER={primary.with_port}\n"
        f"TSIG_KEY={key.name}\n"
        f"TSIG_ALGORITHM={key.algorithm.text}.\n"
        f"TSIG_SECRET={key.secret.base64()}\n"
    ).splitlines(keepends=True)
    return (
        "# The environment of lego run --dns dnsupdate\n"
        + "".join(f"DNSUPDATE_{setting}" for setting in settings)
        + "# and before lego 5 of lego --dns rfc2136 run\n"
        + "".join(f"RFC2136_{setting}" for setting in settings)
    )


def _kubernetes_secret(name: str, key: Key) -> str:
    return (
        "apiVersion: v1\n"
        "kind: Secret\n"
        "metadata:\n"
        f"  name: {name}\n"
        "stringData:\n"
        f"  tsig-secret: {key.secret.base64()}\n"
        "---\n"
    )


def _write_cert_manager(key: Key, primary: Primary) -> str:
    algorithm = _CERT_MANAGER_ALGORITHMS.get(key.algorithm)
    if algorithm is None:
        raise KeyRejectedError(
            "key-algorithm",
            f"cert-manager cannot use {key.algorithm.text}",
            "take hmac-sha256 or hmac-sha512",
        )
    return _kubernetes_secret("oakroot-tsig", key) + (
        "apiVersion: cert-manager.io/v1\n"
        "kind: Issuer\n"
        "metadata:\n"
        "  name: oakroot\n"
        "spec:\n"
        "  acme:\n"
        "    server: https://acme-v02.api.letsencrypt.org/directory\n"
        "    privateKeySecretRef:\n"
        "      name: oakroot-acme-account\n"
        "    solvers:\n"
        "      - dns01:\n"
        "          rfc2136:\n"
        f'            nameserver: "{primary.with_port}"\n'
        f"            tsigKeyName: {_without_dot(key.name)}\n"
        f"            tsigAlgorithm: {algorithm}\n"
        "            tsigSecretSecretRef:\n"
        "              name: oakroot-tsig\n"
        "              key: tsig-secret\n"
    )


def _write_external_dns(key: Key, primary: Primary) -> str:
    return _kubernetes_secret("external-dns-tsig", key) + (
        "# In the container of external-dns, where the secret comes by the environment:\n"
        "args:\n"
        "  - --provider=rfc2136\n"
        f"  - --rfc2136-host={primary.host}\n"
        f"  - --rfc2136-port={primary.port}\n"
        f"  - --rfc2136-zone={_zone_of(key)}\n"
        f"  - --rfc2136-tsig-keyname={_without_dot(key.name)}\n"
        f"  - --rfc2136-tsig-secret-alg={key.algorithm.text}\n"
        "  - --rfc2136-tsig-axfr\n"
        "env:\n"
        "  - name: EXTERNAL_DNS_RFC2136_TSIG_SECRET\n"
        "    valueFrom:\n"
        "      secretKeyRef:\n"
        "        name: external-dns-tsig\n"
        "        key: tsig-secret\n"
    )


def _without_dot(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True)


def _zone_of(key: Key) -> str:
    """The zone the key is for, as a word to put behind a command; an example if it is for all."""
    try:
        zone = read_grant(key.name).zone
    except KeyRejectedError:
        zone = dns.name.root
    return "example.org" if zone == dns.name.root else _without_dot(zone)


CLIENTS: Mapping[str, Callable[[Key, Primary], str]] = MappingProxyType(
    {
        "oakroot": _write_oakroot,
        "nsupdate": _write_nsupdate,
        "dig": _write_dig,
        "knsupdate": _write_knsupdate,
        "kdig": _write_kdig,
        "bind": _write_bind,
        "knot": _write_knot,
        "nsd": _write_nsd,
        "certbot": _write_certbot,
        "lego": _write_lego,
        "cert-manager": _write_cert_manager,
        "external-dns": _write_external_dns,
    }
)
"""Who a snippet can be written for."""

_SECONDARIES: Mapping[str, Callable[[Key, Primary], str]] = MappingProxyType(
    {"bind": _have_bind_transfer, "knot": _have_knot_transfer, "nsd": _have_nsd_transfer}
)

READ_FIRST_LINE = frozenset({"knsupdate", "kdig"})
"""Who reads the first line of a file, so that comments must follow."""
