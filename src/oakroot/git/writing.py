"""Writing into a repository's folder, so that a crash leaves nothing in the way of what follows.

dulwich locks each file by another one beside it, and a lock whose holder was killed stays for ever. Objects
need none: they are written under a name of their own and renamed, as git does it. The lock of a ref, which
git respects too, is here a second name of a file whose owner holds it open: so it can be told from a lock of
git's, and the lock of a dead process from that of a living one.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dulwich.file import FileLocked, adjust_shared_perm
from dulwich.object_store import DiskObjectStore
from dulwich.objects import ObjectID, ShaFile
from dulwich.refs import Ref
from dulwich.repo import Repo

from oakroot.git.deflating import Deflater

OWN_PREFIX = "oakroot-ref-"
OBJECT_MODE = 0o444
REF_MODE = 0o644


def write_object(
    store: DiskObjectStore, item: ShaFile, deflater: Deflater, former: ObjectID | None = None
) -> None:
    """Keeps one object by itself, compressed as git does: fast, if no setting of the repository says else.

    `former`: of a file, the version in whose place it is.
    """
    name = item.id.decode("ascii")
    path = Path(os.fsdecode(store.path)) / name[:2] / name[2:]
    with suppress(FileNotFoundError, PermissionError):
        # What is old and needed by nobody yet may be swept away by `git gc`.
        os.utime(path)
        return
    level = store.loose_compression_level
    level = zlib.Z_BEST_SPEED if level == zlib.Z_DEFAULT_COMPRESSION else level
    octets = deflater.deflate(item, former, level)
    with suppress(FileNotFoundError):
        _write_new(store, path, octets)
        return
    # `git gc` has removed the folder, which was empty for a moment.
    _write_new(store, path, octets)


def _write_new(store: DiskObjectStore, path: Path, octets: bytes) -> None:
    if not path.parent.exists():
        path.parent.mkdir(exist_ok=True)
        adjust_shared_perm(path.parent, store.shared_perm)
    with _temporary(path.parent, "tmp_obj_") as (descriptor, temporary):
        _write(descriptor, octets)
        os.fchmod(descriptor, OBJECT_MODE)
        adjust_shared_perm(temporary, store.shared_perm)
        temporary.replace(path)


def write_ref(repo: Repo, ref: Ref, commit: ObjectID) -> None:
    """Sets a ref of a repository that nobody else writes to."""
    path = Path(repo.controldir()) / os.fsdecode(ref)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _temporary(Path(repo.controldir()), OWN_PREFIX) as (descriptor, temporary):
        _write(descriptor, commit + b"\n")
        os.fsync(descriptor)
        temporary.replace(path)


def move_ref(repo: Repo, ref: Ref, old: ObjectID, new: ObjectID) -> bool:
    """Moves a ref, if it is still at `old`; raises FileLocked while somebody else is about to move it."""
    chain, _ = repo.refs.follow(ref)
    ref = Ref(chain[-1])
    folder = Path(repo.commondir())
    path = folder / os.fsdecode(ref)
    lock = path.with_name(f"{path.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _temporary(folder, OWN_PREFIX) as (descriptor, temporary):
        # Before the file becomes a lock: one that nobody holds is that of a dead process.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _write(descriptor, new + b"\n")
        os.fchmod(descriptor, REF_MODE)
        adjust_shared_perm(temporary, repo.object_store.shared_perm)
        os.fsync(descriptor)
        _take_lock(temporary, lock)
        is_moved = False
        try:
            if repo.refs.read_ref(ref) == old:
                lock.replace(path)
                is_moved = True
        finally:
            if not is_moved:
                lock.unlink()
    return is_moved


def _take_lock(own: Path, lock: Path) -> None:
    try:
        os.link(own, lock)
    except FileExistsError:
        if not _remove_orphan(own.parent, lock):
            raise FileLocked(str(lock), str(lock)) from None
        os.link(own, lock)


def _remove_orphan(folder: Path, lock: Path) -> bool:
    """Whether the lock is gone now, because a process of ours held it that is dead."""
    try:
        with lock.open("rb") as held:
            inode = os.fstat(held.fileno()).st_ino
            names = [name for name in folder.glob(f"{OWN_PREFIX}*") if name.stat().st_ino == inode]
            if not names:
                return False
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.unlink()
            for name in names:
                name.unlink()
    except BlockingIOError:
        return False
    except FileNotFoundError:
        pass  # its holder has just ended
    return True


@contextmanager
def _temporary(folder: Path, prefix: str) -> Iterator[tuple[int, Path]]:
    """A new file, open and with a name of its own, which is gone afterwards."""
    descriptor, name = tempfile.mkstemp(prefix=prefix, dir=folder)
    path = Path(name)
    try:
        yield descriptor, path
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _write(descriptor: int, octets: bytes) -> None:
    with open(descriptor, "wb", closefd=False) as file:
        file.write(octets)
