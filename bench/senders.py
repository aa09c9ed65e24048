"""The contestants as primaries that send their zones, and differences of them, to anybody on loopback.

YADIFA makes no differences of zone files.
"""

from __future__ import annotations

from pathlib import Path

from bench.contestants import OakrootPrimary
from bench.peers import LeanBind, LeanKnot, LeanNsd, Yadifa
from tests.peers.nameservers import DaemonNameserver


class OakrootSender(OakrootPrimary):
    """`oakroot primary`, which makes the messages in the engine and sends them from Python."""

    def arguments(self, configuration_file: Path) -> tuple[str, ...]:
        """As ever, and to anybody."""
        return (*super().arguments(configuration_file), "--allow-unsigned-transfer")


class NsdSender(LeanNsd):
    """NSD."""

    def configuration(self, port: int) -> str:
        """The text of nsd.conf."""
        differences = "    store-ixfr: yes\n    create-ixfr: yes\n"
        allowed = f"    provide-xfr: 127.0.0.1 NOKEY\n{differences}"
        return super().configuration(port).replace("\n    zonefile:", f"\n{allowed}    zonefile:")


class KnotSender(LeanKnot):
    """Knot DNS."""

    def configuration(self, port: int) -> str:
        """The text of knot.conf."""
        acl = "acl:\n  - id: anybody\n    address: 127.0.0.1\n    action: transfer\n"
        text = super().configuration(port).replace("\nzone:\n", f"\n{acl}zone:\n")
        text = text.replace("zonefile-load: whole", "zonefile-load: difference")
        text = text.replace("journal-content: none", "journal-content: changes")
        return text.replace("\n    file:", "\n    acl: anybody\n    file:")


class BindSender(LeanBind):
    """BIND."""

    def configuration(self, port: int) -> str:
        """The text of named.conf."""
        allowed = "allow-transfer { any; }; ixfr-from-differences yes"
        return super().configuration(port).replace("allow-transfer { none; }", allowed)


class YadifaSender(Yadifa):
    """YADIFA."""

    def configuration(self, port: int) -> str:
        """The text of yadifad.conf."""
        return super().configuration(port).replace("allow-transfer none", "allow-transfer any")


ALL: tuple[type[DaemonNameserver], ...] = (OakrootSender, NsdSender, KnotSender, BindSender, YadifaSender)


def installed(wanted: list[str] | None) -> list[type[DaemonNameserver]]:
    """Those that can be started, and are wanted if a choice was made."""
    return [one for one in ALL if one.find() is not None and (wanted is None or one.name in wanted)]
