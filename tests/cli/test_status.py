"""`oakroot status`, `reload`, `renotify` and `retransfer` against services that run in this process."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from oakroot.cli import CommandError
from oakroot.cli.control import find_socket
from oakroot.cli.main import main
from oakroot.cli.status_views import status_lines
from oakroot.operate.control import plain
from oakroot.operate.control_server import ControlSocket
from oakroot.operate.overview import (
    Attempt,
    Condition,
    Copied,
    Git,
    Histogram,
    HostCertificate,
    KeyUse,
    Overview,
    Primary,
    Queue,
    Secondary,
    Tap,
    Updates,
    Zone,
)
from oakroot.operate.terminal import Style
from oakroot.roles.commands import copying_commands, spreading_commands
from tests.peers.git_servers import BareRepository
from tests.primary.running import running as running_primary
from tests.protocol.keys import make_key
from tests.secondary.running import running as running_secondary
from tests.zones.repositories import BROKEN, zone_text

NOW = 1_795_348_800.0
TAPS = (
    Tap("dnstap", "unix:/run/tap", 100, 0, 9, "Connection refused"),
    Tap("query log", "the log", 1, 5, 0),
)


@pytest.fixture
def socket_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OAKROOT_CONTROL", str(tmp_path / "control.sock"))
    return tmp_path / "control.sock"


@asynccontextmanager
async def primary(remote: BareRepository, path: Path) -> AsyncIterator[Callable[..., Awaitable[int]]]:
    """A function that runs a command beside a primary of this repository."""
    async with running_primary(remote.path) as running:
        await running.service.reload(None)
        async with ControlSocket(path).serving("primary", spreading_commands(running.service, lambda: TAPS)):
            yield lambda *words: asyncio.to_thread(main, words)


@pytest.fixture
def remote(tmp_path: Path) -> BareRepository:
    repository = BareRepository(tmp_path / "zones.git")
    repository.commit({"mirage": zone_text(1), "other": zone_text(5)})
    return repository


def test_a_primary_tells_its_zones_and_its_commit(
    remote: BareRepository, socket_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def talk() -> None:
        async with primary(remote, socket_path) as oakroot:
            assert await oakroot("status") == 0
            shown = capsys.readouterr().out
            assert remote.tip()[:12] in shown
            assert "mirage." in shown
            assert "other." in shown
            assert "unix:/run/tap" in shown
            assert await oakroot("status", "mirage") == 0
            assert "other." not in capsys.readouterr().out
            assert await oakroot("status", "nowhere") == 1
            assert "this primary has no zone nowhere." in capsys.readouterr().err

    asyncio.run(talk())


def test_a_reload_answers_when_the_new_commit_is_served(
    remote: BareRepository, socket_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def talk() -> None:
        async with primary(remote, socket_path) as oakroot:
            remote.commit({"mirage": zone_text(2)})
            assert await oakroot("reload", "mirage") == 0
            commit = remote.tip()[:12]
            assert capsys.readouterr().out == f"commit {commit} is loaded; mirage. has serial 2\n"

    asyncio.run(talk())


def test_a_zone_that_is_broken_is_told_by_reload_and_status(
    remote: BareRepository, socket_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def talk() -> None:
        async with primary(remote, socket_path) as oakroot:
            remote.commit({"mirage": BROKEN})
            assert await oakroot("reload") == 1
            assert "mirage. last-good: mirage:" in capsys.readouterr().err
            assert await oakroot("reload", "other") == 0
            capsys.readouterr()
            assert await oakroot("status", "--format", "json") == 1
            zones = {zone["apex"]: zone for zone in json.loads(capsys.readouterr().out)["zones"]}
            assert (zones["mirage."]["condition"], zones["mirage."]["serial"]) == ("last-good", 1)
            assert zones["mirage."]["reason"].startswith("mirage:")

    asyncio.run(talk())


def test_a_pull_that_fails_is_told(
    remote: BareRepository, socket_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def talk() -> None:
        async with primary(remote, socket_path) as oakroot:
            remote.path.rename(remote.path.with_name("gone.git"))
            assert await oakroot("reload") == 1
            assert "the pull failed, what was served stays" in capsys.readouterr().err

    asyncio.run(talk())


def test_a_service_that_systemd_does_not_restart_cannot_stay(
    remote: BareRepository, socket_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def talk() -> None:
        async with primary(remote, socket_path) as oakroot:
            assert await oakroot("stay") == 1
            said = capsys.readouterr().err
            assert "this process cannot stay: there is no systemd to restart this process" in said

    asyncio.run(talk())


def test_a_secondary_transfers_a_zone_when_it_is_told_to(
    remote: BareRepository, socket_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = make_key("a._transfer.mirage.")
    remote.commit({"mirage._keys": f"{key.name} DNSKEY 0 3 163 {key.secret.base64()}\n".encode()})

    async def talk() -> None:
        async with (
            running_primary(remote.path) as first,
            running_secondary(key, primary=first.address) as second,
            ControlSocket(socket_path).serving("secondary", copying_commands(second.service)),
        ):
            await second.until_serial("mirage.", 1)
            for words in (
                ["retransfer", "mirage"],
                ["renotify"],
                ["reload", "mirage"],
                ["reload"],
                ["status"],
            ):
                assert await asyncio.to_thread(main, words) == 0
            shown = capsys.readouterr().out
            assert "mirage. is being transferred whole" in shown
            assert "everybody who copies zones is being notified" in shown
            assert f"127.0.0.1@{first.address[1]}" in shown

    asyncio.run(talk())


def test_the_one_socket_there_is_is_found(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no control socket"):
        find_socket(tmp_path)
    one = tmp_path / "oakroot" / "control.sock"
    one.parent.mkdir()
    one.touch()
    assert find_socket(tmp_path) == one
    (tmp_path / "oakroot-secondary").mkdir()
    (tmp_path / "oakroot-secondary" / "control.sock").touch()
    with pytest.raises(CommandError, match="several control sockets"):
        find_socket(tmp_path)


def test_sockets_of_processes_that_were_killed_are_in_nobodys_way(socket_path: Path) -> None:
    left = socket_path.with_name("control.sock.7")
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(left))
    assert main(["stay", "--end"]) == 0
    assert not left.exists()


def test_what_is_no_socket_is_told_and_left_alone(
    socket_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = socket_path.with_name("control.sock.txt")
    file.write_text("precious")
    assert main(["stay", "--end"]) == 1
    assert f"{file} is no control socket" in capsys.readouterr().err
    assert file.read_text() == "precious"


# --- the tables

OVERVIEW = Overview(
    role="primary",
    version="0.1.0",
    moment=NOW,
    started=NOW - 7200,
    addresses=("192.0.2.53:53",),
    zones=(
        Zone("example.org.", Condition.CURRENT, 7, 12, written_serial=6, since=NOW - 60),
        Zone("example.net.", Condition.LAST_GOOD, 3, 4, "example.net:3:1: no\x1b[31m", since=NOW - 3 * 86400),
    ),
    keys=(
        KeyUse(
            "a._update.example.org.",
            "update",
            "example.org.",
            "hmac-sha256",
            3,
            NOW - 5,
            {"BADSIG": 2},
            NOW - 9,
        ),
        KeyUse("b._transfer.", "transfer", ".", "hmac-sha256"),
    ),
    unknown_keys=4,
    secondaries=(
        Secondary(
            "192.0.2.54",
            (Copied("example.org.", 6, NOW - 90), Copied("example.net.", 3, NOW - 90)),
            zones_behind=1,
            last_copy=NOW - 90,
            unacknowledged=1,
        ),
        Secondary("b._transfer."),
    ),
    primaries=(Primary("192.0.2.1@53", is_connected=False, trouble="connection refused"),),
    git=Git(
        "git@git.example.org:zones.git",
        "main",
        "0123456789abcdef",
        NOW - 30,
        "Ann <ann@example.org>",
        "Add www",
        last_pull=Attempt(NOW - 4, 0.2, "failed", "no route to host"),
        last_good_pull=NOW - 30,
        unpushed=1,
    ),
    engine={
        "udp_queries": 7,
        "tcp_queries": 3,
        "tls_queries": 0,
        "code_0": 4,
        "code_3": 6,
        "code_other": 1,
        "malformed_silent": 2,
        "tap_dropped": 6,
    },
    updates=Updates({"NOERROR": 3, "REFUSED": 1, "FORMERR": 1}, Histogram((), (4,))),
    queues=(Queue("updates", 2, 1024),),
    taps=TAPS,
    certificates=(
        HostCertificate(
            "www.example.org.", "example.org.", "waiting", NOW + 86400 * 9, NOW, NOW + 60, "rate limit"
        ),
    ),
)


def lines_of(overview: object) -> list[str]:
    shown = plain(overview)
    assert isinstance(shown, dict)
    return list(status_lines(shown, lambda text, _style: text))


@pytest.mark.parametrize(
    "line",
    [
        "oakroot primary 0.1.0, on 192.0.2.53:53, for 2 h",
        "queries      10: 7 UDP, 3 TCP",
        "answers      6 NXDOMAIN, 4 NOERROR, 1 other codes",
        "dropped      2 malformed",
        "updates      3 NOERROR, 1 FORMERR, 1 REFUSED",
        "repository   git@git.example.org:zones.git#main",
        "commit       0123456789ab Add www, by Ann <ann@example.org>, 30 s ago",
        "last pull    4 s ago: failed: no route to host; the last good one was 30 s ago",
        "not pushed   1 raised serials",
        "example.org.  7 (git: 6)  12       1 min ago  current",
        "example.net.  3           4        3 d ago    last-good",
        "    example.net:3:1: no\\x1b[31m",
        "192.0.2.54    2 min ago  1       1               example.org. 6, example.net. 3",
        "b._transfer.  never      0       0               nothing that we know of",
        "a._update.example.org.  update    example.org.  3     5 s ago   2 BADSIG, 9 s ago",
        "b._transfer.            transfer  all zones     0     never     -",
        "4 requests were signed by keys that are not known here",
        "192.0.2.1@53  none: connection refused",
        "www.example.org.  waiting  in 9 d     in 1 min   rate limit",
        "updates  2        1024",
        "dnstap     unix:/run/tap  1 of 100  0        9        Connection refused",
        "query log  the log        all       5        0        -",
        "6 queries and answers found no room, and were not seen",
    ],
)
def test_what_there_is_to_tell_has_a_line(line: str) -> None:
    assert line in lines_of(OVERVIEW)


def test_zones_are_in_order_behind_those_that_are_not_well() -> None:
    zones = ("c.", "last-good"), ("b.", "current"), ("a.", "current")
    shown = {"role": "secondary", "zones": [{"apex": apex, "condition": word} for apex, word in zones]}
    assert [line[:2] for line in lines_of(shown) if line[:2] in {"a.", "b.", "c."}] == ["c.", "a.", "b."]


def test_an_overview_of_another_version_is_shown_as_far_as_it_goes() -> None:
    assert lines_of({"role": "primary", "zones": [{"apex": "example.org.", "new": 1}], "more": {}})[
        -1
    ].startswith("example.org.")
    assert lines_of({})


def test_that_nobody_sees_queries_is_told() -> None:
    assert lines_of(replace(OVERVIEW, taps=()))[-1] == "dnstap and the query log are off"


def test_a_server_without_zones_is_shown() -> None:
    assert "ZONE  SERIAL  RECORDS  SINCE  CHECKED  EXPIRES  CONDITION" in lines_of(
        replace(OVERVIEW, role="secondary", zones=())
    )


def test_conditions_have_their_colours() -> None:
    shown = plain(OVERVIEW)
    assert isinstance(shown, dict)
    painted = "\n".join(status_lines(shown, lambda text, style: f"<{style.name}>{text}</>"))
    assert f"<{Style.GOOD.name}>current</>" in painted
    assert f"<{Style.WARNING.name}>last-good</>" in painted
