"""The folder of a certificate holds one whole set at any time, and nobody else's things are touched."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from oakroot.certificates.certificate import Certificate, read_chain
from oakroot.certificates.folder import (
    CERTIFICATE,
    CHAIN,
    FULL_CHAIN,
    NAMES,
    PRIVATE_KEY,
    Folder,
    FolderError,
)
from oakroot.certificates.private_key import KeyType, PrivateKey, make_private_key, read_private_key
from tests.certificates.authority import encrypted_key_pem, foreign_key_pem, new_chain_for, weak_key_pem

Set = tuple[PrivateKey, tuple[Certificate, ...]]


def new_set(kind: KeyType = KeyType.P256) -> Set:
    key = make_private_key(kind)
    return key, new_chain_for(key, "www.example.org")


@pytest.fixture(scope="module")
def old() -> Set:
    return new_set()


@pytest.fixture(scope="module")
def new() -> Set:
    return new_set()


@pytest.fixture(autouse=True)
def quick_disk() -> Iterator[None]:
    """What is on the disk and what in its cache cannot be told apart here, and flushing takes time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "tls")


def install(folder: Folder, these: Set) -> None:
    with folder.locked():
        folder.install(*these)


def found_in(folder: Folder) -> Set | None:
    """What a server that is started now would present; fails where the files are not of one set."""
    present = [name for name in NAMES if folder.file(name).exists()]
    if not present:
        return None
    assert present == list(NAMES)
    key = read_private_key(folder.file(PRIVATE_KEY).read_bytes())
    chain = read_chain(folder.file(FULL_CHAIN).read_text())
    assert chain[0].public_key == key.public_key
    assert folder.file(CERTIFICATE).read_text() == chain[0].pem
    assert folder.file(CHAIN).read_text() == "".join(authority.pem for authority in chain[1])
    return key, (chain[0], *chain[1])


def test_the_four_files_are_there_with_their_modes(folder: Folder, old: Set) -> None:
    install(folder, old)
    assert found_in(folder) == old
    modes = [stat.S_IMODE(folder.file(name).stat().st_mode) for name in NAMES]
    assert modes == [0o600, 0o644, 0o644, 0o644]


def test_a_new_set_takes_the_old_ones_place_and_leaves_nothing_behind(
    folder: Folder, old: Set, new: Set
) -> None:
    install(folder, old)
    install(folder, new)
    assert found_in(folder) == new
    assert len(list(folder.path.glob(".set.*"))) == 1
    assert folder.kept() is not None
    assert folder.kept().chain == new[1]  # type: ignore[union-attr]


class CrashError(BaseException):
    """The machine stops."""


@dataclass
class Disk:
    """Counts the calls that change something, and lets all of them fail from one on."""

    patch: pytest.MonkeyPatch
    failure: BaseException | None = None
    good: int = 0
    calls: int = 0

    def __enter__(self) -> Self:
        for name in ("open", "fsync", "fchmod", "mkdir", "rename", "symlink", "unlink", "rmdir"):
            self.patch.setattr(os, name, self._watched(getattr(os, name)))
        return self

    def __exit__(self, *_reason: object) -> None:
        self.patch.undo()

    def _watched(self, call: Callable[..., object]) -> Callable[..., object]:
        def watched(*words: object, **more: object) -> object:
            self.calls += 1
            if self.failure is not None and self.calls > self.good:
                raise self.failure
            return call(*words, **more)

        return watched


def write_plain(folder: Folder, these: Set) -> None:
    """As another program left them: files, no links."""
    key, chain = these
    texts = [key.pem(), chain[0].pem, chain[1].pem, chain[0].pem + chain[1].pem]
    folder.path.mkdir(exist_ok=True)
    for name, text in zip(NAMES, texts, strict=True):
        folder.file(name).write_text(text)
    folder.file(PRIVATE_KEY).chmod(0o600)


BEFORE: dict[str, Callable[[Folder, Set], None]] = {
    "nothing": lambda _folder, _set: None,
    "a set": install,
    "plain files": write_plain,
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("failure", [CrashError(), OSError(errno.ENOSPC, "No space left on device")])
def test_wherever_it_stops_there_is_one_whole_set(
    before: str, failure: BaseException, old: Set, new: Set, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Folder(tmp_path / "good")
    BEFORE[before](good, old)
    with Disk(monkeypatch) as disk:
        install(good, new)
    assert disk.calls > 15
    outcomes = set()
    for number in range(disk.calls):
        folder = Folder(tmp_path / str(number))
        BEFORE[before](folder, old)
        with Disk(monkeypatch, failure, number), contextlib.suppress(CrashError, OSError):
            install(folder, new)
        state = found_in(folder)
        assert state in (None if before == "nothing" else old, new)
        outcomes.add(state == new)
        install(folder, new)
        assert found_in(folder) == new, "the next run mends it"
        assert len(list(folder.path.glob(".*"))) == 3, "and leaves nothing behind"
    assert outcomes == {True, False}


def test_a_key_that_waits_is_found_by_the_next_run(folder: Folder, old: Set, new: Set) -> None:
    install(folder, old)
    with folder.locked():
        assert folder.next_key() is None
        folder.keep_next_key(new[0])
    assert folder.next_key() == new[0]
    assert found_in(folder) == old
    install(folder, new)
    assert folder.next_key() is None


def test_a_group_that_may_read_the_key_still_may_after_a_renewal(folder: Folder, old: Set, new: Set) -> None:
    install(folder, old)
    group = next(iter(os.getgroups()), os.getgid())
    os.chown(folder.file(PRIVATE_KEY), -1, group)
    folder.file(PRIVATE_KEY).chmod(0o640)
    install(folder, new)
    found = folder.file(PRIVATE_KEY).stat()
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o640, group)


def test_a_key_that_everybody_can_read_is_not_used(folder: Folder, old: Set) -> None:
    install(folder, old)
    folder.file(PRIVATE_KEY).chmod(0o644)
    with pytest.raises(FolderError, match=r"privkey\.pem can be read by everybody \(mode 0644\)") as error:
        folder.kept()
    assert "chmod 600" in (error.value.hint or "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no private key in PEM"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key in PEM"),
        (weak_key_pem(), "RSA of 1024 bits"),
        (encrypted_key_pem(), "is encrypted"),
        (foreign_key_pem(), "of a kind that no authority certifies"),
    ],
)
def test_a_key_that_is_no_good_is_named_and_left_alone(text: str, reason: str, folder: Folder) -> None:
    folder.path.mkdir()
    folder.file(PRIVATE_KEY).write_text(text)
    folder.file(PRIVATE_KEY).chmod(0o600)
    with pytest.raises(FolderError, match=reason):
        folder.kept()
    assert folder.file(PRIVATE_KEY).read_text() == text


def test_links_of_another_program_are_left_alone(folder: Folder, old: Set) -> None:
    folder.path.mkdir()
    folder.file(PRIVATE_KEY).symlink_to("../../archive/www.example.org/privkey1.pem")
    with pytest.raises(FolderError, match="which another program made") as error:
        folder.kept()
    assert "--out" in (error.value.hint or "")


def test_a_key_that_somebody_put_there_is_used(folder: Folder, old: Set) -> None:
    write_plain(folder, old)
    kept = folder.kept()
    assert kept is not None
    assert (kept.key, kept.chain) == old


def test_a_certificate_of_another_key_counts_as_missing(folder: Folder, old: Set, new: Set) -> None:
    write_plain(folder, old)
    folder.file(FULL_CHAIN).write_text(new[1][0].pem)
    kept = folder.kept()
    assert kept is not None
    assert kept.chain == ()


def test_two_at_once_do_not_work_in_one_folder(folder: Folder) -> None:
    with folder.locked():
        other = contextlib.ExitStack()
        with pytest.raises(FolderError, match="at work here"):
            other.enter_context(Folder(folder.path).locked())
    with folder.locked():
        assert folder.kept() is None


def test_a_set_is_undeployed_until_somebody_was_told(folder: Folder, old: Set, new: Set) -> None:
    install(folder, old)
    states = [folder.is_undeployed]
    folder.mark_deployed()
    states.append(folder.is_undeployed)
    install(folder, new)
    assert [*states, folder.is_undeployed] == [True, False, True]


def test_a_full_disk_leaves_the_old_set(folder: Folder, old: Set, new: Set) -> None:
    """The system's own limit of file sizes stands for a disk that is full."""
    install(folder, old)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
        with pytest.raises(OSError, match="File too large"):
            install(folder, new)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert found_in(folder) == old
    assert len(list(folder.path.glob(".set.*"))) == 1
