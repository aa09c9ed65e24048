"""No secret is in the log, whatever happens: key files that are broken in any way, requests of any octets."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterable

import dns.message
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Key
from oakroot.operate import logs
from oakroot.primary import core
from oakroot.primary.events import Fetched
from oakroot.roles.events import Log, Moment, PacketReceived
from oakroot.roles.shell import tell
from oakroot.zones.load import SerialRules, load
from oakroot.zones.loaded import Loaded
from tests.protocol.keys import make_key
from tests.scenarios.stage import WALL, Packet
from tests.zones.repositories import tree_of, zone_text

NOW = Moment(WALL, 100.0)
SECRETS = st.binary(min_size=16, max_size=64)


def written(actions: Iterable[object], layout: str) -> str:
    """What the log says of it."""
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers, root.level
    try:
        logs.set_up("debug", layout, stream=stream, environment={})
        for action in actions:
            if isinstance(action, Log):
                tell(logging.getLogger("oakroot.primary"), action)
        return stream.getvalue()
    finally:
        root.handlers, root.level = before
        logging.captureWarnings(capture=False)


def forms(secret: bytes) -> tuple[str, ...]:
    """How a secret may look: whole, or the better part of it."""
    text = base64.b64encode(secret).decode()
    return text, text[: len(text) // 2], secret.hex(), repr(secret)[2:-1][:24]


def damaged(line: str, place: int, octet: str) -> str:
    place %= len(line)
    return line[:place] + octet + line[place + 1 :]


@pytest.mark.parametrize("layout", ["text", "json"])
@given(secret=SECRETS, place=st.integers(0, 200), octet=st.sampled_from(['"', "(", ";", "\\", " ", "é", "_"]))
def test_a_key_file_that_is_broken_is_told_of_without_its_secret(
    layout: str, secret: bytes, place: int, octet: str
) -> None:
    key = make_key("laptop._update.mirage.", secret=secret)
    line = damaged(write_dnskey(key), place, octet)
    tree = tree_of({"mirage": zone_text(1), "_keys": f"{line}\n", "mirage._keys": f"x {line}\n"})
    loading = load(tree, Loaded.nothing(), SerialRules("increment", WALL))
    _, actions = core.handle(core.new_state(core.Settings()), Fetched(loading), NOW)
    text = written(actions, layout)
    assert "commit" in text
    # Of a secret that the damage has cut in two, the whole is not there to be shown.
    assert not any(form in text for form in forms(secret) if form in line)


@pytest.mark.parametrize("layout", ["text", "json"])
@given(secret=SECRETS, other=SECRETS, kind=st.sampled_from(["notify", "update", "query"]))
def test_requests_are_told_of_without_their_keys_secret(
    layout: str, secret: bytes, other: bytes, kind: str
) -> None:
    ours, theirs = (make_key("laptop._update.mirage.", secret=each) for each in (secret, other))
    tree = tree_of({"mirage": zone_text(1), "_keys": f"{write_dnskey(ours)}\n"})
    loading = load(tree, Loaded.nothing(), SerialRules("increment", WALL))
    state, _ = core.handle(core.new_state(core.Settings()), Fetched(loading), NOW)
    text = ""
    for key in (ours, theirs):
        state, actions = core.handle(state, PacketReceived(Packet(request(kind, key))), NOW)
        text += written(actions, layout)
    assert not any(form in text for each in (secret, other) for form in forms(each))


def request(kind: str, key: Key) -> bytes:
    if kind == "update":
        message: dns.message.Message = dns.update.UpdateMessage("mirage.")
    else:
        message = dns.message.make_query("mirage.", "SOA")
    if kind == "notify":
        message.set_opcode(dns.opcode.NOTIFY)
    message.use_tsig(key.for_dnspython())
    return message.to_wire()
