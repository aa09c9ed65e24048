"""Restarts and upgrades that nobody notices: a process comes before the old one ends, or after its crash."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import dns.edns
import dns.message
import dns.query
import pytest

from tests.peers.askers import Askers
from tests.peers.commands import COMMAND, Primary
from tests.peers.git_servers import BareRepository, wait_until
from tests.peers.ports import Address, free_port
from tests.peers.secondary_process import SecondaryProcess, serial_in
from tests.peers.supervisor import Supervisor, has_ended
from tests.protocol.keys import make_key

ZONE = b"""\
$TTL 60
@ SOA ns hostmaster 7 3600 900 1209600 60
@ NS ns
ns A 192.0.2.1
"""
UNLIMITED = ("--rate-limit", "0")
TRANSFER = make_key("ours._transfer.example.org.")


@pytest.fixture
def repository(tmp_path: Path) -> BareRepository:
    made = BareRepository(tmp_path / "zones.git")
    line = f"{TRANSFER.name} 0 DNSKEY 0 3 163 {TRANSFER.secret.base64()}\n"
    made.commit({"example.org": ZONE, "_keys": line.encode()})
    return made


def serving(log: str) -> int:
    """The process that serves now, as the log tells; 0: the first one still does."""
    found = re.findall(r"process ([0-9]+) serves now", log)
    return int(found[-1]) if found else 0


def told_last(service: Supervisor, beginning: str) -> str:
    """The newest line of this kind that systemd was told."""
    return [line for line in service.told if line.startswith(beginning)][-1]


def succeed(process: int, log: Callable[[], str]) -> int:
    """Has another process take the place of this one; gives it once the old one has ended."""
    os.kill(process, signal.SIGUSR2)
    wait_until("the old process to end", lambda: has_ended(process))
    return serving(log())


def test_no_query_is_lost_while_one_primary_takes_the_place_of_another(
    repository: BareRepository, tmp_path: Path
) -> None:
    port = free_port()
    arguments: list[str | Path] = ["primary", "--remote", repository.path, "--listen", f"127.0.0.1:{port}"]
    with (
        Supervisor([*arguments, "--workers", "2", *UNLIMITED], tmp_path / "service") as service,
        Askers(("127.0.0.1", port), "example.org") as askers,
    ):
        first = service.process_id
        successor = succeed(first, lambda: service.log)
        askers.until_more(100)
        assert service.main == successor != first
        # systemd takes a service's word from one process, so only one speaks.
        assert service.told.count("READY=1") == 1
    assert askers.failures == []


def test_systemd_hears_what_is_served_and_when_it_is_read_again(
    repository: BareRepository, tmp_path: Path
) -> None:
    arguments: list[str | Path] = [
        "primary",
        "--remote",
        repository.path,
        "--listen",
        f"127.0.0.1:{free_port()}",
    ]
    with Supervisor(arguments, tmp_path / "service") as service:
        before = told_last(service, "STATUS=")
        assert before.endswith("; zones served: 1, keys: 1")
        repository.commit({"example.net": ZONE, "broken.example": b"?"})
        os.kill(service.process_id, signal.SIGHUP)
        wait_until("the end of it", lambda: service.told.count("READY=1") == 2)
        after = told_last(service, "STATUS=")
        assert after.endswith("; zones served: 2, keys: 1, zones that cannot be served: 1")
        assert after != before
        reloading = service.told.index("RELOADING=1")
        assert service.told[reloading + 1].startswith("MONOTONIC_USEC=")
        assert reloading < service.told.index(after)


def test_a_secondary_hands_its_zones_over_though_nothing_is_on_disk_and_no_primary_there(
    repository: BareRepository, tmp_path: Path
) -> None:
    address = ("127.0.0.1", free_port())
    with Primary(["--remote", repository.path, *UNLIMITED], tmp_path / "log") as primary:
        secondary = SecondaryProcess(address, [TRANSFER], ("127.0.0.1", primary.port), tmp_path / "secondary")
        secondary.options += UNLIMITED
        secondary.start()
        secondary.until_serial("example.org", 7)
    process = secondary.process_id
    try:
        with Askers(address, "example.org") as askers:
            process = succeed(process, lambda: secondary.log)
        secondary.until_serial("example.org", 7)
    finally:
        secondary.stop()
        os.kill(process, signal.SIGTERM)
    assert askers.failures == []
    assert "kept on disk, serial 7" in secondary.log


def bound_to(address: Address) -> tuple[socket.socket, socket.socket]:
    """Sockets as systemd makes them for a `.socket` unit; OSError: somebody else has the address."""
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # So connections that have ended are not in the way.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        datagrams.bind(address)
        listener.bind(datagrams.getsockname())
    except OSError:
        datagrams.close()
        listener.close()
        raise
    listener.listen()
    return datagrams, listener


@pytest.fixture
def bound() -> tuple[Address, list[tuple[socket.socket, str]]]:
    """Those of a port that is free."""
    while True:
        with suppress(OSError):
            datagrams, listener = bound_to(("127.0.0.1", 0))
            return datagrams.getsockname(), [(datagrams, "dns"), (listener, "dns")]


def test_queries_wait_in_the_sockets_of_systemd_while_nothing_runs(
    repository: BareRepository, tmp_path: Path, bound: tuple[Address, list[tuple[socket.socket, str]]]
) -> None:
    address, sockets = bound
    query = dns.message.make_query("example.org", "SOA")
    service = Supervisor(
        ["primary", "--remote", repository.path, "--workers", "2", *UNLIMITED], tmp_path / "service"
    )
    service.passed = sockets
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as early,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
    ):
        early.settimeout(30)
        early.connect(address)
        stream.settimeout(30)
        stream.connect(address)
        early.send(query.to_wire())
        dns.query.send_tcp(stream, query)
        with service:
            assert serial_in(dns.message.from_wire(early.recv(4096))) == 7
            assert serial_in(dns.query.receive_tcp(stream)[0]) == 7
            service.heard("WATCHDOG=1")


def test_sockets_of_systemd_are_not_kept_for_us_too(
    repository: BareRepository, tmp_path: Path, bound: tuple[Address, list[tuple[socket.socket, str]]]
) -> None:
    address, sockets = bound
    arguments: list[str | Path] = ["primary", "--remote", repository.path, "--workers", "1", *UNLIMITED]
    for port in (address[1], free_port()):
        arguments += ["--listen", f"127.0.0.1:{port}"]
    service = Supervisor(arguments, tmp_path / "service", stores=True)
    service.passed = list(sockets)
    with service:
        kept = service.passed[2:]
        assert [(name, each.getsockname() == address) for each, name in kept] == [("oakroot", False)] * 2


@pytest.fixture
def restarted(
    repository: BareRepository, tmp_path: Path, bound: tuple[Address, list[tuple[socket.socket, str]]]
) -> Iterator[Supervisor]:
    """A primary with sockets of systemd, which restarts it as its units have it."""
    arguments: list[str | Path] = ["primary", "--remote", repository.path, *UNLIMITED]
    arguments += ["--control", tmp_path / "service/control.sock"]
    service = Supervisor(arguments, tmp_path / "service", port=bound[0][1])
    service.passed = bound[1]
    with service:
        yield service


def test_who_is_restarted_stays_until_the_next_process_serves(
    restarted: Supervisor, repository: BareRepository
) -> None:
    with Askers(("127.0.0.1", restarted.port), "example.org") as askers:
        # The repository is away, so the next process has nothing yet, and the one before serves on.
        away = repository.path.rename(repository.path.with_name("away"))
        elder = restarted.restart()
        assert "the process before serves until this one can" in told_last(restarted, "STATUS=")
        # So it does when that is restarted in turn.
        restarted.restart()
        askers.until_more(100)
        assert not has_ended(elder)
        away.rename(repository.path)
        wait_until("the elder to end", lambda: has_ended(elder))
        askers.until_more(100)
        assert restarted.main == restarted.process_id != elder
        assert len(restarted.passed) == 2
        wait_until("the word of it", lambda: "before" not in told_last(restarted, "STATUS="))
    assert askers.failures == []


def cookie_from(address: Address, sent: bytes) -> bytes:
    """The cookie in the answer to one who comes with this."""
    query = dns.message.make_query("example.org", "SOA", use_edns=0)
    query.use_edns(options=[dns.edns.GenericOption(dns.edns.OptionType.COOKIE, sent)])
    answer = dns.query.udp(query, address[0], port=address[1], timeout=30)
    (cookie,) = (each for each in answer.options if each.otype == dns.edns.OptionType.COOKIE)
    return cookie.to_wire() or b""


def test_clients_keep_their_cookies_over_a_restart_and_an_upgrade(restarted: Supervisor) -> None:
    address = ("127.0.0.1", restarted.port)
    cookie = cookie_from(address, b"a client")
    assert cookie[:8] == b"a client"
    elder = restarted.restart()
    wait_until("the elder to end", lambda: has_ended(elder))
    assert cookie_from(address, cookie) == cookie
    wait_until("what was handed over to be gone", lambda: not restarted.handed)
    succeed(restarted.process_id, lambda: restarted.log)
    assert cookie_from(address, cookie) == cookie
    # Who was killed has left nothing.
    os.kill(serving(restarted.log), signal.SIGKILL)
    restarted.start()
    assert cookie_from(address, cookie)[8:] != cookie[8:]


def test_a_secondary_hands_its_zones_over_at_a_restart_though_nothing_is_on_disk_and_no_primary_there(
    repository: BareRepository, tmp_path: Path, bound: tuple[Address, list[tuple[socket.socket, str]]]
) -> None:
    address, sockets = bound
    key = f"{TRANSFER.name}:{TRANSFER.algorithm.text}:{TRANSFER.secret.base64()}"
    with ExitStack() as stack:
        with Primary(["--remote", repository.path, *UNLIMITED], tmp_path / "log") as primary:
            arguments: list[str | Path] = ["secondary", "--key", key, *UNLIMITED]
            arguments += ["--primary", f"127.0.0.1:{primary.port}"]
            arguments += ["--control", tmp_path / "service/control.sock"]
            service = Supervisor(arguments, tmp_path / "service")
            service.passed = sockets
            stack.enter_context(service)
            service.said("serial 7")
        with Askers(address, "example.org") as askers:
            askers.until_more(10)
            elder = service.restart()
            wait_until("the elder to end", lambda: has_ended(elder))
            askers.until_more(100)
        wait_until("what was handed over to be gone", lambda: not service.handed)
    assert askers.failures == []
    assert TRANSFER.secret.base64() not in service.log


def test_sockets_can_be_bound_anew_while_who_was_restarted_stays(
    restarted: Supervisor, repository: BareRepository
) -> None:
    away = repository.path.rename(repository.path.with_name("away"))
    elder = restarted.restart()
    # What systemd does at a restart of the sockets, and what it runs before it closes its own.
    restarted.end_main()
    subprocess.run([*COMMAND, "stay", "--end", "--control", restarted.control], check=True)
    restarted.drop("dns")
    restarted.passed += [(each, "dns") for each in bound_to(("127.0.0.1", restarted.port))]
    wait_until("the elder to end", lambda: has_ended(elder))
    away.rename(repository.path)
    restarted.start()
    with Askers(("127.0.0.1", restarted.port), "example.org") as askers:
        askers.until_more(100)
    assert askers.failures == []
    assert [path.name for path in restarted.control.parent.glob("*control.sock*")] == ["control.sock"]


def test_who_serves_for_nobody_else_does_not_close_its_sockets(restarted: Supervisor) -> None:
    restarted.control.with_name("control.sock.1").hardlink_to(restarted.control)
    asked = subprocess.run(
        [*COMMAND, "stay", "--end", "--control", restarted.control],
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 1
    assert "no other process was started in the place of this one" in asked.stderr
    assert not has_ended(restarted.process_id)


def test_who_stays_ends_when_systemd_gives_the_service_up(restarted: Supervisor) -> None:
    elder = restarted.process_id
    subprocess.run([*COMMAND, "stay", "--control", restarted.control], check=True)
    restarted.end_main()
    assert not has_ended(elder)
    restarted.drop("oakroot-predecessor")
    wait_until("the elder to end", lambda: has_ended(elder))
    assert "systemd does not start this service again; ending" in restarted.log


@pytest.mark.parametrize("asked", [signal.SIGHUP, signal.SIGUSR2])
def test_a_placeholder_is_not_ended_by_what_a_service_is_asked(
    restarted: Supervisor, asked: signal.Signals
) -> None:
    subprocess.run([*COMMAND, "stay", "--control", restarted.control], check=True)
    placeholder = restarted.main
    assert placeholder is not None
    ignored = re.search("SigIgn:\t([0-9a-f]+)", Path(f"/proc/{placeholder}/status").read_text())
    assert ignored is not None
    assert int(ignored[1], 16) & 1 << asked - 1


def test_a_placeholder_ends_with_who_stays(restarted: Supervisor) -> None:
    subprocess.run([*COMMAND, "stay", "--control", restarted.control], check=True)
    placeholder = restarted.main
    assert placeholder is not None
    assert placeholder != restarted.process_id
    restarted.kill()
    wait_until("the placeholder to end", lambda: has_ended(placeholder))


def test_what_was_killed_comes_back_to_its_sockets_and_to_the_queries_in_them(
    repository: BareRepository, tmp_path: Path
) -> None:
    port = free_port()
    arguments: list[str | Path] = [
        "primary",
        "--remote",
        repository.path,
        "--listen",
        f"127.0.0.1:{port}",
        "--workers",
        "2",
        *UNLIMITED,
    ]
    with (
        Supervisor(arguments, tmp_path / "service", stores=True) as service,
        Askers(("127.0.0.1", port), "example.org") as askers,
    ):
        askers.until_more(100)
        assert len(service.passed) == 4
        service.kill()
        service.passed = service.passed[:4]
        service.start()
        askers.until_more(100)
    # What the killed process had read is lost with it; what waited in the sockets is not.
    assert len(askers.failures) <= 4
