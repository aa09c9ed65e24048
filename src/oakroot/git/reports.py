"""Hearing a server's verdict on a push as soon as it is given.

The server says what became of a push and only then runs its post-receive hook, with the connection still
open. Whoever waits for the end of the connection waits for that hook; and the hook may well be
`oakroot notify`, which waits for us. So the verdict is handed on the moment it is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from dulwich.client import GitClient, ReportStatusParser
from dulwich.protocol import Protocol

# Ref name -> None if updated, else the server's reason.
Report = Mapping[bytes, str | None]
ReportListener = Callable[[Report], None]
NO_DELTAS = b"no-thin"


class _AttentiveParser(ReportStatusParser):
    def __init__(self, listener: ReportListener) -> None:
        super().__init__()
        self._listener = listener

    def handle_packet(self, pkt: bytes | None) -> None:
        super().handle_packet(pkt)
        if pkt is None:
            self._listener(dict(self.check()))


class ReportingClient(GitClient):
    """Mixed into dulwich's clients: tells `_on_report` the server's report on a push."""

    _on_report: ReportListener | None = None
    takes_deltas = True
    """Once the server was reached: whether it looks up what a delta in a pack is based on."""

    def _negotiate_receive_pack_capabilities(
        self, server_capabilities: set[bytes]
    ) -> tuple[set[bytes], bytes | None]:
        self.takes_deltas = NO_DELTAS not in server_capabilities
        return super()._negotiate_receive_pack_capabilities(server_capabilities)

    def _handle_receive_pack_tail(
        self,
        proto: Protocol,
        capabilities: AbstractSet[bytes],
        progress: Callable[[bytes], None] | None = None,
    ) -> dict[bytes, str | None] | None:
        if self._report_status_parser is not None and self._on_report is not None:
            self._report_status_parser = _AttentiveParser(self._on_report)
        return super()._handle_receive_pack_tail(proto, capabilities, progress)
