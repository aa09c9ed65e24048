"""A newcomer's first hour, by the clock: pip, fifty zones of a running BIND, and a mistake undone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dns.message
import dns.query
import pytest

from tests.cli.operator_repository import OperatorRepository
from tests.interop.test_import import OpenBind
from tests.peers.commands import Primary
from tests.peers.nameservers import ZoneFile

ZONE = """\
; The {name} zone, by hand since 1999.
$TTL 1h
@       SOA   ns1 hostmaster 7 1d 2h 2w 1h
        NS    ns1
ns1     A     192.0.2.53   ; the old machine
www     A     192.0.2.80
"""
MISTAKE = ZONE.format(name="example.org").replace("192.0.2.80", "192.0.2.8").replace(" 7 ", " 8 ")
ZONES = ["example.org", *(f"customer{number}.example" for number in range(49))]
PATIENCE = 600
"""Ten minutes for all of it."""


@dataclass
class Newcomer:
    """Somebody with an empty machine, the README, and a clock."""

    home: Path
    readme: str
    clock: dict[str, float] = field(default_factory=dict)

    @property
    def program(self) -> Path:
        return self.home / "venv/bin/oakroot"

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times what is done in it."""
        start = time.monotonic()
        yield
        self.clock[name] = time.monotonic() - start

    def install(self, project: Path) -> None:
        """A wheel as a release has it, into an environment of its own."""
        wheels = self.home / "wheels"
        maturin = Path(sys.executable).with_name("maturin")
        with self.step("build a wheel"):
            self.run(maturin, "build", "--release", "--quiet", "--out", wheels, cwd=project)
        with self.step("pip install"):
            self.run(sys.executable, "-m", "venv", "--without-pip", self.home / "venv")
            python = self.home / "venv/bin/python"
            self.run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *wheels.iterdir())

    def oakroot(self, *arguments: str | Path, code: int = 0) -> str:
        """Runs a command that the README tells of."""
        assert f"oakroot {arguments[0]}" in self.readme
        with self.step(f"oakroot {arguments[0]}"):
            return self.run(self.program, *arguments, code=code)

    def run(self, *command: str | Path, cwd: Path | None = None, code: int = 0) -> str:
        """What it prints."""
        done = subprocess.run(
            command, cwd=cwd or self.home, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def told_time(self) -> str:
        """A line for each step."""
        lines = [f"  {seconds:6.2f} s  {name}" for name, seconds in self.clock.items()]
        return "\n".join(["", "a newcomer's first hour:", *lines, f"  {sum(self.clock.values()):6.2f} s\n"])


def address_of(primary: Primary, name: str) -> str:
    query = dns.message.make_query(name, "A")
    response = dns.query.udp(query, "127.0.0.1", port=primary.port, timeout=5)
    return " ".join(rdata.to_text() for rrset in response.answer for rdata in rrset)


@pytest.fixture
def source(tmp_path: Path, require: Callable[[str], str]) -> OpenBind:
    require("named")
    folder = tmp_path / "old"
    folder.mkdir()
    for name in ZONES:
        (folder / f"db.{name}").write_text(ZONE.format(name=name))
    return OpenBind([ZoneFile(f"{name}.", folder / f"db.{name}") for name in ZONES], folder)


@pytest.fixture
def newcomer(tmp_path: Path, project_root: Path) -> Newcomer:
    newcomer = Newcomer(tmp_path, (project_root / "README.md").read_text())
    newcomer.install(project_root)
    return newcomer


def move_in(newcomer: Newcomer, source: OpenBind) -> OperatorRepository:
    """What BIND has becomes a repository, and that has a place to be pushed to."""
    with source:
        told = newcomer.oakroot("import", "bind", source.directory / "bind.conf", "--out", "zones")
    assert "zones: 50 zones, 1 keys" in told
    assert "key laptop is now laptop._update.example.org.: tell its users" in told
    place = OperatorRepository(newcomer.home / "zones")
    with newcomer.step("git commit and push"):
        for name, value in (("user.name", "Operator"), ("user.email", "operator@example.org")):
            place.git("config", name, value)
        place.commit("Move in", {})
        place.git("clone", "--quiet", "--bare", ".", str(newcomer.home / "remote.git"))
        place.git("remote", "add", "origin", str(newcomer.home / "remote.git"))
        place.git("push", "--quiet", "--set-upstream", "origin", "main")
    return place


def make_a_mistake(newcomer: Newcomer, place: OperatorRepository, primary: Primary) -> None:
    """Planned, pushed, served."""
    place.write({"example.org": MISTAKE})
    planned = newcomer.oakroot("plan", "zones", code=2)
    assert "  - www 3600 A 192.0.2.80\n  + www 3600 A 192.0.2.8\n" in planned
    served = ("plan", "zones", "--against", primary.server, "--key", "@key", "--zone", "example.org")
    assert newcomer.oakroot(*served, code=2) == planned
    place.commit("Move www", {})
    place.git("push", "--quiet")
    newcomer.oakroot("notify", primary.server, "example.org", "--key", "@key")
    assert address_of(primary, "www.example.org") == "192.0.2.8"
    newcomer.oakroot(*served)


@pytest.mark.proves(
    "imports", "BIND", "fifty zones move in and are served, a change is planned and taken back"
)
def test_fifty_zones_move_in_and_a_mistake_is_taken_back(
    newcomer: Newcomer,
    source: OpenBind,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", f"{newcomer.program.parent}:{os.environ['PATH']}")  # hooks call it by its name
    place = move_in(newcomer, source)
    (newcomer.home / "key").write_text((place.folder / "example.org._keys").read_text())
    remote, log = newcomer.home / "remote.git", newcomer.home / "log"
    with Primary(["--remote", remote], log, command=[newcomer.program]) as primary:
        with newcomer.step("oakroot primary"):
            primary.said("zones served: 50")
        assert address_of(primary, "www.customer48.example") == "192.0.2.80"
        make_a_mistake(newcomer, place, primary)
        told = ("--push", "--notify", primary.server, "--key", "@key", "--repository", "zones")
        assert "serves serial 9" in newcomer.oakroot("revert", "HEAD", *told)
        assert address_of(primary, "www.example.org") == "192.0.2.80"
    zone = (place.folder / "example.org").read_text()
    assert zone.startswith("; The example.org zone, by hand since 1999.\n")
    assert sum(newcomer.clock.values()) < PATIENCE
    with capsys.disabled():
        sys.stdout.write(newcomer.told_time())
