"""The package under the real systemd: started, reloaded, upgraded and killed while somebody asks."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.boot.conftest import BASE, PACKAGE
from tests.boot.machine import Machine
from tests.peers.git_servers import BareRepository, wait_until
from tests.protocol.keys import make_key

PRIMARY, SECONDARY = "127.0.0.1", "127.0.0.2"
SERVED = {"primary": PRIMARY, "secondary": SECONDARY}
TRANSFER = make_key(f"{PRIMARY}.{SECONDARY}._transfer.example.org.")
KEY_LINE = f"{TRANSFER.name} 0 DNSKEY 0 3 163 {TRANSFER.secret.base64()}\n"
KILLS = 8
_log = logging.getLogger("boot")
NAMES = 500


class Service:
    """The package in a machine, with a repository and a service of each kind that serves."""

    def __init__(self, machine: Machine, package: Path) -> None:
        self.machine = machine
        self.package = package
        self.repository = BareRepository(machine.root / "srv/zones.git")
        self.repository.commit({"_keys": KEY_LINE.encode(), "example.org": zone(1)})
        questions = machine.root / "srv/questions"
        questions.write_text("".join(f"n{number}.example.org A\n" for number in range(NAMES)))
        self.questions = questions

    def set_up(self) -> None:
        """Installs the package, and writes what its documentation has the operator write."""
        self.machine.run("dpkg", "--install", self.machine.copy(self.package, "first.deb"))
        self.machine.write(
            "/etc/oakroot/oakroot.toml",
            '[primary]\nremote = "/srv/zones.git"\nrate-limit = 0\n\n[secondary]\nrate-limit = 0\n',
        )
        self.machine.write("/etc/oakroot/transfer.key", KEY_LINE, 0o600)
        for role, address in SERVED.items():
            lines = "[Socket]\nListenDatagram=\nListenStream=\n"
            lines += f"ListenDatagram={address}:53\nListenStream={address}:53\n"
            self.machine.write(f"/etc/systemd/system/oakroot-{role}.socket.d/address.conf", lines)
        self.machine.run("systemctl", "daemon-reload")
        for role in SERVED:
            units = (f"oakroot-{role}.socket", f"oakroot-{role}.service")
            self.machine.run("systemctl", "enable", "--now", *units)

    def serial(self, address: str) -> int:
        """Of the zone, as this server answers; 0: it does not."""
        answer = self.machine.ask("kdig", f"@{address}", "example.org", "SOA", "+short", "+timeout=10")
        words = answer.split()
        return int(words[2]) if len(words) > 2 else 0

    def shown(self, role: str, name: str) -> str:
        """A property of the service, as systemd has it."""
        return self.machine.run(
            "systemctl", "show", "--value", f"--property={name}", f"oakroot-{role}.service"
        ).strip()

    def systemctl(self, verb: str, role: str) -> None:
        """Has systemd do this with the service."""
        self.machine.run("systemctl", verb, f"oakroot-{role}.service")

    def processes(self, role: str) -> list[str]:
        """All that run the role, whatever systemd knows of them."""
        words = f"grep --text --files-with-matches '[o]akroot.{role}' /proc/[0-9]*/cmdline"
        found = self.machine.run("sh", "-c", words, check=False)
        return re.findall(r"/proc/([0-9]+)/", found)

    def is_alone(self, role: str) -> None:
        """Returns once no other process runs the role than the one that systemd knows."""
        # Connections that are there, such as that of a secondary, may take half a minute to end.
        wait_until("the others to end", lambda: self.processes(role) == [self.shown(role, "MainPID")], 60)

    def lost_while(self, change: Callable[[], None], *, address: str = PRIMARY, seconds: float = 12) -> int:
        """How many questions are lost when half of what the server can take is asked meanwhile."""
        asked = self._dnsperf(address, 2).communicate()[0]
        highest = number(r"Queries per second:\s+([0-9.]+)", asked)
        asking = self._dnsperf(address, seconds, "-Q", str(int(highest / 2)))
        time.sleep(1)
        change()
        output = asking.communicate()[0]
        sent = int(number(r"Queries sent:\s+([0-9]+)", output))
        lost = int(number(r"Queries lost:\s+([0-9]+)", output))
        longest = number(r"max ([0-9.]+)\)", output)
        told = "asked %d, the highest rate is %d a second, lost: %d, longest answer: %.2f s"
        _log.info(told, sent, highest, lost, longest)
        return lost

    def _dnsperf(self, address: str, seconds: float, *more: str) -> subprocess.Popen[str]:
        words = ["dnsperf", "-s", address, "-d", str(self.questions), "-l", str(seconds)]
        # Patience is no measure here: a restart on a busy machine takes seconds.
        words += ["-c", "16", "-q", "65000", "-t", "30", *more]
        return subprocess.Popen(
            self.machine.in_network(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


def zone(serial: int) -> bytes:
    """The zone with this serial."""
    records = "".join(f"n{number} A 192.0.2.{number % 250}\n" for number in range(NAMES))
    head = f"$TTL 60\n@ SOA ns hostmaster {serial} 3600 900 1209600 60\n@ NS ns\nns A {PRIMARY}\n"
    return f"{head}{records}".encode()


def number(pattern: str, text: str) -> float:
    """What the pattern's group finds."""
    found = re.search(pattern, text)
    assert found is not None, text
    return float(found[1])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Machine(Path(os.environ[BASE]), tmp_path_factory.mktemp("boot")) as machine:
        made = Service(machine, Path(os.environ[PACKAGE]))
        made.set_up()
        wait_until("both to serve", lambda: all(made.serial(address) for address in SERVED.values()))
        yield made


@pytest.mark.parametrize("role", SERVED)
def test_a_service_says_what_it_serves(service: Service, role: str) -> None:
    wait_until("a line of it", lambda: "zones served: 1" in service.shown(role, "StatusText"))
    assert service.shown(role, "ActiveState") == "active"


@pytest.mark.parametrize("role", SERVED)
def test_a_running_service_is_locked_in(service: Service, role: str) -> None:
    judged = service.machine.run("systemd-analyze", "security", "--no-pager", f"oakroot-{role}.service")
    assert number(r"Overall exposure level for \S+: ([0-9.]+)", judged) < 1.5
    status = service.machine.run("cat", f"/proc/{service.shown(role, 'MainPID')}/status")
    assert number(r"Uid:\s+([0-9]+)", status) >= 61184  # of DynamicUser
    assert re.search(r"CapBnd:\s+0{16}", status)
    assert "NoNewPrivs:\t1" in status


def test_the_key_that_only_root_can_read_is_a_credential(service: Service) -> None:
    process = service.shown("secondary", "MainPID")
    variables = service.machine.run("cat", f"/proc/{process}/environ").split("\0")
    assert "CREDENTIALS_DIRECTORY=/run/credentials/oakroot-secondary.service" in variables
    assert TRANSFER.secret.base64() not in service.machine.run("journalctl", "--output=json")


def test_the_journal_has_fields(service: Service) -> None:
    lines = service.machine.run(
        "journalctl", "--output=json", "--unit=oakroot-secondary", "OAKROOT_ZONE=example.org."
    ).splitlines()
    entries = [json.loads(line) for line in lines]
    assert any("serial 1" in entry["MESSAGE"] for entry in entries), entries
    assert all(entry["_SYSTEMD_UNIT"] == "oakroot-secondary.service" for entry in entries)


def test_reload_ends_when_the_new_zones_are_served(service: Service) -> None:
    service.repository.commit({"example.org": zone(2), "example.net": zone(1)})
    service.machine.run("systemctl", "reload", "oakroot-primary")
    assert service.serial(PRIMARY) == 2
    assert "zones served: 2" in service.shown("primary", "StatusText")
    wait_until("the secondary to follow", lambda: service.serial(SECONDARY) == 2)


def test_reload_fails_where_a_zone_cannot_be_served_and_the_journal_says_why(service: Service) -> None:
    service.repository.commit({"example.net": b"?"})
    assert "failed" in service.machine.run("systemctl", "reload", "oakroot-primary", check=False)
    assert "example.net" in service.machine.run("journalctl", "--unit=oakroot-primary", "--lines=20")
    assert service.shown("primary", "ActiveState") == "active"
    service.repository.commit({"example.net": zone(2)})
    service.machine.run("systemctl", "reload", "oakroot-primary")


def test_an_upgrade_of_the_package_loses_no_question(service: Service, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", service.package, tree], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^(Version: .*)$", r"\1+next", control.read_text(), flags=re.MULTILINE))
    package = tmp_path / "next.deb"
    build = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(package)]
    subprocess.run(build, check=True, capture_output=True)
    inside = service.machine.copy(package, "next.deb")
    before = service.shown("primary", "MainPID")
    serial = service.serial(PRIMARY)

    def upgrade() -> None:
        service.machine.run("dpkg", "--install", "--force-confold", inside)
        wait_until("the successor", lambda: service.shown("primary", "MainPID") != before)

    assert service.lost_while(upgrade, seconds=30) == 0
    assert service.shown("primary", "NRestarts") == "0"
    assert service.serial(PRIMARY) == service.serial(SECONDARY) == serial


@pytest.mark.parametrize("role", SERVED)
def test_a_restart_loses_no_question(service: Service, role: str) -> None:
    before = service.shown(role, "MainPID")

    def restart() -> None:
        began = time.monotonic()
        service.systemctl("restart", role)
        _log.info("a restart of the %s: %.2f s", role, time.monotonic() - began)

    assert service.lost_while(restart, address=SERVED[role]) == 0
    service.is_alone(role)
    assert before not in service.processes(role)


def test_two_restarts_at_once_lose_no_question(service: Service) -> None:
    def restart() -> None:
        with ThreadPoolExecutor() as threads:
            list(threads.map(service.systemctl, ("restart", "restart"), ("primary", "primary")))

    assert service.lost_while(restart) == 0
    service.is_alone("primary")


@pytest.fixture
def staying(service: Service) -> Iterator[str]:
    """The process of a primary that is restarted while the repository is away, and so serves on."""
    stays = service.shown("primary", "MainPID")
    away = service.repository.path.rename(service.repository.path.with_name("away"))
    service.systemctl("restart", "primary")
    yield stays
    away.rename(service.repository.path)
    service.systemctl("start", "primary")
    service.machine.run("systemctl", "reload", "oakroot-primary")
    assert service.serial(PRIMARY) > 0


def test_who_stays_serves_on_while_the_next_process_has_nothing(service: Service, staying: str) -> None:
    assert "the process before serves until this one can" in service.shown("primary", "StatusText")
    assert sorted(service.processes("primary")) == sorted([staying, service.shown("primary", "MainPID")])
    assert service.serial(PRIMARY) > 0
    service.systemctl("restart", "primary")
    assert service.serial(PRIMARY) > 0
    assert staying in service.processes("primary")


def test_who_stays_ends_at_a_stop(service: Service, staying: str) -> None:
    assert staying in service.processes("primary")
    service.systemctl("stop", "primary")
    wait_until("all to end", lambda: service.processes("primary") == [])


def test_who_stays_may_be_killed(service: Service, staying: str) -> None:
    service.machine.run("sh", "-c", f"kill -KILL {staying}")
    wait_until("it to end", lambda: staying not in service.processes("primary"))
    assert service.shown("primary", "ActiveState") == "active"


def test_a_stop_leaves_nothing_and_takes_no_longer_than_without_who_stays(service: Service) -> None:
    def seconds() -> float:
        service.is_alone("primary")
        began = time.monotonic()
        service.systemctl("stop", "primary")
        took = time.monotonic() - began
        assert service.processes("primary") == []
        service.systemctl("start", "primary")
        return took

    with_it = min(seconds() for _ in range(3))
    service.machine.run("systemctl", "mask", "--runtime", "oakroot-primary-stay.service")
    service.systemctl("restart", "primary")
    without = min(seconds() for _ in range(3))
    service.machine.run("systemctl", "unmask", "--runtime", "oakroot-primary-stay.service")
    service.systemctl("restart", "primary")
    _log.info("a stop: %.2f s, without oakroot-primary-stay %.2f s", with_it, without)
    assert with_it < without + 0.5


@pytest.mark.parametrize("role", SERVED)
def test_what_is_killed_again_and_again_comes_back(service: Service, role: str) -> None:
    def restarts() -> int:
        return int(service.shown(role, "NRestarts"))

    before, serial = restarts(), service.serial(SERVED[role])
    for number_of_kills in range(1, KILLS + 1):
        service.machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", f"oakroot-{role}")
        wait_until("a start", partial(lambda count: restarts() == count, before + number_of_kills))
        wait_until("it to be active", lambda: service.shown(role, "ActiveState") == "active")
    assert service.serial(SERVED[role]) == serial


def test_settings_that_are_wrong_are_not_tried_again_and_again(service: Service) -> None:
    good = service.machine.run("cat", "/etc/oakroot/oakroot.toml")
    service.machine.write("/etc/oakroot/oakroot.toml", "[secondary]\nno-such = 1\n")
    service.machine.run("systemctl", "restart", "oakroot-secondary", check=False)
    assert service.shown("secondary", "ActiveState") == "failed"
    assert service.shown("secondary", "ExecMainStatus") == "2"
    wait_until("the one before to end too", lambda: service.processes("secondary") == [])
    assert "systemd does not start this service again" in service.machine.run(
        "journalctl", "--unit=oakroot-secondary", "--lines=20"
    )
    service.machine.write("/etc/oakroot/oakroot.toml", good)
    service.machine.run("systemctl", "start", "oakroot-secondary")
    wait_until("it to serve", lambda: service.serial(SECONDARY) > 0)


def test_removing_the_package_ends_the_services(service: Service) -> None:
    service.machine.run("dpkg", "--purge", "oakroot")
    assert service.machine.run("systemctl", "list-units", "--no-legend", "oakroot*").strip() == ""
    assert ":53 " not in service.machine.run("ss", "--listening", "--udp", "--tcp", "--numeric")
