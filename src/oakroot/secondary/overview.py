"""What a secondary says of itself to operators. Pure: its state and what was written down, in one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oakroot import __version__
from oakroot.distribution.service import Report
from oakroot.distribution.targets import Configured
from oakroot.frozen import frozen
from oakroot.operate.ledger import Ledger
from oakroot.operate.overview import Condition, Overview, Primary, Queue, Zone
from oakroot.roles.events import Moment
from oakroot.roles.overview import named_addresses, queues, secondaries, shown
from oakroot.secondary.sources import Server
from oakroot.secondary.state import Entry, Link, State


@frozen
class Surroundings:
    """What the shell knows beside the state."""

    addresses: Sequence[tuple[str, int]]
    configured: Sequence[Configured]
    report: Report
    engine: Mapping[str, int]
    tls_not_after: float | None = None


def overview(state: State, ledger: Ledger, around: Surroundings, now: Moment) -> Overview:
    """The secondary at this moment."""
    keyring = state.plan.keyring
    zones = tuple(_zone(entry, ledger, now) for entry in state.zones.values() if entry.shown)
    serials = {zone.apex: zone.serial for zone in zones if zone.serial is not None}
    primaries = frozenset(server.address for server in state.plan.servers)
    # The same keys name us, where we are the secondary.
    named = frozenset(
        name
        for name in named_addresses(keyring, around.configured)
        if name not in primaries and not state.plan.listening.at(name)
    )
    return Overview(
        role="secondary",
        version=__version__,
        moment=now.wall,
        started=ledger.started,
        addresses=shown(around.addresses),
        zones=zones,
        keys=ledger.keys(keyring),
        unknown_keys=ledger.unknown_keys,
        secondaries=secondaries(ledger, around.report, named, serials),
        primaries=tuple(_primary(server, link) for server, link in state.links.items()),
        queues=(
            Queue("transfers-in", len(state.transfers), state.settings.transfers),
            Queue("transfers-in-waiting", len(state.queue)),
            *queues(around.report),
        ),
        events={**ledger.events, "log-lines-suppressed": state.quota.suppressed},
        engine=around.engine,
        tls_not_after=around.tls_not_after,
    )


def status_line(state: State) -> str:
    """How the secondary is, in a line."""
    shown_zones = [entry for entry in state.zones.values() if entry.shown]
    served = sum(1 for entry in shown_zones if entry.held is not None)
    connected = sum(1 for link in state.links.values() if link.opened is not None)
    zones, primaries = f"{served} of {len(shown_zones)}", f"{connected} of {len(state.links)}"
    return f"zones served: {zones}; primaries connected: {primaries}"


def _zone(entry: Entry, ledger: Ledger, now: Moment) -> Zone:
    held = entry.held
    sources = tuple(dict.fromkeys(str(source.server) for source in entry.sources))
    if held is None:
        condition = Condition.UNAVAILABLE if ledger.since(entry.apex) is None else Condition.EXPIRED
        return Zone(entry.apex, condition, reason=entry.trouble, sources=sources)
    is_stale = entry.failures > 0 and held.checked + held.timers.refresh < now.monotonic
    return Zone(
        apex=entry.apex,
        condition=Condition.STALE if is_stale else Condition.CURRENT,
        serial=held.zone.serial,
        records=held.zone.record_count,
        reason=entry.trouble,
        since=ledger.since(entry.apex),
        confirmed=_wall(held.checked, now),
        expires=_wall(held.expires, now),
        sources=sources,
    )


def _primary(server: Server, link: Link) -> Primary:
    trouble = link.reason if link.opened is None and link.failures else None
    return Primary(str(server), link.opened is not None, trouble)


def _wall(monotonic: float, now: Moment) -> float:
    """A moment of the clock that never jumps, on the world's."""
    return now.wall + monotonic - now.monotonic
