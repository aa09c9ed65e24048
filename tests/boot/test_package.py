"""The package under the real systemd: started, reloaded, upgraded, restarted, killed while somebody asks."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.boot.service import PRIMARY, SECONDARY, SERVED, TRANSFER, Service, zone
from tests.peers.git_servers import wait_until

KILLS = 8
_log = logging.getLogger("boot")


@pytest.mark.parametrize("role", SERVED)
def test_a_service_says_what_it_serves(service: Service, role: str) -> None:
    wait_until("a line of it", lambda: "zones served: 1" in service.shown(role, "StatusText"))
    assert service.shown(role, "ActiveState") == "active"


@pytest.mark.parametrize("role", SERVED)
def test_a_running_service_is_locked_in(service: Service, role: str) -> None:
    service.is_locked_in(role)


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
    serial = service.serial(PRIMARY)

    def upgrade() -> None:
        before = service.shown("primary", "MainPID")
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


def test_a_restart_right_after_a_start_finds_somebody_to_stay(service: Service) -> None:
    # Each time another process stays, and says so.
    said = "systemd restarts this service; serving until the next process does"

    def stayed() -> int:
        return service.machine.run("journalctl", "--unit=oakroot-primary").count(said)

    before = stayed()
    for count in range(1, 4):
        service.systemctl("stop", "primary")
        unit = "oakroot-primary.service"
        service.machine.run("sh", "-c", f"systemctl start {unit} && exec systemctl restart {unit}")
        service.is_alone("primary")
        assert stayed() == before + count


def test_two_restarts_at_once_lose_no_question(service: Service) -> None:
    def restart() -> None:
        with ThreadPoolExecutor() as threads:
            list(threads.map(service.systemctl, ("restart", "restart"), ("primary", "primary")))

    assert service.lost_while(restart) == 0
    service.is_alone("primary")


@pytest.mark.parametrize("role", SERVED)
def test_a_restart_of_the_sockets_is_a_stop_and_a_start(service: Service, role: str) -> None:
    service.can_stay(role)
    before = service.shown(role, "MainPID")
    service.machine.run("systemctl", "restart", f"oakroot-{role}.socket")
    wait_until("it to be active", lambda: service.shown(role, "ActiveState") == "active")
    assert service.serial(SERVED[role]) > 0
    assert before not in service.processes(role)


def test_sockets_can_be_bound_anew_where_systemd_says_that_it_keeps_descriptors(service: Service) -> None:
    # As it does from 254 on.
    settings = "/etc/systemd/system/oakroot-primary.service.d/store.conf"
    service.machine.write(settings, "[Service]\nEnvironment=FDSTORE=64\n")
    service.machine.run("systemctl", "daemon-reload")
    service.systemctl("restart", "primary")
    service.is_alone("primary")
    service.can_stay("primary")
    assert service.shown("primary", "NFileDescriptorStore") == "0"
    service.machine.run("systemctl", "restart", "oakroot-primary.socket")
    wait_until("it to be active", lambda: service.shown("primary", "ActiveState") == "active")
    assert service.serial(PRIMARY) > 0
    service.machine.run("rm", settings)
    service.machine.run("systemctl", "daemon-reload")
    service.systemctl("restart", "primary")
    service.is_alone("primary")


@pytest.fixture
def unasked(service: Service) -> Iterator[None]:
    """Nobody asks the primary: once it is stopped, systemd would start it for the next question."""
    units = ("oakroot-secondary.socket", "oakroot-secondary.service")
    service.machine.run("systemctl", "stop", *units)
    yield
    service.machine.run("systemctl", "start", *units)
    wait_until("the secondary to serve", lambda: service.serial(SECONDARY) > 0)


@pytest.fixture
def staying(service: Service) -> Iterator[str]:
    """The process of a primary that is restarted while the repository is away, and so serves on."""
    service.can_stay("primary")
    stays = service.shown("primary", "MainPID")
    away = service.repository.path.rename(service.repository.path.with_name("away"))
    service.systemctl("restart", "primary")
    yield stays
    if away.exists():
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


def test_sockets_are_bound_anew_while_somebody_stays(service: Service, staying: str) -> None:
    service.machine.run("systemctl", "restart", "oakroot-primary.socket")
    wait_until("it to end", lambda: staying not in service.processes("primary"))
    assert service.machine.run("systemctl", "is-active", "oakroot-primary.socket").strip() == "active"
    wait_until("it to be active", lambda: service.shown("primary", "ActiveState") == "active")


@pytest.mark.usefixtures("unasked")
def test_who_stays_ends_at_a_stop(service: Service, staying: str) -> None:
    assert staying in service.processes("primary")
    service.systemctl("stop", "primary")
    wait_until("all to end", lambda: service.processes("primary") == [])


def test_who_stays_may_be_killed(service: Service, staying: str) -> None:
    service.machine.run("sh", "-c", f"kill -KILL {staying}")
    wait_until("it to end", lambda: staying not in service.processes("primary"))
    assert service.shown("primary", "ActiveState") == "active"


def test_who_stays_and_hangs_is_killed_once_nobody_needs_it(service: Service, staying: str) -> None:
    service.machine.run("sh", "-c", f"kill -STOP {staying}")
    service.repository.path.with_name("away").rename(service.repository.path)
    service.machine.run("systemctl", "reload", "oakroot-primary")
    wait_until("it to be killed", lambda: staying not in service.processes("primary"), 150)
    assert "had not ended" in service.machine.run("journalctl", "--unit=oakroot-primary", "--lines=20")


@pytest.mark.usefixtures("unasked")
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
    service.can_stay("secondary")
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
