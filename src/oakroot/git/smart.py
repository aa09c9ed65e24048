"""A remote behind git's smart protocol: git://, http(s):// and ssh."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import Future
from contextlib import closing, suppress
from tempfile import TemporaryFile
from threading import Thread
from typing import Any

from dulwich.objects import ObjectID
from dulwich.pack import UnpackedObject
from dulwich.refs import Ref

from oakroot.git.clients import open_client
from oakroot.git.connections import Allowance, Timeouts
from oakroot.git.copy import Copy
from oakroot.git.credentials import Credentials
from oakroot.git.deltas import NewObjects, packed
from oakroot.git.errors import (
    GitError,
    PushRefused,
    RemoteRefused,
    RemoteUnreachable,
    RepositoryBroken,
    RepositoryMissing,
    printable,
)
from oakroot.git.refs import Tip, choose_tip
from oakroot.git.remote import Remote
from oakroot.git.reports import Report, ReportingClient, ReportListener
from oakroot.git.spares import Spares
from oakroot.git.translation import HOOK_PATIENCE, moved, translated

_log = logging.getLogger(__name__)

REF_PREFIXES = (b"HEAD", b"refs/heads/")
REMARKS_LIMIT = 4000


class _Remarks:
    """The end of what the server said beside its verdict: there hooks tell why they refused."""

    def __init__(self) -> None:
        self._octets = b""

    def hear(self, octets: bytes) -> None:
        self._octets = (self._octets + octets)[-REMARKS_LIMIT:]

    def __str__(self) -> str:
        return printable(self._octets)


class SmartRemote:
    """Asks one server. Every method blocks for the time-outs at most, raises only GitError."""

    lends_objects = False

    def __init__(self, remote: Remote, credentials: Credentials, timeouts: Timeouts) -> None:
        self._remote = remote
        self._credentials = credentials
        self._timeouts = timeouts
        self._pushes: list[Thread] = []
        self._spares: Spares[Any] = Spares()

    def fetch(self, copy: Copy, depth: int | None) -> Tip:
        """Brings what the copy lacks of the branch; only new objects travel. Gives the branch's tip."""
        have = copy.head
        allowance = Allowance(self._remote, self._timeouts)

        def wants(refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:  # noqa: ARG001
            allowance.lift()
            tip = choose_tip(self._remote, refs)
            return [] if tip.commit == have else [tip.commit]

        client, path = self._client(allowance)
        with translated(self._remote), TemporaryFile(dir=copy.path) as pack:
            with closing(client):
                result = client.fetch_pack(
                    path,
                    wants,
                    copy.walker(),
                    pack.write,
                    # Deepening is asked for once; later fetches go on from where history was cut.
                    depth=depth if have is None else None,
                    ref_prefix=REF_PREFIXES,
                )
            copy.take_pack(pack)
            copy.update_shallow(result.new_shallow, result.new_unshallow)
            known = {name: commit for name, commit in result.refs.items() if commit is not None}
            return choose_tip(self._remote, known, result.symrefs)

    def push(
        self,
        ref: Ref,
        old: ObjectID,
        new: ObjectID,
        made: NewObjects,
    ) -> None:
        """Moves `ref` from `old` to `new`, sending what is new; returns when the server has said that it did.

        Raises:
            RemoteMoved: the ref is not at `old`.
            PushRefused: the server would not.
        """
        verdict: Future[Report | None] = Future()
        remarks = _Remarks()
        thread = Thread(
            target=self._send,
            args=(ref, old, new, made, verdict, remarks),
            name="git push",
            daemon=True,
        )
        self._pushes = [earlier for earlier in self._pushes if earlier.is_alive()] + [thread]
        thread.start()
        try:
            report = verdict.result()
        except (RemoteRefused, RepositoryMissing) as error:
            raise PushRefused(f"may not push: {error}", reason=str(error)) from error
        except (RemoteUnreachable, RepositoryBroken):
            # The line may have broken after the server took the commit: then it is pushed.
            with suppress(GitError):
                if self._tip(ref) == new:
                    return
            raise
        self._judge(report, ref, old, new, remarks)

    def use(self, credentials: Credentials) -> None:
        """Takes these from now on, also where a login with others is still open."""
        self._credentials = credentials
        spares, self._spares = self._spares, Spares()
        # Whoever calls may be an event loop, which cannot run that of a connection, and does not wait.
        Thread(target=spares.close, name="git farewell", daemon=True).start()

    def close(self) -> None:
        """Waits a moment for servers that still run their hooks."""
        for thread in self._pushes:
            thread.join(HOOK_PATIENCE)
        self._spares.close()

    def _client(
        self, allowance: Allowance, on_report: ReportListener | None = None
    ) -> tuple[ReportingClient, bytes]:
        return open_client(
            self._remote, self._credentials, self._timeouts, allowance, self._spares, on_report
        )

    def _send(
        self,
        ref: Ref,
        old: ObjectID,
        new: ObjectID,
        made: NewObjects,
        verdict: Future[Report | None],
        remarks: _Remarks,
    ) -> None:
        """Runs in a thread of its own, so that nobody waits for the server's post-receive hook."""

        def update(refs: dict[Ref, ObjectID]) -> dict[Ref, ObjectID]:
            # dulwich would push over anything; the comparison makes it a fast-forward. What moves between
            # here and the server's own locking, the server refuses: it is told `old` as well.
            if refs.get(ref) != old:
                raise moved(self._remote)
            return {ref: new}

        def pack(
            have: AbstractSet[ObjectID],  # noqa: ARG001 - we know what is new: we have just made it
            want: AbstractSet[ObjectID],  # noqa: ARG001
            *,
            ofs_delta: bool = False,  # noqa: ARG001
            progress: Callable[..., None] | None = None,  # noqa: ARG001
        ) -> tuple[int, Iterator[UnpackedObject]]:
            usable = made.deltas if client.takes_deltas else {}
            return len(made.objects), (packed(item, usable.get(item.id)) for item in made.objects)

        try:
            allowance = Allowance(self._remote, self._timeouts)
            client, path = self._client(allowance, verdict.set_result)
            with translated(self._remote), closing(client):
                result = client.send_pack(path, update, pack, progress=remarks.hear)
            if not verdict.done():
                verdict.set_result(result.ref_status)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            if verdict.done():
                _log.info("after the push to %s was accepted: %s", self._remote, error)
            else:
                verdict.set_exception(error)

    def _judge(
        self, report: Report | None, ref: Ref, old: ObjectID, new: ObjectID, remarks: _Remarks
    ) -> None:
        reason = "the server did not say that it did" if report is None or ref not in report else report[ref]
        if reason is None:
            return
        tip = self._tip(ref)
        if tip == new:
            return
        if tip != old and report is None:
            # Ours may be below what is there now.
            raise RemoteUnreachable(f"{self._remote} broke off before it said what became of the push")
        if tip != old:
            raise moved(self._remote)
        full = printable(f"{reason}: {remarks}" if str(remarks) else reason)
        raise PushRefused(f"{self._remote} refuses the commit: {full}", reason=full)

    def _tip(self, ref: Ref) -> ObjectID | None:
        allowance = Allowance(self._remote, self._timeouts)
        client, path = self._client(allowance)
        with translated(self._remote), closing(client):
            return client.get_refs(path, ref_prefix=[ref]).refs.get(ref)
