"""What the log says about zones, in the manner of Knot DNS: what, which way, with whom, how it ended."""

from __future__ import annotations

import dns.name

from oakroot._engine import Zone
from oakroot.protocol.notify import Notice
from oakroot.protocol.transfer_client import Received, Style
from oakroot.roles.requests import Asked
from oakroot.secondary.events import Log, TransferEnded
from oakroot.secondary.sources import Source
from oakroot.secondary.state import Entry, Held, Round


def started(entry: Entry, source: Source) -> Log:
    """A transfer begins."""
    style = Style.AXFR if entry.held is None else Style.IXFR
    return Log("debug", f"{style.value}, incoming, {source}, started", entry.apex)


def transferred(entry: Entry, source: Source, zone: Zone, ended: TransferEnded, outcome: Received) -> Log:
    """A new version is here."""
    messages = "1 message" if outcome.messages == 1 else f"{outcome.messages} messages"
    counts = f"{messages}, {outcome.octets} octets, {ended.seconds:.1f} s"
    text = f"{outcome.style.value}, incoming, {source}, finished, serial {zone.serial}, {counts}"
    if entry.held is not None:
        text += f"; the serial was {entry.held.zone.serial}"
    return Log("info", text, entry.apex)


def hasty(entry: Entry, held: Held) -> tuple[Log, ...]:
    """What is to be said about the timers of a new version."""
    timers = held.timers
    if timers.expire > timers.refresh:
        return ()
    text = f"its SOA lets it expire after {timers.expire} s, before it is refreshed after {timers.refresh} s"
    return (Log("warning", text, entry.apex),)


def doubted(entry: Entry, source: Source, doubts: tuple[str, ...]) -> tuple[Log, ...]:
    """Differences were given up for the whole zone."""
    text = "IXFR, incoming, {}, given up for AXFR: {}"
    return tuple(Log("info", text.format(source, doubt), entry.apex) for doubt in doubts)


def confirmed(entry: Entry, source: Source, held: Held) -> Log:
    """There is nothing newer."""
    return Log("debug", f"refresh, {source}, up to date, serial {held.zone.serial}", entry.apex)


def disappointed(entry: Entry, reasons: tuple[str, ...]) -> tuple[Log, ...]:
    """One source was of use, after others had been none."""
    return tuple(Log("warning", f"refresh, {reason}", entry.apex) for reason in reasons)


def failed(entry: Entry, reasons: tuple[str, ...], wait: float) -> Log:
    """No source was of use."""
    text = f"refresh failed: {'; '.join(reasons)}; next try in {wait:.0f} s"
    return Log("warning", f"{text}{_consequence(entry)}", entry.apex)


def expired(entry: Entry, held: Held) -> Log:
    """The version has not been confirmed for too long."""
    text = (
        f"expired: for {held.timers.expire} s no primary has confirmed serial {held.zone.serial}; "
        "answering SERVFAIL until there is a version to serve"
    )
    return Log("error", text, entry.apex)


def removed(entry: Entry, reasons: tuple[str, ...]) -> Log:
    """The zone is gone, for good."""
    return Log("warning", f"removed: {'; '.join(reasons)}", entry.apex)


def met(entry: Entry, asked: Asked) -> Log:
    """A zone that nobody had named is ours."""
    sources = "; ".join(map(str, entry.sources))
    text = f"added: {_whose(asked)} sent a NOTIFY of it; it is asked for at {sources}"
    return Log("info", text, entry.apex)


def notified(entry: Entry, asked: Asked, notice: Notice) -> Log:
    """A NOTIFY that is taken."""
    serial = "" if notice.serial is None else f", serial {notice.serial}"
    return Log("info", f"NOTIFY, incoming, {_whose(asked)}{serial}", entry.apex)


def broken_catalog(entry: Entry, reason: str) -> Log:
    """A list of zones that must not be followed."""
    return Log("error", f"a broken catalog zone, its zones stay as they are: {reason}", entry.apex)


def listed(entry: Entry, catalog: Entry) -> Log:
    """A catalog zone brings a zone."""
    sources = "; ".join(map(str, entry.sources))
    return Log(
        "info", f"added: the catalog zone {catalog.name} lists it; it is asked for at {sources}", entry.apex
    )


def unlisted(entry: Entry, catalog: Entry) -> Log:
    """A catalog zone takes a zone away."""
    return Log("warning", f"removed: the catalog zone {catalog.name} lists it no longer", entry.apex)


def needless(entry: Entry, catalog: Entry) -> Log:
    """A catalog zone has no say about a zone that is ours anyway."""
    return Log("info", f"the catalog zone {catalog.name} lists it; it is ours anyway", entry.apex)


def not_taken(entry: Entry, catalog: Entry, owner: dns.name.Name | None) -> Log:
    """A catalog zone has no say about a zone of another one (RFC 9432 §5.2)."""
    text = f"the catalog zone {catalog.name} lists it in vain: {owner} has it, and does not name a new owner"
    return Log("warning", text, entry.apex)


def moved(entry: Entry, catalog: Entry) -> Log:
    """A zone has passed from one catalog zone to another."""
    return Log("info", f"now a member of the catalog zone {catalog.name}", entry.apex)


def reset(entry: Entry, catalog: Entry) -> Log:
    """A zone begins anew."""
    text = f"begun anew: it has another label in the catalog zone {catalog.name}"
    return Log("info", text, entry.apex)


def reason_of(round_: Round, reason: str) -> str:
    """The reason with whom it is about."""
    return f"{round_.source}: {reason}"


def _consequence(entry: Entry) -> str:
    if entry.held is not None:
        return f"; serial {entry.held.zone.serial} stays served"
    return "; answering SERVFAIL" if entry.shown else ""


def _whose(asked: Asked) -> str:
    address, port = asked.request.peer
    key = "no key" if asked.signer is None else f"key {asked.signer.key.text}"
    return f"remote {address}@{port}, {key}"
