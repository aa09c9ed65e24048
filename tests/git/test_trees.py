"""Paths inside a commit: what can be read, what never can, and what writing leaves as it was."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

import pytest
from dulwich.object_store import MemoryObjectStore
from dulwich.objects import Blob, ObjectID, Tree
from hypothesis import given
from hypothesis import strategies as st

from oakroot.git.entries import Folder, difference
from oakroot.git.errors import PathRefused
from oakroot.git.trees import Files, find_file, normalised, replace_files

REGULAR, PROGRAM, LINK, SUBMODULE, FOLDER = 0o100644, 0o100755, 0o120000, 0o160000, 0o040000
Entry = tuple[int, bytes | dict[str, "Entry"]]


class World:
    """Trees in memory."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._store = MemoryObjectStore()
        self.root = self._add(entries)

    def _add(self, entries: Mapping[str, Entry]) -> ObjectID:
        tree = Tree()
        for name, (mode, content) in entries.items():
            tree.add(name.encode("utf-8", "surrogateescape"), mode, self._content(mode, content))
        self._store.add_object(tree)
        return tree.id

    def _content(self, mode: int, content: bytes | dict[str, Entry]) -> ObjectID:
        if isinstance(content, dict):
            return self._add(content)
        if mode == SUBMODULE:
            return ObjectID(content)
        blob = Blob.from_string(content)
        self._store.add_object(blob)
        return blob.id

    def tree(self, name: ObjectID) -> Tree:
        found = self._store[name]
        assert isinstance(found, Tree)
        return found

    def read(self, path: str) -> bytes:
        found = self._store[find_file(self.tree, self.root, path)]
        assert isinstance(found, Blob)
        return found.data

    def files(self) -> Files:
        return Files.listed(self.tree, self.root, self.tree(self.root).as_raw_string())

    def write(self, changes: Mapping[str, bytes]) -> World:
        world = World({})
        world._store = self._store
        world.root, made, _ = replace_files(self.tree, self.root, changes)
        for item in made:
            self._store.add_object(item)
        return world


@pytest.fixture
def world() -> World:
    return World(
        {
            "example.org": (REGULAR, b"zone"),
            "run": (PROGRAM, b"#!"),
            "link": (LINK, b"/etc/passwd"),
            "linked": (LINK, b"example.org"),
            "module": (SUBMODULE, b"1" * 40),
            "sub": (FOLDER, {"part": (REGULAR, b"part"), "deep": (FOLDER, {"x": (REGULAR, b"x")})}),
            "zönen": (REGULAR, b"utf-8"),
            "latin\udce4": (REGULAR, b"latin-1"),
            "new\nline": (REGULAR, b"odd"),
        }
    )


def test_regular_files_are_listed_and_the_rest_is_explained(world: World) -> None:
    files = world.files()
    assert set(files) == {"example.org", "run", "zönen", "new\nline"}
    assert len(files) == 4
    assert set(files.left_out) == {"link", "linked", "module", r"latin\xe4"}
    assert "symbolic link" in files.left_out["link"]
    assert "submodule" in files.left_out["module"]
    assert "UTF-8" in files.left_out[r"latin\xe4"]


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"example.org": b"new"}, {"example.org"}),
        ({"sub/part": b"new", "run": b"new"}, {"sub", "run"}),
        ({"another": b"zone"}, None),
        ({}, set()),
    ],
)
def test_what_differs_tells_the_files_of_another_commit(
    world: World, changes: dict[str, bytes], changed: set[str] | None
) -> None:
    later = world.write(changes)
    octets = [each.tree(each.root).as_raw_string() for each in (world, later)]
    files = world.files().after(later.root, difference(*map(Folder, octets)))
    assert files is not None
    assert dict(files) == dict(later.files())
    assert files.left_out == later.files().left_out
    assert files.changed == changed
    assert all(files[path] == Blob.from_string(text).id.decode() for path, text in changes.items())


def test_a_link_that_comes_or_goes_is_not_told_by_what_differs(world: World) -> None:
    other = World({"example.org": (REGULAR, b"zone")})
    octets = [each.tree(each.root).as_raw_string() for each in (world, other)]
    assert world.files().after(other.root, difference(*map(Folder, octets))) is None


def test_files_further_down_are_found_by_path(world: World) -> None:
    files = world.files()
    assert files["sub/part"] == Blob.from_string(b"part").id.decode()
    assert "sub/deep/x" in files
    for absent in ("sub", "sub/none", "link", "module/x", "../example.org", "/example.org", ""):
        assert absent not in files


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("example.org", b"zone"),
        ("./example.org", b"zone"),
        ("sub/part", b"part"),
        ("sub//part", b"part"),
        ("sub/./deep/../part", b"part"),
        ("sub/../example.org", b"zone"),
        ("none/../example.org", b"zone"),
        ("sub/deep/x", b"x"),
        ("zönen", b"utf-8"),
    ],
)
def test_paths_are_resolved_inside_the_tree(world: World, path: str, content: bytes) -> None:
    assert world.read(path) == content


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../../etc/passwd", "leaves the repository"),
        ("..", "leaves the repository"),
        ("sub/../../etc/passwd", "leaves the repository"),
        ("sub/../..", "leaves the repository"),
        ("/etc/passwd", "absolute"),
        ("//etc/passwd", "absolute"),
        ("link", "symbolic link"),
        ("linked", "symbolic link"),
        ("link/x", "symbolic link"),
        ("module", "submodule"),
        ("module/x", "submodule"),
        ("sub", "a folder"),
        ("sub/", "a folder"),
        (".", "root folder"),
        ("sub/..", "root folder"),
        ("none", "does not exist"),
        ("sub/none", "does not exist"),
        ("example.org/x", "is a file"),
        ("", "no path"),
        ("a\0b", "no path"),
        ("x" * 5000, "no path"),
        ("\ud800", "no path"),
    ],
)
def test_every_other_path_is_refused_with_its_reason(world: World, path: str, reason: str) -> None:
    with pytest.raises(PathRefused, match=reason) as caught:
        world.read(path)
    assert str(caught.value).isprintable()


@given(st.text(st.sampled_from("ab./"), max_size=20))
def test_no_path_leads_out_of_the_tree(path: str) -> None:
    try:
        parts = normalised(path)
    except PathRefused:
        return
    assert not set(parts) & {"", ".", ".."}
    # The standard library's idea of the same path, below a root it cannot leave unnoticed.
    assert posixpath.normpath(f"/top/{path}") == posixpath.join("/top", *parts)


def test_writing_keeps_modes_and_everything_else(world: World) -> None:
    after = world.write({"run": b"#!new", "sub/part": b"new", "brand/new": b"new", "example.net": b"new"})
    for path, content in [
        ("run", b"#!new"),
        ("sub/part", b"new"),
        ("brand/new", b"new"),
        ("example.net", b"new"),
        ("sub/deep/x", b"x"),
        ("example.org", b"zone"),
    ]:
        assert after.read(path) == content
    root = after.tree(after.root)
    assert root[b"run"][0] == PROGRAM
    assert root[b"example.net"][0] == REGULAR
    assert root[b"link"] == world.tree(world.root)[b"link"]
    assert root[b"latin\xe4"] == world.tree(world.root)[b"latin\xe4"]


def test_writing_what_is_there_changes_nothing(world: World) -> None:
    root, made, _ = replace_files(world.tree, world.root, {"example.org": b"zone", "sub/part": b"part"})
    assert root == world.root
    assert made == []


def test_only_what_is_new_is_made(world: World) -> None:
    _root, made, _ = replace_files(world.tree, world.root, {"sub/part": b"new"})
    assert sorted(item.type_name for item in made) == [b"blob", b"tree", b"tree"]


def test_of_a_file_it_is_told_which_one_it_replaces(world: World) -> None:
    before = find_file(world.tree, world.root, "sub/part")
    _, made, formers = replace_files(world.tree, world.root, {"sub/part": b"new", "another": b"file"})
    assert formers == {item.id: before for item in made if item.as_raw_string() == b"new"}


@pytest.mark.parametrize(
    "path",
    ["../x", "/x", "link", "link/x", "module", "sub", "sub/", "example.org/x", "", "."],
)
def test_nothing_but_regular_files_is_written(world: World, path: str) -> None:
    with pytest.raises(PathRefused):
        world.write({path: b"new"})


names = st.sampled_from(["a", "b", "c", "a/x", "b/y", "b/y/z", "d.e"])


@given(
    first=st.dictionaries(names, st.binary(max_size=4)), second=st.dictionaries(names, st.binary(max_size=4))
)
def test_what_was_written_is_read(first: dict[str, bytes], second: dict[str, bytes]) -> None:
    try:
        world = World({}).write(first).write(second)
    except PathRefused:
        return  # "a" and "a/x" cannot both be files
    for path, content in {**first, **second}.items():
        assert world.read(path) == content
