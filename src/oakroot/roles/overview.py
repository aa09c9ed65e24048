"""What every role that serves zones says of itself in the same way, as parts of an overview. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from oakroot.distribution import service as distribution
from oakroot.distribution.fanout import Changed
from oakroot.distribution.service import Report
from oakroot.distribution.targets import Configured
from oakroot.keys.keyring import Keyring
from oakroot.operate.history import Pulse
from oakroot.operate.ledger import Ledger
from oakroot.operate.overview import Copied, Queue, Secondary
from oakroot.roles.events import KeyUsed, Note, SignatureRefused, UpdateAnswered


def take_note(ledger: Ledger, note: Note, moment: float) -> None:
    """Writes down what a core wants counted."""
    match note:
        case KeyUsed(key):
            ledger.key_used(key, moment)
        case SignatureRefused(key, error):
            ledger.signature_refused(key, error, moment)
        case UpdateAnswered(rcode, seconds):
            ledger.update_answered(rcode, seconds)


def note_copy(ledger: Ledger, copied: distribution.Copied, moment: float) -> None:
    """Writes down that somebody has a version."""
    ledger.copied((copied.address, copied.key), Copied(copied.apex, copied.serial, moment))


def note_spread(ledger: Ledger, news: Changed, moment: float) -> None:
    """Writes down what is served from now on."""
    for apex in news.changed:
        zone = news.catalogue.zone(apex)
        ledger.served(apex, None if zone is None else zone.serial, moment)


def pulse(ledger: Ledger, engine: Mapping[str, int], moment: float) -> Pulse:
    """What the plots of the status page are made of."""
    updates, seconds = ledger.update_seconds
    return Pulse(moment, engine["udp_queries"] + engine["tcp_queries"], updates, seconds)


def named_addresses(keyring: Keyring, configured: Sequence[Configured] = ()) -> frozenset[str]:
    """Addresses of secondaries that the operator has named: in keys, or as somebody to be told."""
    by_keys = (str(each.grant.secondary) for each in keyring.keys if each.grant.secondary is not None)
    return frozenset((*by_keys, *(each.address for each in configured)))


def secondaries(
    ledger: Ledger, report: Report, named: frozenset[str], serials: Mapping[str, int]
) -> tuple[Secondary, ...]:
    """Those that the operator has named, and all others by the key they sign with; nobody else.

    `serials` are what is served. So there are never more than there are keys and names in the configuration.
    They and what they have are in the order of their names, whoever came first.
    """
    found: dict[str, dict[str, Copied]] = {address: {} for address in named}
    for (address, key), copies in ledger.copies().items():
        name = address if address in named else key
        if name is None:
            continue
        known = found.setdefault(name, {})
        for copy in copies:
            if copy.zone not in known or known[copy.zone].moment < copy.moment:
                known[copy.zone] = copy
    return tuple(
        _secondary(name, [copies[zone] for zone in sorted(copies)], serials, report.notifies.get(name, 0))
        for name, copies in sorted(found.items())
    )


def queues(report: Report) -> tuple[Queue, ...]:
    """What waits to be told and sent."""
    return (
        Queue("notifies-out", sum(report.notifies.values())),
        Queue("transfers-out", report.transfers),
        Queue("transfers-out-waiting", report.waiting_transfers),
        Queue("kept-connections", report.links),
    )


def shown(addresses: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """Addresses with their ports, IPv6 in brackets."""
    return tuple(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses)


def _secondary(name: str, copies: Sequence[Copied], serials: Mapping[str, int], notifies: int) -> Secondary:
    behind = sum(1 for copy in copies if serials.get(copy.zone, copy.serial) != copy.serial)
    last = max((copy.moment for copy in copies), default=None)
    return Secondary(name, tuple(copies), behind, last, notifies)
