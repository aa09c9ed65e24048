"""Under attack, ordinary clients are served by a primary with its defaults: docs/operate/under-attack.md."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.commands import Primary
from tests.peers.floods import Ordinary, flood
from tests.peers.git_servers import BareRepository
from tests.protocol.keys import make_key

ZONE = b"""\
$TTL 60
@ SOA ns1 hostmaster 1 3600 900 1209600 60
@ NS ns1
ns1 A 192.0.2.1
"""
UPDATE = make_key("flooding._update.example.org.")
NOTIFY = make_key("flooding._notify.example.org.", secret=b"another one of thirty-two octets")
ASKED = 60


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Primary]:
    folder = tmp_path_factory.mktemp("floods")
    repository = BareRepository(folder / "zones.git")
    lines = "".join(f"{key.name} DNSKEY 0 3 163 {key.secret.base64()}\n" for key in (UPDATE, NOTIFY))
    repository.commit({"example.org": ZONE, "_keys": lines.encode()})
    with Primary(["--remote", repository.path], folder / "log") as running:
        running.said("zones served: 1")
        yield running


FLOODS = {
    "random names": ("subdomains", 5000, None),
    "connections": ("connections", 1500, None),
    "updates": ("updates", 4, UPDATE),
    "NOTIFYs": ("notifies", 2000, None),
    "signed NOTIFYs": ("notifies", 2000, NOTIFY),
}


@pytest.mark.parametrize("name", FLOODS)
def test_an_ordinary_client_is_served_amid_a_flood(primary: Primary, name: str) -> None:
    kind, rate, key = FLOODS[name]
    signed = None if key is None else f"{key.name}:{key.secret.base64()}"
    client = Ordinary(("127.0.0.1", primary.port))
    with flood(kind, primary.port, 1.5, rate, signed) as counted:
        client.ask(ASKED, pause=0.01)
    assert client.failures == []
    assert client.asked == ASKED
    assert counted[0] >= (1 if kind == "updates" else rate)
    assert not primary.is_gone
