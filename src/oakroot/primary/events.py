"""What happens to a primary, and what it decides to do: the two lists that are its table of contents.

Events are in the past tense, actions in the imperative. All are frozen values; nothing here has behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass

from oakroot.distribution.actions import Distribute
from oakroot.roles.events import Log, PacketReceived, Publish, SendReply, TimePassed
from oakroot.zones.loaded import Edit, Loaded, Loading

# --- events ---


@dataclass(frozen=True, slots=True)
class Started:
    """The service is up, and nothing has been fetched yet."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The remote was reached, and this is what its newest commit makes.

    `rewritten`: the commit that was loaded before is not in its history; somebody pushed by force.
    """

    loading: Loading
    rewritten: bool = False


@dataclass(frozen=True, slots=True)
class NothingNewFetched:
    """The remote was reached, and its newest commit is the one that is loaded."""


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """The remote's newest commit could not be had; what is served stays."""

    reason: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """Our commit is the remote's newest, and this is what it makes."""

    loading: Loading


@dataclass(frozen=True, slots=True)
class PushOvertaken:
    """Somebody else's commit came first; ours is not there."""


@dataclass(frozen=True, slots=True)
class PushRefused:
    """The remote will not take commits from us."""

    reason: str


@dataclass(frozen=True, slots=True)
class PushFailed:
    """The push did not come through; another try may."""

    reason: str


@dataclass(frozen=True, slots=True)
class PullRequested:
    """The operator asked for a pull (SIGHUP)."""


Event = (
    Started
    | Fetched
    | NothingNewFetched
    | FetchFailed
    | Pushed
    | PushOvertaken
    | PushRefused
    | PushFailed
    | PacketReceived
    | PullRequested
    | TimePassed
)


# --- actions ---


@dataclass(frozen=True, slots=True)
class Fetch:
    """Fetch and load: ends in Fetched, NothingNewFetched or FetchFailed."""

    known: Loaded


@dataclass(frozen=True, slots=True)
class Push:
    """Commit on top of what is loaded, and push: ends in Pushed, PushOvertaken, PushRefused or PushFailed."""

    edits: tuple[Edit, ...]
    message: str
    known: Loaded


Action = Fetch | Push | Publish | SendReply | Log | Distribute
