"""The newest commits with their differences, as the status page shows them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import dns.message
import pytest

from oakroot.git.credentials import Credentials
from oakroot.git.remote import parse_remote
from oakroot.git.repository import RemoteRepository
from oakroot.keys.dnskey import write_dnskey
from oakroot.operate.changes import Change
from oakroot.primary.recent_changes import recent_changes
from tests.peers.git_servers import BareRepository
from tests.primary.running import running
from tests.protocol.keys import make_key
from tests.zones.repositories import zone_text

KEY_FILE = f"{write_dnskey(make_key())}\n".encode()


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    remote = BareRepository(tmp_path / "zones.git")
    remote.commit({"mirage": zone_text(1), "_keys": b"", "common/parts": b"a\n"}, message="Begin")
    remote.commit({"mirage": zone_text(2, "www A 192.0.2.2")}, message="Add www")
    remote.commit({"_keys": KEY_FILE, "common/parts": b"b\n"}, message="Let them notify")
    return remote


def changes(remote: BareRepository) -> tuple[Change, ...]:
    with RemoteRepository(parse_remote(str(remote.path)), Credentials()) as repository:
        head = repository.fetch()
        with repository.archive() as archive:
            return recent_changes(archive, head)


def test_commits_come_newest_first_with_their_differences(remote: BareRepository) -> None:
    keys, www, begin = changes(remote)
    assert [change.subject for change in (keys, www, begin)] == ["Let them notify", "Add www", "Begin"]
    (mirage,) = www.files
    assert mirage.path == "mirage"
    assert "+www A 192.0.2.2" in mirage.lines
    assert any(line.startswith("-@\tSOA") for line in mirage.lines)


def test_keys_and_folders_are_named_and_not_shown(remote: BareRepository) -> None:
    keys, *_ = changes(remote)
    assert {file.path: file.lines for file in keys.files} == {
        "_keys": (" keys have changed; secrets are not shown",),
        "common": (" files in this folder have changed",),
    }


def test_a_running_primary_tells_of_what_it_pulled(remote: BareRepository) -> None:
    async def run() -> tuple[str, ...]:
        async with running(remote.path) as primary:
            await primary.until(lambda: dns.message.make_query("mirage.", "SOA"), "hostmaster.mirage. 2 ")
            return tuple(change.subject for change in await primary.service.changes())

    assert asyncio.run(run()) == ("Let them notify", "Add www", "Begin")
