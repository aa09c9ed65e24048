"""The parts that need a large library, loaded when an address or an option asks for one of them.

asyncssh, urllib3 and cryptography are half of a server's time to start, and half of its memory before it
holds a zone; most servers need one of them or none. So these modules are named here as text. This table and
that of commands in `cli.main` are the only late imports of the project.
"""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import Any


class Part(StrEnum):
    """A module, and the library it needs."""

    LOGIN_KEY = "oakroot.git.login_key"
    """cryptography: private keys of ssh in all their notations."""
    SMART = "oakroot.git.smart"
    """dulwich's client, for remotes that are no folder of this machine."""
    SSH = "oakroot.git.ssh"
    """asyncssh."""
    HTTPS = "oakroot.git.https"
    """urllib3."""
    CERTIFICATE_FACTS = "oakroot.operate.certificate_facts"
    """cryptography: what is said of a server's certificate."""
    OCTODNS = "oakroot.importing.octodns"
    """PyYAML: zones of OctoDNS."""
    EXPOSITION = "oakroot.operate.exposition"
    """prometheus-client: metrics in Prometheus' formats."""
    SETTINGS_FILE = "oakroot.cli.settings_table"
    """tomllib: settings that stand in a file."""
    WATCH = "oakroot.operate.watch"
    """dnspython's queries; and metrics and status page, a tenth of what a role loads."""


def part(name: Part) -> Any:  # noqa: ANN401 - the caller says what it expects of the module
    """The module."""
    return import_module(name)
