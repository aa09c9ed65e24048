"""Objects as git itself writes them, read without git and without dulwich."""

from __future__ import annotations

import os
import subprocess
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from oakroot.git.errors import FileTooLarge
from oakroot.git.inflating import PIECE, READ_AHEAD, inflated
from oakroot.git.objects import Objects

LARGEST = 1 << 20


def git(folder: Path, *arguments: str, content: bytes | None = None) -> bytes:
    names = ("-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "gc.auto=0")
    done = subprocess.run(
        ["git", *names, *arguments], cwd=folder, input=content, capture_output=True, check=True
    )
    return done.stdout


def text(number: int) -> bytes:
    """Texts that are alike, so that git stores them as differences; a few of them are large or empty."""
    random = Random(number)
    lines = [b"host%d A 192.0.2.%d\n" % (line, random.randrange(3)) for line in range(number % 50)]
    return b"".join(lines) * (1000 if number % 17 == 16 else 1)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    for number in range(60):
        (tmp_path / f"file{number}").write_bytes(text(number))
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "all of them")
    return tmp_path


@pytest.fixture
def objects(repository: Path) -> Iterator[Objects]:
    objects = Objects(LARGEST)
    objects.use([repository / ".git/objects"])
    yield objects
    objects.close()


def names_of(repository: Path) -> list[str]:
    listed = git(repository, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return listed.decode().split()


def assert_all_are_read(objects: Objects, repository: Path) -> None:
    for name in names_of(repository):
        kind = git(repository, "cat-file", "-t", name).strip()
        content = git(repository, "cat-file", kind.decode(), name)
        assert objects.read(name.encode()) == (kind, content)


def test_single_objects_are_read(repository: Path, objects: Objects) -> None:
    assert_all_are_read(objects, repository)


@pytest.mark.parametrize(
    ("base", "index"),
    [
        ("--delta-base-offset", "2"),
        ("--no-delta-base-offset", "2"),
        ("--delta-base-offset", "2,300"),  # from there on as if the pack were too large for 32 bits
    ],
)
def test_packed_objects_are_read(repository: Path, objects: Objects, base: str, index: str) -> None:
    names = "\n".join(names_of(repository)).encode()
    pack = git(repository, "pack-objects", "-q", base, "--stdout", content=names)
    folder = repository / "bare"
    git(repository, "init", "-q", "--bare", str(folder))
    git(folder, "index-pack", f"--index-version={index}", "--stdin", content=pack)
    assert b"chain length" in git(folder, "verify-pack", "-v", *map(str, folder.glob("objects/pack/*.idx")))
    objects.use([folder / "objects"])
    assert_all_are_read(objects, repository)
    objects.rest()
    assert_all_are_read(objects, repository)


@pytest.mark.parametrize("packed", [False, True])
def test_long_objects_are_not_copied_by_the_kernel_in_one_go(
    repository: Path,
    objects: Objects,
    monkeypatch: pytest.MonkeyPatch,
    packed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Who answers on the same processor would wait for that."""
    content = Random(1).randbytes(3 * PIECE)
    (repository / "long").write_bytes(content)
    git(repository, "add", "long")
    git(repository, "commit", "-q", "-m", "a long one")
    if packed:
        git(repository, "repack", "-adq")
    name = git(repository, "rev-parse", "HEAD:long").strip()
    read: list[int] = []
    pread = os.pread

    def counted(descriptor: int, length: int, offset: int) -> bytes:
        octets = pread(descriptor, length, offset)
        read.append(len(octets))
        return octets

    monkeypatch.setattr("os.pread", counted)
    assert objects.read(name) == (b"blob", content)
    assert len(read) > 1
    assert max(read) <= PIECE


def test_a_long_object_may_be_packed_in_more_octets_than_it_needs(tmp_path: Path) -> None:
    """As by those who pack it in parts, of which they can use some again."""
    content = Random(1).randbytes(5 * READ_AHEAD)
    packer = zlib.compressobj()
    pieces = (content[at : at + 100] for at in range(0, len(content), 100))
    packed = b"".join(packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for piece in pieces)
    path = tmp_path / "packed"
    path.write_bytes(packed + packer.flush() + b"what follows in the pack")
    with path.open("rb") as file:
        octets = file.read(READ_AHEAD)
        assert inflated(octets, 0, len(content), file.fileno(), 0) == content


@pytest.mark.parametrize(("size", "cut"), [(-1, 0), (1, 0), (0, 1), (0, READ_AHEAD)])
def test_a_long_object_that_is_not_whole_is_not_taken_for_a_good_one(
    tmp_path: Path, size: int, cut: int
) -> None:
    content = Random(1).randbytes(5 * READ_AHEAD)
    packed = zlib.compress(content)
    path = tmp_path / "packed"
    path.write_bytes(packed[: len(packed) - cut])
    with path.open("rb") as file, pytest.raises((ValueError, zlib.error), match=r"another size|incomplete"):
        inflated(packed[:READ_AHEAD], 0, len(content) + size, file.fileno(), 0)


def test_no_more_is_unpacked_than_the_header_says(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(2**26))
    path = tmp_path / "packed"
    path.write_bytes(bomb)
    tracemalloc.start()
    with path.open("rb") as file, pytest.raises(ValueError, match="another size"):
        inflated(bomb[:READ_AHEAD], 0, 8000, file.fileno(), 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_a_pack_that_comes_later_is_found(repository: Path, objects: Objects) -> None:
    names = names_of(repository)
    git(repository, "repack", "-adq")
    git(repository, "prune-packed")
    assert all(objects.read(name.encode()) is not None for name in names)


def test_a_pack_that_is_replaced_meanwhile_does_no_harm(repository: Path, objects: Objects) -> None:
    names = names_of(repository)
    git(repository, "repack", "-adq")
    assert objects.read(names[0].encode()) is not None
    (repository / "more").write_bytes(b"more")
    git(repository, "add", "more")
    git(repository, "commit", "-q", "-m", "one more")
    git(repository, "repack", "-adfq")
    assert all(objects.read(name.encode()) is not None for name in names_of(repository))


def test_what_is_not_there_is_not_found(objects: Objects) -> None:
    assert objects.read(b"0" * 40) is None
    assert objects.read(b"0" * 64) is None


@pytest.mark.parametrize("packed", [False, True])
def test_too_large_a_file_is_refused_by_its_size_alone(
    repository: Path,
    objects: Objects,
    packed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    (repository / "zeros").write_bytes(bytes(LARGEST + 1))
    name = git(repository, "hash-object", "-w", "zeros").strip()
    git(repository, "add", "zeros")
    if packed:
        git(repository, "commit", "-q", "-m", "zeros")
        git(repository, "repack", "-adq")
    with pytest.raises(FileTooLarge, match=str(LARGEST + 1)):
        objects.read(name)


def test_a_small_difference_to_a_large_file_is_refused_too(repository: Path, objects: Objects) -> None:
    """The difference says itself how large what it makes is."""
    random = Random(1).randbytes(LARGEST // 2)
    for number in (1, 2):
        (repository / "twice").write_bytes(random * number + random)
        git(repository, "add", "twice")
        git(repository, "commit", "-q", "-m", "twice")
    git(repository, "repack", "-adfq", "--window=250")
    with pytest.raises(FileTooLarge):
        objects.read(git(repository, "rev-parse", "HEAD:twice").strip())


def test_a_damaged_object_is_not_taken_for_a_good_one(repository: Path, objects: Objects) -> None:
    name = git(repository, "rev-parse", "HEAD:file16").strip().decode()
    path = repository / ".git/objects" / name[:2] / name[2:]
    path.chmod(0o644)
    path.write_bytes(zlib.compress(b"blob 5\0four"))
    with pytest.raises(ValueError, match="another size"):
        objects.read(name.encode())
