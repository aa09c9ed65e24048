"""Who is measured, one worker each: Oakroot as operators run it, its engine alone, the installed peers."""

from __future__ import annotations

import compileall
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from bench.peers import PEERS, PowerDns
from tests.peers.nameservers import DaemonNameserver

ENGINE_ONLY = Path(__file__).with_name("engine_only.py")


class OakrootPrimary(DaemonNameserver):
    """`oakroot primary` with the repository that the zone files stand in."""

    name = "oakroot"
    program = "oakroot"
    rate_limit: ClassVar[str] = "0"

    @classmethod
    def find(cls) -> str | None:
        """The command beside the interpreter that runs this."""
        path = Path(sys.executable).with_name("oakroot")
        return str(path) if path.exists() else None

    def configuration(self, port: int) -> str:
        """Nothing: everything stands on the command line."""
        return f"# port {port}\n"

    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """The repository is where the zone files are."""
        _ = configuration_file
        remote = str(self.zones[0].path.parent)
        listen = f"{self.address[0]}:{self.address[1]}"
        workers = str(self.workers)
        return (
            "primary",
            "--remote",
            remote,
            "--listen",
            listen,
            "--workers",
            workers,
            "--rate-limit",
            self.rate_limit,
            "--log-level",
            "warning",
        )


class OakrootLimited(OakrootPrimary):
    """The same with rate limiting at work, which all others have switched off, but never reached."""

    name = "oakroot-limited"
    rate_limit = "100000000"


class OakrootEngine(DaemonNameserver):
    """The engine alone: no git, no keys, no roles."""

    name = "oakroot-engine"
    program = "oakroot-engine"

    @classmethod
    def find(cls) -> str | None:
        """This interpreter."""
        return sys.executable

    def configuration(self, port: int) -> str:
        """The port, then the zones."""
        return "\n".join([str(port), *(f"{zone.apex}\t{zone.path}" for zone in self.zones)]) + "\n"

    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """The program in this folder."""
        return (str(ENGINE_ONLY), str(configuration_file))


ALL: tuple[type[DaemonNameserver], ...] = (OakrootPrimary, OakrootEngine, *PEERS)

# PowerDNS takes a signed zone file for an unsigned one unless a database tells it otherwise.
UNSIGNED_ONLY: tuple[type[DaemonNameserver], ...] = (PowerDns,)


def installed(wanted: Sequence[str] | None) -> list[type[DaemonNameserver]]:
    """Those that can be started, and are wanted if a choice was made."""
    return [one for one in ALL if one.find() is not None and (wanted is None or one.name in wanted)]


def compile_oakroot() -> None:
    """Compiles its modules, as pip and the Debian package do: else each start would, where Python may not."""
    spec = find_spec("oakroot")
    for folder in (spec and spec.submodule_search_locations) or ():
        compileall.compile_dir(folder, quiet=2)
