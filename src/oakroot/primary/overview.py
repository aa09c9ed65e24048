"""What a primary says of itself to its operator. Pure: its state and what was written down, in one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oakroot import __version__, _engine
from oakroot.distribution.service import Report
from oakroot.distribution.targets import Configured
from oakroot.frozen import frozen
from oakroot.git.commits import Head
from oakroot.operate.ledger import Ledger
from oakroot.operate.overview import Attempt, Condition, Git, Overview, Queue, Zone
from oakroot.primary.events import (
    Event,
    Fetched,
    FetchFailed,
    NothingNewFetched,
    Pushed,
    PushFailed,
    PushOvertaken,
    PushRefused,
    WriteFailed,
    WriteOvertaken,
    WriteRefused,
    Written,
)
from oakroot.primary.news import summary
from oakroot.primary.state import State, Task
from oakroot.roles.overview import named_addresses, queues, secondaries, shown
from oakroot.zones.diagnostics import errors
from oakroot.zones.loaded import Loaded, LoadedZone


@frozen
class Surroundings:
    """What the shell knows beside the state."""

    remote: str
    head: Head | None
    addresses: Sequence[tuple[str, int]]
    configured: Sequence[Configured]
    report: Report
    engine: Mapping[str, int]
    tls_not_after: float | None = None


def note_git(ledger: Ledger, event: Event, seconds: float, moment: float) -> None:
    """Writes down how a piece of git's work ended that took so long."""
    found = _ended(event)
    if found is not None:
        is_pull, outcome, reason = found
        course = ledger.pulls if is_pull else ledger.pushes
        course.ended(Attempt(moment, seconds, outcome, reason))


def overview(state: State, ledger: Ledger, around: Surroundings, moment: float) -> Overview:
    """The primary at this moment."""
    loaded, settings = state.loaded, state.settings
    zones = tuple(_zone(zone, ledger) for zone in loaded.zones.values())
    serials = {zone.apex: zone.serial for zone in zones if zone.serial is not None}
    named = named_addresses(loaded.keyring, around.configured)
    return Overview(
        role="primary",
        version=__version__,
        moment=moment,
        started=ledger.started,
        addresses=shown(around.addresses),
        zones=(*zones, *map(_catalog, state.catalogs.values())),
        keys=ledger.keys(loaded.keyring),
        unknown_keys=ledger.unknown_keys,
        secondaries=secondaries(ledger, around.report, named, serials),
        git=_git(state, ledger, around),
        updates=ledger.updates(),
        queues=(
            Queue("updates", len(state.updates), settings.updates_limit),
            Queue("updates-in-commit", len(state.writing), settings.group_limit),
            Queue("notifies-in", len(state.waiting) + len(state.queued), settings.waiting_limit),
            *queues(around.report),
        ),
        events={**ledger.events, "log-lines-suppressed": state.quota.suppressed},
        engine=around.engine,
        tls_not_after=around.tls_not_after,
    )


def status_line(state: State) -> str:
    """How the primary is, in a line that costs no look at every zone."""
    loaded = state.loaded
    parts = ["nothing pulled yet" if loaded.commit is None else summary(loaded)]
    held = sum(1 for apex in loaded.exceptions if loaded.zones[apex].is_held)
    if held:
        parts.append(f"held back: {held}")
    if state.failures:
        parts.append(f"times in a row that git failed: {state.failures}")
    return "; ".join(parts)


def pulled(loaded: Loaded, apex: str | None) -> str:
    """What a pull has led to, for who asked for it."""
    commit = (loaded.commit or "")[:12]
    if apex is None:
        return f"commit {commit} is loaded"
    zone = loaded.zones.get(apex)
    if zone is None or zone.zone is None:
        return f"commit {commit} is loaded; {apex} is not served"
    return f"commit {commit} is loaded; {apex} has serial {zone.zone.serial}"


def _ended(event: Event) -> tuple[bool, str, str | None] | None:  # noqa: PLR0911 - one line for each event
    """(whether it was a pull, how it ended, why); None: neither pull nor push."""
    match event:
        case Fetched():
            return True, "ok", None
        case NothingNewFetched():
            return True, "unchanged", None
        case FetchFailed(reason):
            return True, "failed", reason
        case Pushed() | Written(_, loading=object()):
            return False, "ok", None
        case PushOvertaken() | WriteOvertaken():
            return False, "overtaken", "somebody pushed before us"
        case PushRefused(reason) | WriteRefused(_, reason):
            return False, "refused", reason
        case PushFailed(reason) | WriteFailed(reason):
            return False, "failed", reason
        case _:
            return None


def _zone(loaded: LoadedZone, ledger: Ledger) -> Zone:
    found = errors(loaded.findings)
    served = loaded.zone
    if loaded.is_held:
        condition = Condition.HELD_BACK
    elif loaded.is_current:
        condition = Condition.CURRENT
    else:
        condition = Condition.UNAVAILABLE if served is None else Condition.LAST_GOOD
    return Zone(
        apex=loaded.apex,
        condition=condition,
        serial=None if served is None else served.serial,
        records=0 if served is None else served.record_count,
        reason=None if condition is Condition.CURRENT or not found else found[0].brief,
        written_serial=loaded.written_serial,
        since=ledger.since(loaded.apex),
    )


def _catalog(zone: _engine.Zone) -> Zone:
    return Zone(zone.apex, Condition.CURRENT, zone.serial, zone.record_count)


def _git(state: State, ledger: Ledger, around: Surroundings) -> Git:
    head, pulls, pushes = around.head, ledger.pulls, ledger.pushes
    return Git(
        remote=around.remote,
        branch=None if head is None else head.branch,
        commit=state.loaded.commit,
        committed=None if head is None else head.time,
        author=None if head is None else head.author,
        subject=None if head is None else head.subject,
        busy_with=None if state.task is Task.NONE else state.task.value,
        last_pull=pulls.last,
        last_good_pull=pulls.last_good,
        last_push=pushes.last,
        last_good_push=pushes.last_good,
        pulls=dict(pulls.outcomes),
        pushes=dict(pushes.outcomes),
        unpushed=len(state.edits),
    )
