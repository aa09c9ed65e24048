"""A key as its users want it: one writer per client, each giving text to paste or to save.

No secret stands in a command line here, since every user of a machine can read those. All of a snippet's
lines that are not for the client are `#` comments, which each of these forms has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import dns.name

from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.grant import read_grant
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.rejected import KeyRejectedError

EXAMPLE_SERVER = "192.0.2.53"
_CERT_MANAGER_ALGORITHMS = {
    Algorithm.SHA1: "HMACSHA1",
    Algorithm.SHA256: "HMACSHA256",
    Algorithm.SHA512: "HMACSHA512",
}


def write_for(client: str, key: Key, server: str = EXAMPLE_SERVER) -> str:
    """The snippet for a client of `CLIENTS`, ending in a newline.

    `server` is the address of the primary, for clients whose snippet names it. Raises KeyRejectedError where
    the client cannot use the key.
    """
    return CLIENTS[client](key, server)


def key_file_note(key: Key) -> str:
    """Comment lines that say what to put into which key file, so that the server knows the key too."""
    zone = read_grant(key.name).zone
    file = "_keys" if zone == dns.name.root else f"{_without_dot(zone)}._keys"
    return f"# The zone repository's file {file} gets the line:\n# {write_dnskey(key)}\n"


def _write_oakroot(key: Key, _server: str) -> str:
    return write_dnskey(key) + "\n"


def _write_block(key: Key) -> str:
    return (
        f'key "{_without_dot(key.name)}" {{\n'
        f"\talgorithm {key.algorithm.text};\n"
        f'\tsecret "{key.secret.base64()}";\n'
        "};\n"
    )


def _write_bind(key: Key, server: str) -> str:
    return (
        f'# In named.conf, beside: server {server} {{ keys {{ "{_without_dot(key.name)}"; }}; }};\n'
        + _write_block(key)
    )


def _write_nsupdate(key: Key, server: str) -> str:
    note = f"# Save as oakroot.key, mode 0600; then nsupdate -k oakroot.key, and there: server {server}\n"
    return note + _write_block(key)


def _write_dig(key: Key, server: str) -> str:
    command = f"dig -k oakroot.key @{server} {_zone_of(key)} SOA"
    return f"# Save as oakroot.key, mode 0600; then {command}\n{_write_block(key)}"


def _write_knot(key: Key, _server: str) -> str:
    name, algorithm, secret = _without_dot(key.name), key.algorithm.text, key.secret.base64()
    return (
        f"# {algorithm}:{name}:{secret}\n"
        "key:\n"
        f"  - id: {name}\n"
        f"    algorithm: {algorithm}\n"
        f"    secret: {secret}\n"
    )


def _write_nsd(key: Key, _server: str) -> str:
    return (
        "key:\n"
        f'    name: "{_without_dot(key.name)}"\n'
        f"    algorithm: {key.algorithm.text}\n"
        f'    secret: "{key.secret.base64()}"\n'
    )


def _write_certbot(key: Key, server: str) -> str:
    return (
        "# Save with mode 0600; then certbot certonly --dns-rfc2136 --dns-rfc2136-credentials FILE\n"
        f"dns_rfc2136_server = {server}\n"
        "dns_rfc2136_port = 53\n"
        f"dns_rfc2136_name = {key.name}\n"
        f"dns_rfc2136_secret = {key.secret.base64()}\n"
        f"dns_rfc2136_algorithm = {key.algorithm.text.upper()}\n"
        "dns_rfc2136_sign_query = true\n"
    )


def _write_lego(key: Key, server: str) -> str:
    return (
        "# The environment of lego run --dns dnsupdate; before lego 5, write RFC2136_ for DNSUPDATE_\n"
        f"DNSUPDATE_NAMESERVER={_with_port(server)}\n"
        f"DNSUPDATE_TSIG_KEY={key.name}\n"
        f"DNSUPDATE_TSIG_ALGORITHM={key.algorithm.text}.\n"
        f"DNSUPDATE_TSIG_SECRET={key.secret.base64()}\n"
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


def _write_cert_manager(key: Key, server: str) -> str:
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
        f'            nameserver: "{_with_port(server)}"\n'
        f"            tsigKeyName: {_without_dot(key.name)}\n"
        f"            tsigAlgorithm: {algorithm}\n"
        "            tsigSecretSecretRef:\n"
        "              name: oakroot-tsig\n"
        "              key: tsig-secret\n"
    )


def _write_external_dns(key: Key, server: str) -> str:
    return _kubernetes_secret("external-dns-tsig", key) + (
        "# In the container of external-dns, where the secret comes by the environment:\n"
        "args:\n"
        "  - --provider=rfc2136\n"
        f"  - --rfc2136-host={server}\n"
        "  - --rfc2136-port=53\n"
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


def _with_port(server: str) -> str:
    return f"[{server}]:53" if ":" in server else f"{server}:53"


CLIENTS: Mapping[str, Callable[[Key, str], str]] = MappingProxyType(
    {
        "oakroot": _write_oakroot,
        "nsupdate": _write_nsupdate,
        "dig": _write_dig,
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
