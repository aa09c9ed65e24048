"""Queries to a real engine, and what is written down of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import dns.message
import dns.query
import pytest

from oakroot._engine import Catalogue, Exchange, Server, read_zone
from oakroot.operate import tapping
from oakroot.operate.collectors import Destination
from oakroot.operate.overview import Tap
from oakroot.operate.tapping import Settings, Tapping
from tests.peers.git_servers import wait_until

ZONE = b"@ 3600 SOA ns1 host 1 1d 2h 2w 1h\n NS ns1\nns1 A 192.0.2.53\n"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server([("127.0.0.1", 0)])
    zone, _ = read_zone(ZONE, "example.org.", "example.org")
    assert zone is not None
    server.publish(Catalogue().with_zones([zone]))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def tap(server: Server) -> Iterator[Tapping]:
    tap = Tapping(server)
    yield tap
    tap.close()


def ask(server: Server, name: str) -> None:
    host, port = server.addresses[0]
    dns.query.udp(dns.message.make_query(name, "A"), host, port=port, timeout=20)


def written(tap: Tapping, event: str, count: int) -> None:
    wait_until(f"{event} to be {count}", lambda: tap.counts()[event] == count)


def test_each_query_is_a_line(server: Server, tap: Tapping, tmp_path: Path) -> None:
    tap.choose(Settings(query_log=tmp_path / "log"))
    ask(server, "ns1.example.org.")
    ask(server, "nothing.example.org.")
    written(tap, "query-log-lines-written", 2)
    first, second = (tmp_path / "log").read_text().splitlines()
    assert "query ns1.example.org. IN A RD over udp" in first
    assert ": NOERROR AA, 1 answer" in first
    assert ": NXDOMAIN AA, 0 answers" in second


def test_lines_can_go_into_the_log(server: Server, tap: Tapping, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    tap.choose(Settings(query_log=Path("-")))
    ask(server, "ns1.example.org.")
    wait_until("a line", lambda: any(record.name == "oakroot.query" for record in caplog.records))


def test_lines_above_the_rate_are_counted(server: Server, tap: Tapping, tmp_path: Path) -> None:
    tap.choose(Settings(query_log=tmp_path / "log", lines_per_second=0))
    for _ in range(5):
        ask(server, "ns1.example.org.")
    written(tap, "query-log-lines-dropped", 5)
    assert (tmp_path / "log").read_text() == ""


def test_a_sample_is_one_of_so_many(server: Server, tap: Tapping, tmp_path: Path) -> None:
    tap.choose(Settings(query_log=tmp_path / "log", every=4))
    for number in range(8):
        ask(server, f"n{number}.example.org.")
    written(tap, "query-log-lines-written", 2)
    lines = (tmp_path / "log").read_text().splitlines()
    assert ["n0." in lines[0], "n4." in lines[1]] == [True, True]


def test_a_rotated_log_is_begun_anew_while_lines_go_on(server: Server, tap: Tapping, tmp_path: Path) -> None:
    settings = Settings(query_log=tmp_path / "log")
    tap.choose(settings)
    ask(server, "ns1.example.org.")
    written(tap, "query-log-lines-written", 1)
    (tmp_path / "log").rename(tmp_path / "log.1")
    tap.choose(settings)
    wait_until("a new file", (tmp_path / "log").exists)
    ask(server, "ns1.example.org.")
    written(tap, "query-log-lines-written", 2)
    assert [len((tmp_path / name).read_text().splitlines()) for name in ("log", "log.1")] == [1, 1]


def test_nothing_is_kept_once_nobody_wants_it(server: Server, tap: Tapping, tmp_path: Path) -> None:
    tap.choose(Settings(query_log=tmp_path / "log"))
    tap.choose(Settings())
    before = server.counters()["tapped"]
    ask(server, "ns1.example.org.")
    assert server.counters()["tapped"] == before


def test_what_was_asked_before_the_end_is_written(server: Server, tap: Tapping, tmp_path: Path) -> None:
    tap.choose(Settings(query_log=tmp_path / "log"))
    ask(server, "ns1.example.org.")
    tap.close()
    assert len((tmp_path / "log").read_text().splitlines()) == 1


def test_a_collector_that_is_away_costs_no_answer(server: Server, tap: Tapping, tmp_path: Path) -> None:
    tap.choose(Settings(dnstap=Destination("unix", tmp_path / "nobody"), query_log=tmp_path / "log"))
    for _ in range(3):
        ask(server, "ns1.example.org.")
    written(tap, "query-log-lines-written", 3)
    tap.close()
    assert tap.counts()["dnstap-frames-dropped"] == 6


def test_a_place_that_cannot_be_written_hinders_no_other_and_is_tried_again(
    server: Server, tap: Tapping, tmp_path: Path
) -> None:
    frames, lines = Destination("file", tmp_path / "tap"), tmp_path / "missing" / "log"
    tap.choose(Settings(dnstap=frames, query_log=lines))
    ask(server, "ns1.example.org.")
    written(tap, "dnstap-frames-written", 2)
    written(tap, "query-log-lines-dropped", 1)
    assert [each.trouble for each in tap.report()] == [None, "No such file or directory"]
    lines.parent.mkdir()
    ask(server, "ns1.example.org.")
    written(tap, "query-log-lines-written", 1)
    assert [each.trouble for each in tap.report()] == [None, None]


def test_who_sees_queries_is_told(server: Server, tap: Tapping, tmp_path: Path) -> None:
    assert tap.report() == ()
    tap.choose(Settings(every=2, dnstap=Destination("unix", tmp_path / "nobody"), query_log=tmp_path / "log"))
    for _ in range(2):
        ask(server, "ns1.example.org.")
    written(tap, "query-log-lines-written", 1)
    assert tap.report() == (
        Tap("dnstap", f"unix:{tmp_path}/nobody", 2, 0, 0, "No such file or directory"),
        Tap("query log", f"{tmp_path}/log", 2, 1, 0),
    )
    tap.choose(Settings())
    assert tap.report() == ()


def test_what_the_engine_refuses_is_refused_again(tap: Tapping, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(OverflowError):
            tap.choose(Settings(query_log=tmp_path / "log", every=1 << 32))


class Remembering:
    """A writer that counts what it is given, and may be held up or fail at that."""

    def __init__(self) -> None:
        self.taken = 0
        self.is_closed = False
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.was_let_go = True
        self.failure: Exception | None = None

    def take(self, exchanges: Sequence[Exchange]) -> None:
        self.taken += len(exchanges)
        self.was_let_go = self.goes_on.wait(20)
        if self.failure is not None:
            raise self.failure

    def turn(self) -> None: ...

    def reopen(self) -> None: ...

    def close(self) -> None:
        self.is_closed = True

    def status(self) -> Tap:
        return Tap("memory", "here", 1, self.taken, 0)


@pytest.fixture
def writers(monkeypatch: pytest.MonkeyPatch) -> list[Remembering]:
    """Those of the first choice, the second and so on."""
    writers = [Remembering(), Remembering()]
    left = iter(writers)
    monkeypatch.setattr(Tapping, "_make", lambda *_: [next(left)])
    return writers


class HeldUp:
    """A tap whose first writer is in the middle of its work, and goes on when it is let go."""

    def __init__(self, server: Server, tap: Tapping, writers: Sequence[Remembering]) -> None:
        self._server = server
        self.first, self.second = writers
        self.first.goes_on.clear()
        tap.choose(Settings())
        ask(server, "ns1.example.org.")
        wait_until("the first to be held up", lambda: self.first.taken == 1)

    def let_go(self) -> None:
        """Returns when the first has ended."""
        self.first.goes_on.set()
        wait_until("the first to end", lambda: self.first.is_closed)

    def ask_and_have_it_written(self) -> None:
        """By the second, that is."""
        count = self.second.taken + 1
        ask(self._server, "ns1.example.org.")
        wait_until("the second to write", lambda: self.second.taken == count)


@pytest.fixture
def held_up(server: Server, tap: Tapping, writers: list[Remembering]) -> HeldUp:
    return HeldUp(server, tap, writers)


def test_a_change_does_not_wait_for_who_wrote_before(
    tap: Tapping, held_up: HeldUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tapping, "END_PATIENCE", 60.0)
    tap.choose(Settings(every=2))
    held_up.let_go()
    assert held_up.first.was_let_go
    held_up.ask_and_have_it_written()


def test_who_was_held_up_takes_nothing_from_who_came_after(
    tap: Tapping, held_up: HeldUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tapping, "END_PATIENCE", 0.05)
    tap.choose(Settings(lines_per_second=1))
    held_up.ask_and_have_it_written()
    held_up.let_go()
    held_up.ask_and_have_it_written()
    assert [held_up.first.taken, held_up.second.is_closed] == [1, False]


def test_after_a_failure_the_same_can_be_chosen_again(
    server: Server, tap: Tapping, writers: list[Remembering]
) -> None:
    first, second = writers
    first.failure = RuntimeError("a bug")
    tap.choose(Settings())
    ask(server, "ns1.example.org.")
    wait_until("the first to end", lambda: not any(thread.name == "tap" for thread in threading.enumerate()))
    assert [each.trouble for each in tap.report()] == ["it ended by a bug, which is in the log"]
    tap.choose(Settings())
    ask(server, "ns1.example.org.")
    wait_until("the second to write", lambda: second.taken == 1)
