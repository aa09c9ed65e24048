"""A push of one zone among a thousand reaches a hundred secondaries, with no more messages than it takes.

Each of them follows ten of the zones, since who follows a thousand has a thousand NOTIFYs to answer after a
start; what one change costs is the same.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import dns.name

from oakroot.keys.dnskey import write_dnskey
from tests.peers.commands import COMMAND, oakroot
from tests.peers.followers import Followers
from tests.peers.git_servers import BareRepository, wait_until
from tests.peers.namespaces import Program
from tests.peers.ports import free_port
from tests.protocol.keys import make_key
from tests.zones.repositories import zone_text

_log = logging.getLogger(__name__)

FOLLOWERS, FOLLOWED, OTHERS = 100, 10, 990
SECONDS = 10.0


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_one_change_reaches_a_hundred_secondaries(tmp_path: Path) -> None:
    addresses = [f"127.0.1.{number}" for number in range(1, FOLLOWERS + 1)]
    keys = [make_key(f"127.0.0.1.{address}._transfer.followed.example.") for address in addresses]
    operator = make_key("operator._notify.")
    zones = [f"zone{number}.followed.example" for number in range(FOLLOWED)]
    others = [f"zone{number}.example" for number in range(OTHERS)]
    remote = BareRepository(tmp_path / "zones.git")
    key_lines = "".join(f"{write_dnskey(key)}\n" for key in (*keys, operator)).encode()
    remote.commit({"_keys": key_lines, **{zone: zone_text(1) for zone in (*zones, *others)}})
    port, watched = free_port(), dns.name.from_text(zones[0])
    command = [*COMMAND, "primary", f"--remote={remote.path}", f"--listen=127.0.0.1:{port}", "--workers=1"]
    with Followers(addresses, keys, ("127.0.0.1", port), watched) as followers:
        primary = Program(command, tmp_path / "log")
        try:
            everything = FOLLOWERS * FOLLOWED
            wait_until("all to be told of their zones", lambda: len(followers.notifies) == everything)
            wait_until("all to have the zone", lambda: followers.with_serial(1) == FOLLOWERS)
            followers.until_quiet()
            remote.commit({zones[0]: zone_text(2)})
            notices, transfers = followers.notices_of(watched), followers.transfers
            spent, began = processor_seconds(primary.process_id), time.monotonic()
            key = f"{operator.name}:{operator.algorithm.text}:{operator.secret.base64()}"
            assert oakroot("notify", f"127.0.0.1:{port}", zones[0], "--key", key).code == 0
            wait_until("all to have the change", lambda: followers.with_serial(2) == FOLLOWERS)
            seconds = time.monotonic() - began
            followers.until_quiet()
            spent = processor_seconds(primary.process_id) - spent
        finally:
            primary.stop()
    notices, transfers = followers.notices_of(watched) - notices, followers.transfers - transfers
    told = f"{seconds:.2f} s, {spent:.2f} s of processor, {notices} NOTIFYs, {transfers} transfers"
    _log.info("%s", told)
    assert seconds < SECONDS
    # A NOTIFY and its answer, a question and its answer: four messages for each. On a machine that is slow to
    # answer, some are told twice.
    assert FOLLOWERS <= notices <= 2 * FOLLOWERS, told
    assert FOLLOWERS <= transfers <= 2 * FOLLOWERS, told
