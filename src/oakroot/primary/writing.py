"""What a group of updates makes of the zones and their files: pure, and at the cost of what the updates name.

Each update is judged on what those before it left, and has a verdict of its own; one that is denied leaves
nothing. All of them together become one commit. What must not live here: git, and what happens if the commit
cannot be pushed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import field, replace

import dns.name
import dns.rcode
from dns.edns import EDECode

from oakroot._engine import Zone
from oakroot.frozen import frozen
from oakroot.keys.grant import Operation
from oakroot.keys.keyring import GrantedKey
from oakroot.keys.names import is_within
from oakroot.primary.verdict import FINE, Verdict, failure
from oakroot.primary.words import describe_change
from oakroot.protocol import update_judge
from oakroot.protocol.message import ExtendedError
from oakroot.protocol.update import DeleteName, Denied, Update, UpdateOperation, deny
from oakroot.protocol.update_judge import Change
from oakroot.zones.changing import ChangingZone
from oakroot.zones.diagnostics import errors
from oakroot.zones.edited import EditedZone
from oakroot.zones.edits import EditError, TextRecord, ZoneText, canonical_order
from oakroot.zones.load import SerialRules
from oakroot.zones.loaded import Loaded, LoadedZone
from oakroot.zones.serials import is_forward, next_serial

ReadText = Callable[[LoadedZone], ZoneText]
"""The files of a zone as the commit has them."""

# Errors of an edit that tell of the zone's files, and not of a fault of ours.
_FILES_FORBID = frozenset({"shared-file", "default-ttl"})


@frozen
class Submission:
    """An update to be judged: who signed it, and where it came from."""

    number: int
    update: Update
    signer: GrantedKey
    client: str


@frozen
class Outcome:
    """What became of one update.

    `words`: what it changed, one phrase for each change. `is_settled`: the verdict stands whether or not the
    commit comes to be, since nothing that it rests on is in it.
    """

    number: int
    verdict: Verdict
    apex: str | None = None
    words: tuple[str, ...] = ()
    is_settled: bool = False


@frozen
class Draft:
    """What a group makes: verdicts, and the zones that changed, by apex."""

    outcomes: tuple[Outcome, ...]
    edited: dict[str, EditedZone] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    """New content of files, by path."""


def zone_above(name: dns.name.Name, loaded: Loaded) -> LoadedZone | None:
    """Our zone that this name is in: the nearest apex at or above it."""
    while True:
        zone = loaded.zones.get(_canonical_text(name.labels))
        if zone is not None or name == dns.name.root:
            return zone
        name = name.parent()


# Reading a name is slow, and clients speak of the same few names again and again.
_name = functools.lru_cache(4096)(dns.name.from_text)


@functools.lru_cache(1024)
def _canonical_text(labels: tuple[bytes, ...]) -> str:
    return dns.name.Name(labels).canonicalize().to_text()


def deny_stranger(scope: dns.name.Name, signer: GrantedKey | None) -> Denied:
    """The denial for who may send no updates at all, whatever is in them."""
    if signer is None:
        return deny(dns.rcode.REFUSED, f"an update must be signed by a key for {scope}")
    return _not_granted(signer, str(scope))


def find_zone(update: Update, signer: GrantedKey, loaded: Loaded) -> LoadedZone | Denied:
    """The zone that the update is for; or why this key may not make it."""
    known = loaded.keyring.find(signer.key.name)
    if known is None or known.key != signer.key:
        return deny(dns.rcode.REFUSED, f"the key {signer.key.text} is no longer in the repository")
    denied = _find_missing_grant(update, signer)
    if denied is not None:
        return denied
    zone = zone_above(update.scope, loaded)
    return zone or deny(dns.rcode.NOTAUTH, f"the repository has no file for the zone {update.scope}")


def _find_missing_grant(update: Update, signer: GrantedKey) -> Denied | None:
    """What is asked for that the key's name does not grant; a key may be for names below the scope alone.

    Prerequisites are not limited: who may ask them learns what anybody learns by a query.
    """
    grant = signer.grant
    covers_all = grant.covers(update.scope)
    if not grant.may(Operation.UPDATE) or not (covers_all or is_within(grant.zone, update.scope)):
        return _not_granted(signer, str(update.scope))
    if grant.limits:
        return next(filter(None, (_beyond_limits(each, signer) for each in update.operations)), None)
    if covers_all:
        return None
    beyond = next((owner for owner in update.owners if not grant.covers(owner)), None)
    return None if beyond is None else _not_granted(signer, str(beyond))


def _beyond_limits(operation: UpdateOperation, signer: GrantedKey) -> Denied | None:
    """A name as a whole goes only where the key may change all types: what it has is not looked up."""
    rtype = None if isinstance(operation, DeleteName) else operation.type
    if signer.grant.allows(Operation.UPDATE, _name(operation.owner), rtype):
        return None
    return _not_granted(signer, f"{operation.owner} {rtype or 'as a whole: name the type'}")


def write_group(
    submissions: Sequence[Submission], known: Loaded, read_text: ReadText, rules: SerialRules
) -> Draft:
    """Judges updates in their order. Raises only what `read_text` raises.

    One new version for all of them costs a fraction of one for each. Which of them it is that a version
    cannot be made with is found out when that is so.
    """
    group = _Group(known, read_text, rules)
    outcomes = tuple(map(group.submit, submissions))
    if not group.make_all():
        group = _Group(known, read_text, rules)
        outcomes = tuple(map(group.submit_and_make, submissions))
    return Draft(outcomes, group.edited, group.contents())


class _Group:
    """The zones as the updates so far have left them."""

    def __init__(self, known: Loaded, read_text: ReadText, rules: SerialRules) -> None:
        self._known = known
        self._read_text = read_text
        self._rules = rules
        self._changing: dict[str, ChangingZone] = {}
        self.edited: dict[str, EditedZone] = {}
        """The new versions made so far, by apex."""
        self._texts_before: dict[str, ZoneText] = {}

    def contents(self) -> dict[str, bytes]:
        """The files that changed, by path."""
        contents: dict[str, bytes] = {}
        for apex, edited in self.edited.items():
            contents.update(edited.text.contents_since(self._texts_before[apex]))
        return contents

    def submit(self, submission: Submission) -> Outcome:
        """Judges one update; what it changes is kept for those after it."""
        is_first = not self._changing and not self.edited
        outcome = self._judge(submission)
        return replace(outcome, is_settled=True) if is_first and not outcome.words else outcome

    def submit_and_make(self, submission: Submission) -> Outcome:
        """Judges one update, and denies it if the new version that it asks for cannot be made."""
        outcome = self.submit(submission)
        for apex in tuple(self._changing):
            denied = self._make(apex)
            if denied is not None:
                return Outcome(outcome.number, denied, apex, is_settled=not self.edited)
        return outcome

    def make_all(self) -> bool:
        """Makes the new versions; whether that was possible."""
        return all(self._make(apex) is None for apex in tuple(self._changing))

    def _make(self, apex: str) -> Verdict | None:
        """Makes the new version of a zone and its files; a verdict: there is none, and nothing is left."""
        changing = self._changing.pop(apex)
        removed, added = changing.difference()
        added.sort(key=lambda record: (canonical_order(record[0], record[2]), record[3]))
        try:
            zone = changing.zone.changed(removed, added)
            if faults := zone.faults_since(changing.zone):
                return _verdict(deny(dns.rcode.REFUSED, f"the zone would not pass the check: {faults[0]}"))
            self.edited[apex] = EditedZone(zone, self._text(apex).changed(removed, added))
        except EditError as error:
            return _cannot_be_written(*error.args)
        except ValueError as error:
            return failure(EDECode.OTHER, f"the change cannot be made: {error}")
        return None

    def _text(self, apex: str) -> ZoneText:
        """The files of a zone as written so far."""
        if apex in self.edited:
            return self.edited[apex].text
        text = self._texts_before[apex] = self._read_text(self._known.zones[apex])
        return text

    def _judge(self, submission: Submission) -> Outcome:
        number = submission.number
        loaded = find_zone(submission.update, submission.signer, self._known)
        if isinstance(loaded, Denied):
            return Outcome(number, _verdict(loaded))
        if loaded.zone is None or not loaded.is_current:
            return Outcome(number, _out_of_order(loaded))
        apex = loaded.apex
        changing = self._changing_zone(apex, loaded.zone)
        change = update_judge.judge(submission.update, changing)
        if isinstance(change, Denied):
            return Outcome(number, _verdict(change), apex)
        if not change:
            return Outcome(number, _done(change), apex)
        serial = self._serial_change(loaded, changing, change)
        if isinstance(serial, Denied):
            return Outcome(number, _verdict(serial), apex)
        changing.change((*change.removed, *serial.removed), (*change.added, *serial.added))
        self._changing[apex] = changing
        return Outcome(number, _done(change), apex, describe_change(change, apex))

    def _changing_zone(self, apex: str, loaded: Zone) -> ChangingZone:
        if apex in self._changing:
            return self._changing[apex]
        return ChangingZone(self.edited[apex].zone if apex in self.edited else loaded)

    def _serial_change(self, loaded: LoadedZone, changing: ChangingZone, change: Change) -> Change | Denied:
        """The SOA that goes with the first change of a zone: a commit has one new serial."""
        none = Change((), ())
        if changing.zone.serial_is_sealed:
            text = f"the zone {loaded.apex} is signed in its file: sign it anew with the change"
            return deny(dns.rcode.REFUSED, text)
        before = self._serials_before(loaded)
        soa = next((record for record in change.added if record[2] == "SOA"), None)
        if soa is not None:
            return _find_step_back(before, _serial(soa)) or none
        if loaded.apex in self._changing or loaded.apex in self.edited:
            return none
        if self._rules.policy == "manual":
            text = "serials are the operator's here (--serial manual): update the SOA too"
            return deny(dns.rcode.REFUSED, text)
        serial = next_serial(self._rules.policy, functools.reduce(_later, before), self._rules.now)
        (soa,) = changing.records_of(loaded.apex, "SOA")
        return Change((soa,), (_with_serial(soa, serial),))

    def _serials_before(self, loaded: LoadedZone) -> list[int]:
        """That of the zone as it was, and that which is served."""
        before = [] if loaded.zone is None else [loaded.zone.serial]
        if loaded.apex in self._known.serials:
            before.append(self._known.serials[loaded.apex])
        return before


def _find_step_back(before: Sequence[int], serial: int) -> Denied | None:
    """SOAs that are each forward of the one before may come round to what secondaries have already."""
    behind = next((each for each in before if not is_forward(each, serial)), None)
    if behind is None:
        return None
    text = f"the serial {serial} would not be forward of {behind}, which is served (RFC 1982)"
    return deny(dns.rcode.REFUSED, text)


def _later(one: int, other: int) -> int:
    return one if is_forward(other, one) else other


def _serial(soa: TextRecord) -> int:
    return int(soa[3].split(" ", 3)[2])


def _with_serial(soa: TextRecord, serial: int) -> TextRecord:
    owner, ttl, kind, rdata = soa
    primary, mailbox, _, times = rdata.split(" ", 3)
    return owner, ttl, kind, f"{primary} {mailbox} {serial} {times}"


def _not_granted(signer: GrantedKey, name: str) -> Denied:
    text = f"the key {signer.key.text} {signer.grant.words} and may not update {name}"
    return deny(dns.rcode.REFUSED, text)


def _verdict(denied: Denied) -> Verdict:
    return Verdict(denied.rcode, denied.reason)


def _done(change: Change) -> Verdict:
    """NOERROR, with what was left out by the rules: RFC 2136 would have it left out silently."""
    if not change.ignored:
        return FINE
    return Verdict(dns.rcode.NOERROR, ExtendedError(EDECode.OTHER, "; ".join(change.ignored)))


def _out_of_order(loaded: LoadedZone) -> Verdict:
    """The file in the repository has errors: whoever edits it now, edits what is not served."""
    if not loaded.findings:
        return failure(EDECode.NOT_READY, "the zone cannot be updated now")
    text = f"the zone's file cannot be updated while it has errors: {errors(loaded.findings)[0].brief}"
    return failure(EDECode.INVALID_DATA, text)


def _cannot_be_written(kind: str, text: str) -> Verdict:
    if kind in _FILES_FORBID:
        return _verdict(deny(dns.rcode.REFUSED, text))
    return failure(EDECode.OTHER, text)
