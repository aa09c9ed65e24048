"""The certifier's unit under the real systemd, with a real authority (pebble) in the machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.boot.service import AUTHORITY_PORT, CERTIFIER, PRIMARY, Service
from tests.peers.authority import Authority
from tests.peers.git_servers import wait_until


@pytest.fixture(scope="module")
def authority(service: Service, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A unit with pebble in the machine, which asks the primary."""
    machine, folder = service.machine, tmp_path_factory.mktemp("authority")
    private = Authority(folder)
    machine.write("/etc/oakroot/authority.pem", private.file.read_text())
    machine.write("/etc/pebble.pem", private.issue(PRIMARY).read_text())
    settings = {
        "listenAddress": f"{PRIMARY}:{AUTHORITY_PORT}",
        "certificate": "/etc/pebble.pem",
        "privateKey": "/etc/pebble.pem",
        "certificateValidityPeriod": 90 * 86400,
    }
    machine.write("/etc/pebble.json", json.dumps({"pebble": settings}))
    program = shutil.which("pebble")
    assert program is not None
    words = [machine.copy(Path(program), "pebble"), "-config", "/etc/pebble.json", "-strict"]
    machine.run(
        "systemd-run", "--unit=pebble", "--setenv=PEBBLE_VA_NOSLEEP=1", *words, "-dnsserver", f"{PRIMARY}:53"
    )
    return "pebble"


def certified(service: Service, host: str) -> bool:
    """Whether `oakroot certify` has a certificate for the host in the end."""
    words = ("certify", PRIMARY, host, "--key", "@/etc/oakroot/certifier.key", "--out", f"/srv/{host}")
    said = service.machine.run("oakroot", *words, check=False)
    chain = service.machine.root / f"srv/{host}/fullchain.pem"
    assert chain.exists(), said + service.machine.run("journalctl", "--unit=oakroot-certifier", "--lines=20")
    return "BEGIN CERTIFICATE" in chain.read_text()


@pytest.mark.usefixtures("authority")
def test_a_certifier_without_a_primary_is_ready_and_says_what_it_waits_for(service: Service) -> None:
    units = ("oakroot-primary.socket", "oakroot-primary.service")
    service.machine.run("systemctl", "stop", *units)
    service.systemctl("start", "certifier")
    assert service.shown("certifier", "ActiveState") == "active"
    words = ("journalctl", "--unit=oakroot-certifier")
    wait_until("the reason", lambda: "cannot connect" in service.machine.run(*words))
    service.machine.run("systemctl", "start", *units)
    wait_until("the primary to serve", lambda: service.serial(PRIMARY) > 0)


def test_a_certifier_has_certificates_and_survives_kills_and_restarts(
    service: Service, authority: str
) -> None:
    # What follows is written by the primary, whose user the files are not of.
    service.machine.run("chmod", "-R", "a+rwX", "/srv")
    service.systemctl("start", "certifier")
    assert certified(service, "www.example.org")
    before = service.shown("certifier", "MainPID")
    service.machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "oakroot-certifier")
    wait_until("another to be active", lambda: service.shown("certifier", "MainPID") not in ("0", before))
    wait_until("it to be ready", lambda: service.shown("certifier", "ActiveState") == "active")
    assert certified(service, "mail.example.org")
    service.systemctl("restart", "certifier")
    assert service.shown("certifier", "ActiveState") == "active"
    assert certified(service, "other.example.org")
    issued = service.machine.run("journalctl", f"--unit={authority}").count("Issued certificate")
    assert issued == 3
    assert CERTIFIER.secret.base64() not in service.machine.run("journalctl", "--output=json")


def test_a_running_certifier_is_locked_in(service: Service) -> None:
    service.is_locked_in("certifier")
