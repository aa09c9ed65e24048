"""The package in a machine that boots, with a service of each kind that serves."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

from tests.boot.machine import Machine
from tests.peers.dnsperf import Counted, Dnsperf
from tests.peers.git_servers import BareRepository, wait_until
from tests.protocol.keys import make_key

PRIMARY, SECONDARY = "127.0.0.1", "127.0.0.2"
SERVED = {"primary": PRIMARY, "secondary": SECONDARY}
TRANSFER = make_key(f"{PRIMARY}.{SECONDARY}._transfer.example.org.")
CERTIFIER = make_key("certifier._update.example.org.")
KEY_LINE, CERTIFIER_LINE = (
    f"{key.name} 0 DNSKEY 0 3 163 {key.secret.base64()}\n" for key in (TRANSFER, CERTIFIER)
)
AUTHORITY_PORT = 14000
SETTINGS = f"""\
[primary]
remote = "/srv/zones.git"
rate-limit = 0

[secondary]
rate-limit = 0

[certifier]
server = "{PRIMARY}"
directory = "https://{PRIMARY}:{AUTHORITY_PORT}/dir"
directory-ca = "/etc/oakroot/authority.pem"
"""
_log = logging.getLogger("boot")
NAMES = 500


class Service:
    """The package in a machine, with a repository and a service of each kind that serves."""

    def __init__(self, machine: Machine, package: Path) -> None:
        self.machine = machine
        self.package = package
        self.repository = BareRepository(machine.root / "srv/zones.git")
        self.repository.commit({"_keys": f"{KEY_LINE}{CERTIFIER_LINE}".encode(), "example.org": zone(1)})
        questions = machine.root / "srv/questions"
        questions.write_text("".join(f"n{number}.example.org A\n" for number in range(NAMES)))
        self.questions = questions

    def set_up(self) -> None:
        """Installs the package, and writes what its documentation has the operator write."""
        self.machine.run("dpkg", "--install", self.machine.copy(self.package, "first.deb"))
        self.machine.write("/etc/oakroot/oakroot.toml", SETTINGS)
        self.machine.write("/etc/oakroot/transfer.key", KEY_LINE, 0o600)
        self.machine.write("/etc/oakroot/certifier.key", CERTIFIER_LINE, 0o600)
        lines = "[Service]\nReadWritePaths=/srv\n"
        self.machine.write("/etc/systemd/system/oakroot-primary.service.d/repository.conf", lines)
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

    def is_locked_in(self, role: str) -> None:
        """Asserts that it may do next to nothing."""
        judged = self.machine.run("systemd-analyze", "security", "--no-pager", f"oakroot-{role}.service")
        assert number(r"Overall exposure level for \S+: ([0-9.]+)", judged) < 1.5
        status = self.machine.run("cat", f"/proc/{self.shown(role, 'MainPID')}/status")
        assert number(r"Uid:\s+([0-9]+)", status) >= 61184  # of DynamicUser
        assert re.search(r"CapBnd:\s+0{16}", status)
        assert "NoNewPrivs:\t1" in status

    def is_alone(self, role: str) -> None:
        """Returns once no other process runs the role than the one that systemd knows."""
        # Connections that are there, such as that of a secondary, may take half a minute to end.
        wait_until("the others to end", lambda: self.processes(role) == [self.shown(role, "MainPID")], 60)

    def can_stay(self, role: str) -> None:
        """Returns once a restart is noticed, which is a moment after the service was started."""
        wait_until("the unit to be active", lambda: self.shown(f"{role}-stay", "ActiveState") == "active")

    def lost_while(self, change: Callable[[], object], *, address: str = PRIMARY, seconds: float = 12) -> int:
        """How many questions are lost when half of what the server can take is asked meanwhile.

        On a machine that others keep busy dnsperf is held up now and then, and asks at once what it is
        behind: some find no room, whether anything changes or not. Where that is so, less is asked.
        """
        # Patience is no measure here: a restart on a busy machine takes seconds.
        dnsperf = Dnsperf((address, 53), self.questions, patience=30, inside=self.machine.in_network)
        for share in (2, 4, 8):
            rate = dnsperf.highest_rate() // share
            lost = _lost(dnsperf.ask_while(change, rate, seconds, before=1), "with the change")
            if not lost or not _lost(dnsperf.ask_while(bool, rate, seconds, before=1), "without it"):
                return lost
        raise AssertionError("questions are lost whether anything changes or not: this machine is too busy")


def zone(serial: int) -> bytes:
    """The zone with this serial."""
    records = "".join(f"n{number} A 192.0.2.{number % 250}\n" for number in range(NAMES))
    head = f"$TTL 60\n@ SOA ns hostmaster {serial} 3600 900 1209600 60\n@ NS ns\nns A {PRIMARY}\n"
    return f"{head}{records}".encode()


def _lost(asked: Counted, when: str) -> int:
    told = "%s: asked %d, %d a second, lost: %d, longest answer: %.2f s"
    _log.info(told, when, asked.sent, asked.rate, asked.lost, asked.longest)
    if asked.lost:
        _log.info("answers a second, each half second: %s", asked.course)
    return asked.lost


def number(pattern: str, text: str) -> float:
    """What the pattern's group finds."""
    found = re.search(pattern, text)
    assert found is not None, text
    return float(found[1])
