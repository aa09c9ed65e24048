"""What happens to a primary, and what it decides to do: the two lists that are its table of contents.

Events are in the past tense, actions in the imperative. All are frozen values; nothing here has behaviour.
"""

from __future__ import annotations

from collections.abc import Mapping

from oakroot._engine import Zone
from oakroot.distribution.actions import Distribute
from oakroot.frozen import frozen
from oakroot.primary.state import Settings
from oakroot.primary.writing import Outcome, Submission
from oakroot.roles.events import Log, Note, NotifyRequested, PacketReceived, Publish, SendReply, TimePassed
from oakroot.zones.loaded import Edit, Loaded, Loading

# --- events ---


@frozen
class Started:
    """The service is up, and nothing has been fetched yet."""


@frozen
class Fetched:
    """The remote was reached, and this is what its newest commit makes.

    `rewritten`: the commit that was loaded before is not in its history; somebody pushed by force.
    `landed`: which of the commits asked about, whose push had an unknown outcome, is in its history.
    """

    loading: Loading
    rewritten: bool = False
    landed: str | None = None


@frozen
class NothingNewFetched:
    """The remote was reached, and its newest commit is the one that is loaded."""


@frozen
class FetchFailed:
    """The remote's newest commit could not be had; what is served stays."""

    reason: str


@frozen
class Pushed:
    """Our commit is the remote's newest, and this is what it makes."""

    loading: Loading


@frozen
class PushOvertaken:
    """Somebody else's commit came first; ours is not there."""


@frozen
class PushRefused:
    """The remote will not take commits from us."""

    reason: str


@frozen
class PushFailed:
    """The push did not come through; another try may."""

    reason: str


@frozen
class Written:
    """The updates were judged; their commit is the remote's newest, and this is what it makes.

    None: nothing had to be changed, so there is no commit.
    """

    outcomes: tuple[Outcome, ...]
    loading: Loading | None


@frozen
class WriteOvertaken:
    """Somebody else's commit came first; the updates are to be judged anew, on what is there now."""


@frozen
class WriteRefused:
    """The remote will not take this commit. `outcomes` are the verdicts as they would have been."""

    outcomes: tuple[Outcome, ...]
    reason: str


@frozen
class WriteFailed:
    """The commit did not come through; another try may.

    `attempt`: the commit, if the remote may have it nevertheless; with the verdicts that then hold.
    """

    reason: str
    attempt: str | None = None
    outcomes: tuple[Outcome, ...] = ()


@frozen
class PullRequested:
    """The operator asked for a pull (SIGHUP)."""


@frozen
class Reconfigured:
    """The operator has decided anew, while the service runs."""

    settings: Settings


@frozen
class Recalled:
    """History was looked at for earlier versions of the zones, by apex; `trouble`: why that ended early."""

    versions: Mapping[str, tuple[Zone, ...]]
    commits: int
    trouble: str | None = None


Event = (
    Started
    | Fetched
    | NothingNewFetched
    | FetchFailed
    | Pushed
    | PushOvertaken
    | PushRefused
    | PushFailed
    | Written
    | WriteOvertaken
    | WriteRefused
    | WriteFailed
    | Recalled
    | PacketReceived
    | PullRequested
    | NotifyRequested
    | Reconfigured
    | TimePassed
)


# --- actions ---


@frozen
class Fetch:
    """Fetch and load: ends in Fetched, NothingNewFetched or FetchFailed.

    `attempts`: commits of ours of which it is not known whether they reached the remote.
    """

    known: Loaded
    attempts: tuple[str, ...] = ()


@frozen
class Push:
    """Commit on top of what is loaded, and push: ends in Pushed, PushOvertaken, PushRefused or PushFailed."""

    edits: tuple[Edit, ...]
    message: str
    known: Loaded


@frozen
class Write:
    """Judge these updates on top of what is loaded, commit and push what they change.

    Ends in Written, WriteOvertaken, WriteRefused or WriteFailed. `edits`: what else waits for a commit.
    """

    submissions: tuple[Submission, ...]
    known: Loaded
    edits: tuple[Edit, ...] = ()


@frozen
class Recall:
    """Look for earlier versions of what is loaded in the history before it: ends in Recalled."""

    known: Loaded


GitAction = Fetch | Push | Write | Recall
Action = GitAction | Publish | SendReply | Log | Note | Distribute
