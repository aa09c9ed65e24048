"""A git:// server that sends whatever it likes: packs cut short, lies about objects, plain noise."""

from __future__ import annotations

import hashlib
import socket
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oakroot.git import connections
from oakroot.git.connections import Timeouts
from oakroot.git.credentials import Credentials
from oakroot.git.errors import GitError, RemoteUnreachable, RepositoryBroken
from oakroot.git.remote import parse_remote
from oakroot.git.repository import RemoteRepository
from tests.peers.broken_git import Listener, saying
from tests.peers.ports import LOOPBACK

COMMIT, TREE, BLOB = 1, 2, 3
NAMES = {COMMIT: "commit", TREE: "tree", BLOB: "blob"}
PERSON = b"Bob <bob@example.org> 1795300000 +0000"


def identify(kind: int, content: bytes) -> bytes:
    return hashlib.sha1(b"%s %d\0" % (NAMES[kind].encode(), len(content)) + content).hexdigest().encode()  # noqa: S324


def packed(kind: int, content: bytes) -> bytes:
    size = len(content)
    octets = [(kind << 4) | (size & 15)]
    size >>= 4
    while size:
        octets[-1] |= 0x80
        octets.append(size & 0x7F)
        size >>= 7
    return bytes(octets) + zlib.compress(content)


def pack(*objects: tuple[int, bytes], count: int | None = None) -> bytes:
    body = b"PACK" + struct.pack(">LL", 2, len(objects) if count is None else count)
    body += b"".join(packed(kind, content) for kind, content in objects)
    return body + hashlib.sha1(body).digest()  # noqa: S324


def line(text: bytes) -> bytes:
    return b"%04x" % (len(text) + 4) + text


def answer(commit: bytes, octets: bytes) -> bytes:
    """The old protocol without side band: refs, NAK, and the pack to the end of the stream."""
    head = line(commit + b" HEAD\0symref=HEAD:refs/heads/main ofs-delta\n")
    return head + line(commit + b" refs/heads/main\n") + b"0000" + line(b"NAK\n") + octets


BLOB_CONTENT = b"zone"
TREE_CONTENT = b"100644 example.org\0" + bytes.fromhex(identify(BLOB, BLOB_CONTENT).decode())


def commit_on(tree: bytes) -> bytes:
    return b"tree %s\nauthor %s\ncommitter %s\n\nx\n" % (tree, PERSON, PERSON)


COMMIT_CONTENT = commit_on(identify(TREE, TREE_CONTENT))
TIP = identify(COMMIT, COMMIT_CONTENT)
WHOLE = pack((COMMIT, COMMIT_CONTENT), (TREE, TREE_CONTENT), (BLOB, BLOB_CONTENT))


def fetch_from(octets: bytes, directory: Path | None = None) -> bytes:
    with saying(octets) as server:
        remote = parse_remote(f"git://{LOOPBACK}:{server.port}/zones")
        with RemoteRepository(remote, Credentials(), directory=directory) as copy:
            return copy.read(copy.fetch(), "example.org")


def test_the_scripted_server_is_understood_when_it_is_honest() -> None:
    """Else the tests below would prove nothing."""
    assert fetch_from(answer(TIP, WHOLE)) == BLOB_CONTENT


@pytest.mark.parametrize("length", [1, 11, 12, 13, len(WHOLE) // 2, len(WHOLE) - 20, len(WHOLE) - 1])
def test_a_truncated_pack_is_refused(length: int) -> None:
    with pytest.raises(RepositoryBroken, match="git fsck"):
        fetch_from(answer(TIP, WHOLE[:length]))


LYING = {
    "no pack at all": (TIP, b""),
    "an empty pack": (TIP, pack()),
    "a wrong checksum": (TIP, WHOLE[:-1] + bytes([WHOLE[-1] ^ 1])),
    "rubbish behind the pack": (TIP, WHOLE + b"more"),
    "more objects promised": (TIP, pack((COMMIT, COMMIT_CONTENT), count=1_000_000)),
    "fewer objects promised": (TIP, pack((COMMIT, COMMIT_CONTENT), (BLOB, BLOB_CONTENT), count=1)),
    "the tree is missing": (TIP, pack((COMMIT, COMMIT_CONTENT), (BLOB, BLOB_CONTENT))),
    "the file is missing": (TIP, pack((COMMIT, COMMIT_CONTENT), (TREE, TREE_CONTENT))),
    "the commit is a file": (identify(BLOB, BLOB_CONTENT), pack((BLOB, BLOB_CONTENT))),
    "the tree is a file": (
        identify(COMMIT, commit_on(identify(BLOB, BLOB_CONTENT))),
        pack((COMMIT, commit_on(identify(BLOB, BLOB_CONTENT))), (BLOB, BLOB_CONTENT)),
    ),
    "a commit of nothing": (identify(COMMIT, b""), pack((COMMIT, b""))),
    "a commit without author": (
        identify(COMMIT, b"tree %s\n\nx" % identify(TREE, TREE_CONTENT)),
        pack((COMMIT, b"tree %s\n\nx" % identify(TREE, TREE_CONTENT)), (TREE, TREE_CONTENT)),
    ),
    "a tree of noise": (
        identify(COMMIT, commit_on(identify(TREE, b"noise"))),
        pack((COMMIT, commit_on(identify(TREE, b"noise"))), (TREE, b"noise")),
    ),
    "an unknown kind of object": (TIP, pack((COMMIT, COMMIT_CONTENT)).replace(b"PACK", b"KCAP")),
    "a delta on nothing": (TIP, pack((7, b"\0" * 40))),
    "an id that is none": (b"x" * 40, WHOLE),
    "an id of another kind": (b"a" * 64, WHOLE),
}


@pytest.mark.parametrize("lie", LYING)
def test_a_lie_about_objects_is_found_out(lie: str, tmp_path: Path) -> None:
    commit, octets = LYING[lie]
    with pytest.raises(GitError) as caught:
        fetch_from(answer(commit, octets), tmp_path)
    assert not isinstance(caught.value, RemoteUnreachable) or not octets
    assert not list(tmp_path.rglob("tmp*"))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\0" * 5000,
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"0000",
        b"0004",
        b"ffff" + b"x" * 70000,
        b"-001",
        line(b"version 2\n"),
        line(b"version 2\n") + b"0000",
        line(b"version 2\n") + line(b"ls-refs=unborn\n") + b"0000" + line(b"junk\n") + b"0000",
        line(b"ERR \x1b[2J you\nshall not pass"),
        line(TIP + b" HEAD"),
        line(b"HEAD\0\n") + b"0000",
    ],
)
def test_noise_in_place_of_git_is_reported_in_one_printable_line(octets: bytes) -> None:
    with pytest.raises(GitError) as caught:
        fetch_from(octets)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1500


@settings(max_examples=60)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=100).map(lambda noise: answer(TIP, noise))))
def test_any_octets_end_in_one_of_our_errors(octets: bytes) -> None:
    with pytest.raises(GitError):
        fetch_from(octets)


@settings(max_examples=60)
@given(at=st.integers(0, len(WHOLE) - 1), octet=st.integers(1, 255))
def test_one_wrong_octet_in_a_pack_is_found(at: int, octet: int) -> None:
    damaged = WHOLE[:at] + bytes([WHOLE[at] ^ octet]) + WHOLE[at + 1 :]
    with pytest.raises(GitError):
        fetch_from(answer(TIP, damaged))


def chattering(piece: bytes) -> Listener:
    """A server that never comes to an end."""

    def talk(stream: socket.socket) -> None:
        stream.recv(65536)
        stream.sendall(line(TIP + b" HEAD\0ofs-delta\n"))
        while True:
            stream.sendall(piece)

    return Listener(talk)


def test_refs_without_end_are_refused_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "OCTETS_OF_REFS", 100_000)
    with chattering(line(TIP + b" refs/heads/main\n") * 100) as server:
        remote = parse_remote(f"git://{LOOPBACK}:{server.port}/zones")
        with (
            RemoteRepository(remote, Credentials()) as copy,
            pytest.raises(RepositoryBroken, match="branches"),
        ):
            copy.fetch()


def test_a_server_that_neither_stalls_nor_ends_is_left_in_time() -> None:
    with chattering(line(TIP + b" refs/heads/main\n")) as server:
        remote = parse_remote(f"git://{LOOPBACK}:{server.port}/zones")
        timeouts = Timeouts(whole=0.2)
        with (
            RemoteRepository(remote, Credentials(), timeouts=timeouts) as copy,
            pytest.raises(RemoteUnreachable, match="too slow"),
        ):
            copy.fetch()
