"""The units of the examples are what systemd takes, and call oakroot as it wants to be called."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from oakroot.cli.main import build_parser
from oakroot.operate.options import Options

COMMAND = "/usr/bin/oakroot"


@pytest.fixture
def units(project_root: Path) -> Path:
    return project_root / "examples/systemd"


def test_systemd_finds_nothing_wrong(units: Path, tmp_path: Path, require: Callable[[str], str]) -> None:
    folder = tmp_path / "units"
    shutil.copytree(units, folder)
    for unit in folder.iterdir():
        unit.write_text(unit.read_text().replace(COMMAND, sys.executable))
    instances = [str(unit).replace("@.", "@www.example.org.") for unit in sorted(folder.iterdir())]
    for template, instance in zip(sorted(folder.iterdir()), instances, strict=True):
        if instance != str(template):
            shutil.copy(template, instance)
    checked = subprocess.run(
        [require("systemd-analyze"), "verify", "--man=no", *instances],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in checked.stderr.splitlines() if str(folder) in line or "oakroot" in line]
    assert ours == []


def test_the_servers_are_locked_in(units: Path, require: Callable[[str], str]) -> None:
    program = require("systemd-analyze")
    for role in ("primary", "primary-stay", "secondary", "secondary-stay", "certifier"):
        judged = subprocess.run(
            [program, "security", "--offline=true", "--no-pager", units / f"oakroot-{role}.service"],
            capture_output=True,
            text=True,
            check=True,
        )
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", judged.stdout)
        assert found is not None, judged.stdout
        assert float(found[1]) < 1.5, judged.stdout


@pytest.mark.parametrize("role", ["primary", "secondary", "certifier"])
def test_queries_can_be_written_where_the_page_says(units: Path, project_root: Path, role: str) -> None:
    page = (project_root / "docs/operate/queries.md").read_text()
    assert f"`/var/log/oakroot-{role}`" in page
    assert f"\nLogsDirectory=oakroot-{role}\n" in (units / f"oakroot-{role}.service").read_text()


@pytest.mark.parametrize("role", ["primary", "secondary"])
@pytest.mark.parametrize(
    ("restarted", "stays"),
    [
        ({".service"}, True),
        (set[str](), False),
        ({".service", ".socket"}, False),
        ({".service", "-tls.socket"}, False),
    ],
)
def test_a_process_stays_where_the_service_is_restarted_and_its_sockets_are_not(
    units: Path, tmp_path: Path, role: str, restarted: set[str], *, stays: bool
) -> None:
    asked = tmp_path / "systemctl"
    jobs = "".join(
        f"*' oakroot-{role}{unit}'*) echo 7 oakroot-{role}{unit} restart waiting;;\n" for unit in restarted
    )
    asked.write_text(f'#!/bin/sh\ncase "$1 $*" in --quiet*);;\n{jobs}esac\n')
    asked.chmod(0o755)
    told = (units / f"oakroot-{role}-stay.service").read_text().partition("ExecStop=-")[2]
    words = shlex.split(told.partition("\nTimeoutStopSec=")[0].replace(COMMAND, "echo"))
    ran = subprocess.run(
        words, capture_output=True, text=True, check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}
    )
    assert ran.stdout.startswith("stay ") == stays, ran


@pytest.mark.parametrize("role", ["primary", "secondary"])
def test_a_busy_process_has_as_long_to_say_that_it_stays_as_to_say_that_it_lives(
    units: Path, role: str
) -> None:
    def seconds(unit: str, before: str) -> int:
        return int((units / unit).read_text().partition(before)[2].split()[0])

    lives = seconds(f"oakroot-{role}.service", "WatchdogSec=")
    stays = seconds(f"oakroot-{role}-stay.service", "oakroot stay --timeout ")
    assert lives <= stays < seconds(f"oakroot-{role}-stay.service", "TimeoutStopSec=")


@pytest.mark.parametrize("unit", ["primary", "primary-tls", "secondary", "secondary-tls"])
def test_who_serves_on_is_asked_to_close_sockets_that_systemd_is_to_bind_anew(
    units: Path, tmp_path: Path, unit: str
) -> None:
    role = unit.removesuffix("-tls")
    told = (units / f"oakroot-{unit}.socket").read_text().partition("ExecStopPre=-")[2]
    text = told.partition("\n\n")[0].replace(COMMAND, "echo").replace("%t", str(tmp_path))
    words = [word.replace("\\\n", "") for word in shlex.split(text)]
    (tmp_path / f"oakroot-{role}").mkdir()
    place = tmp_path / f"oakroot-{role}/control.sock"
    for before, said in (
        (place, ""),
        (place.with_name("control.sock.7"), f"stay --end --timeout 30 --control {place}\n"),
    ):
        before.touch()
        assert subprocess.run(words, capture_output=True, text=True, check=False).stdout == said


def test_the_services_call_oakroot_as_it_wants_to_be_called(units: Path) -> None:
    for unit in (*units.glob("*.service"), *units.glob("*.socket")):
        settings = configparser.ConfigParser(interpolation=None, strict=False)
        settings.read(unit)
        if "Socket" in settings:
            line = settings["Socket"]["ExecStopPre"].partition("exec ")[2].partition(";")[0]
        elif unit.stem.endswith("-stay"):
            line = settings["Service"]["ExecStop"].partition("exec ")[2].partition(";")[0]
        else:
            line = settings["Service"]["ExecStart"]
        program, command, *words = shlex.split(line)
        assert program == COMMAND
        parser, _ = build_parser(command)
        Options(parser)  # what the command line leaves open, settings and credentials say
        parser.parse_args([command, *words])
