"""The repository that a primary without `--remote` makes for itself, and what to try with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import dns.name

from oakroot.git.commits import Person
from oakroot.git.create import create_repository
from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.mint import mint_key

ZONE = "example.org"
REVERSE_ZONE = "2.0.192.in-addr.arpa"
KEY_NAME = f"demo._update.{ZONE}."
REPOSITORY_NAME = "zones.git"
KEY_FILE_NAME = "demo.key"

_ZONE_TEXT = """\
; The zone of this file's name: $ORIGIN is example.org. already.
$TTL 1h
@       SOA     ns1 hostmaster 1 1d 2h 2w 1h
        NS      ns1
        NS      ns2
        MX      10 mail
        TXT     "served from git"
ns1     A       192.0.2.1
        AAAA    2001:db8::1
ns2     A       192.0.2.2
mail    A       192.0.2.25
www     A       192.0.2.80
        AAAA    2001:db8::80
blog    CNAME   www
*.dev   A       192.0.2.99
"""
_REVERSE_TEXT = """\
$TTL 1h
@       SOA     ns1.example.org. hostmaster.example.org. 1 1d 2h 2w 1h
        NS      ns1.example.org.
        NS      ns2.example.org.
1       PTR     ns1.example.org.
25      PTR     mail.example.org.
80      PTR     www.example.org.
"""


def make_demo(directory: Path, random: Callable[[int], bytes], now: int) -> Path:
    """Makes the demo repository and the file of its key in `directory`; gives the repository's path."""
    key = mint_key(dns.name.from_text(KEY_NAME), Algorithm.SHA256, random)
    path = directory / REPOSITORY_NAME
    create_repository(
        path,
        {
            ZONE: _ZONE_TEXT.encode(),
            REVERSE_ZONE: _REVERSE_TEXT.encode(),
            f"{ZONE}._keys": f"{write_dnskey(key)}\n".encode(),
        },
        author=Person("Oakroot", "oakroot@localhost"),
        message="Two zones to try Oakroot with",
        now=now,
    )
    _write_key_file(directory / KEY_FILE_NAME, key)
    return path


def advice(directory: Path, addresses: Sequence[tuple[str, int]]) -> str:
    """What to type, with the address and port that are listened on."""
    host, port = _reachable(addresses)
    dig = f"dig @{host}" if port == 53 else f"dig @{host} -p {port}"  # noqa: PLR2004 - the port of DNS
    server = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"""\
No --remote was given, so a small demo repository is served: {directory / REPOSITORY_NAME}

Ask it:
  {dig} {ZONE} SOA
  {dig} www.{ZONE} AAAA +short
  {dig} blog.{ZONE}
  {dig} anything.dev.{ZONE} +short
  {dig} -x 192.0.2.80 +short

Change it, and tell the server:
  git clone {directory / REPOSITORY_NAME} demo-zones && cd demo-zones
  echo 'new A 192.0.2.42' >> {ZONE}
  oakroot check . && git commit -am 'Add new' && git push
  oakroot notify {server} {ZONE} --key @{directory / KEY_FILE_NAME}
  {dig} new.{ZONE} +short
"""


def _write_key_file(path: Path, key: Key) -> None:
    path.touch(mode=0o600)
    path.write_text(f"{write_dnskey(key)}\n", encoding="ascii")


def _reachable(addresses: Sequence[tuple[str, int]]) -> tuple[str, int]:
    """An address to try from this machine."""
    host, port = addresses[0]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104 - compared, not bound
