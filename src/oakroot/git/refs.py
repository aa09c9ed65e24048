"""Which branch of the remote is meant. Refs in, choice out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dulwich.objects import ObjectID
from dulwich.refs import Ref

from oakroot.frozen import frozen
from oakroot.git.errors import BranchMissing, RepositoryBroken, printable
from oakroot.git.remote import Remote

HEAD = Ref(b"HEAD")
BRANCHES = b"refs/heads/"
# Tried in this order when the remote's HEAD points nowhere.
USUAL_NAMES = (b"main", b"master")
NAMES_SHOWN = 10

_SHA1 = re.compile(rb"[0-9a-f]{40}")
_SHA256 = re.compile(rb"[0-9a-f]{64}")


@frozen
class Tip:
    """A branch and the commit it is at; the branch is None for a detached HEAD."""

    ref: Ref | None
    commit: ObjectID


def choose_tip(remote: Remote, refs: Mapping[Ref, ObjectID], symrefs: Mapping[Ref, Ref] | None = None) -> Tip:
    """The branch that `--remote` names, else the one the remote's HEAD stands for, else main or master.

    `symrefs` may be missing (servers tell them late): the commit is the same, only `Tip.ref` may be None.

    Raises:
        BranchMissing: there is no such branch, or nothing to choose from.
        RepositoryBroken: the remote's refs are no object ids we can use.
    """
    branches = {name: commit for name, commit in refs.items() if name.startswith(BRANCHES)}
    if remote.branch is not None:
        ref = Ref(BRANCHES + remote.branch.encode())
        if ref not in branches:
            raise _missing(remote, f"has no branch {remote.branch}", branches)
        return Tip(ref, _checked(remote, branches[ref]))
    if HEAD in refs:
        target = (symrefs or {}).get(HEAD)
        ref_of_head = target if target in branches else _branch_at(branches, refs[HEAD])
        return Tip(ref_of_head, _checked(remote, refs[HEAD]))
    if not branches:
        raise BranchMissing(f"{remote} has no commit yet; push a first one there")
    usual = [Ref(BRANCHES + name) for name in USUAL_NAMES if BRANCHES + name in branches]
    candidates = usual or list(branches)
    if not usual and len(candidates) > 1:
        raise _missing(remote, "has no default branch", branches)
    return Tip(candidates[0], _checked(remote, branches[candidates[0]]))


def _branch_at(branches: Mapping[Ref, ObjectID], commit: ObjectID) -> Ref | None:
    """The branch HEAD must be, when the server did not say: one at the same commit, if it is the only one."""
    same = [name for name, at in branches.items() if at == commit]
    usual = [name for name in same if name.removeprefix(BRANCHES) in USUAL_NAMES]
    if usual:
        return min(usual)
    return same[0] if len(same) == 1 else None


def _missing(remote: Remote, what: str, branches: Mapping[Ref, ObjectID]) -> BranchMissing:
    names = [printable(name.removeprefix(BRANCHES), 60) for name in sorted(branches)]
    shown = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
    there = f"it has {shown}" if names else "it has none at all"
    return BranchMissing(f"{remote} {what}; {there}: name one with #branch at the end of the remote")


def _checked(remote: Remote, commit: ObjectID) -> ObjectID:
    if _SHA1.fullmatch(commit):
        return commit
    if _SHA256.fullmatch(commit):
        raise RepositoryBroken(
            f"{remote} uses SHA-256 object ids; only repositories with SHA-1 ids can be read"
        )
    raise RepositoryBroken(f"{remote} names {printable(commit, 80)!r} as a commit; that is no object id")
