"""Long files as zlib streams put together of parts, which git reads as any other."""

from __future__ import annotations

import zlib
from itertools import pairwise
from pathlib import Path

from dulwich.objects import Blob
from hypothesis import given
from hypothesis import strategies as st

from oakroot.git.deflating import SHORTEST_FILE, Deflater
from tests.peers.git_servers import BareRepository, git

LINES = [b"host%d A 192.0.2.1\n" % number for number in range(5000)]
LEVEL, NOT_AT_ALL = zlib.Z_BEST_SPEED, zlib.Z_NO_COMPRESSION


def blob(lines: list[bytes]) -> Blob:
    return Blob.from_string(b"".join(lines))


def test_git_reads_what_was_put_together_of_parts(tmp_path: Path) -> None:
    repository = BareRepository(tmp_path / "zones.git")
    lines = [*LINES]
    deflater, former = Deflater(), blob(lines)
    deflater.deflate(former, former.id, LEVEL)
    lines[2500:2600] = [b"another AAAA 2001:db8::1\n"]
    newer = blob(lines)
    name = newer.id.decode()
    path = repository.path / "objects" / name[:2] / name[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(deflater.deflate(newer, former.id, LEVEL))
    assert git("cat-file", "blob", name, cwd=repository.path).encode() == b"".join(lines).strip()
    git("fsck", "--strict", cwd=repository.path)


def is_reused(newer: Blob, former: Blob, deflater: Deflater) -> bool:
    """Whether most of it is as it was for the former version, which was not compressed at all."""
    return len(deflater.deflate(newer, former.id, LEVEL)) > 0.8 * newer.raw_length()


def test_of_a_long_file_only_what_changed_is_compressed() -> None:
    lines, deflater = [*LINES], Deflater()
    former = blob(lines)
    deflater.deflate(former, former.id, NOT_AT_ALL)
    for change in range(3):
        lines[1000 + change] = b"another line that is longer\n"
        del lines[3000]
        newer = blob(lines)
        assert is_reused(newer, former, deflater)
        former = newer


def test_what_is_added_bit_by_bit_is_compressed_together_in_the_end() -> None:
    lines, deflater = [*LINES], Deflater()
    former, stream = blob(lines), b""
    for number in range(500):
        lines.append(b"new%d TXT added\n" % number)
        newer = blob(lines)
        stream = deflater.deflate(newer, former.id, LEVEL)
        former = newer
    assert len(stream) < 1.2 * len(zlib.compress(former.as_raw_string(), LEVEL))


CHANGE = st.tuples(st.integers(0, len(LINES)), st.integers(0, 400), st.binary(max_size=2 * SHORTEST_FILE))


@given(st.lists(CHANGE, min_size=1, max_size=4))
def test_whatever_changes_the_stream_holds_the_object(changes: list[tuple[int, int, bytes]]) -> None:
    versions = [[*LINES]]
    for at, count, octets in changes:
        lines = [*versions[-1]]
        lines[at : at + count] = [octets]
        versions.append(lines)
    deflater = Deflater()
    for former, newer in pairwise(map(blob, versions)):
        stream = zlib.decompressobj()
        assert stream.decompress(deflater.deflate(newer, former.id, LEVEL)) == bytes(
            b"blob %d\0" % newer.raw_length() + newer.as_raw_string()
        )
        assert stream.eof
        assert stream.unused_data == b""


def test_what_is_kept_has_a_limit() -> None:
    files = [blob([b"file %d\n" % number, *LINES]) for number in range(4)]
    deflater = Deflater(octets_limit=3 * files[0].raw_length())
    for file in files:
        deflater.deflate(file, file.id, NOT_AT_ALL)
    assert [is_reused(blob([b"newer\n", *LINES]), file, deflater) for file in files] == [
        False,
        False,
        True,
        True,
    ]
