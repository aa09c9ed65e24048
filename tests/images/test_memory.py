"""What a machine does to get by with little memory: files move to another root, pages are swapped."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from oakroot.images.memory import move, swap_header


def test_all_files_move_with_their_rights_and_none_is_left(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old / "usr" / "lib", old / "run", new):
        folder.mkdir(parents=True)
    (old / "usr" / "lib" / "library").write_bytes(b"library" * 10_000)
    (old / "usr" / "lib" / "library").chmod(0o755)
    (old / "usr" / "link").symlink_to("lib/library")
    (old / "run" / "mounted").touch()
    (old / "run").chmod(0o711)
    move(str(old), str(new), frozenset({"run"}))
    assert (new / "usr" / "link").read_bytes() == b"library" * 10_000
    assert os.access(new / "usr" / "lib" / "library", os.X_OK)
    assert (new / "run").stat().st_mode & 0o777 == 0o711
    assert [str(each.relative_to(old)) for each in old.rglob("*") if not each.is_dir()] == ["run/mounted"]
    assert list((new / "run").iterdir()) == []


def test_a_swap_space_begins_as_mkswap_would_have_it(tmp_path: Path, require: Callable[[str], str]) -> None:
    pages = 64
    file = tmp_path / "swap"
    file.write_bytes(bytes(pages * 4096))
    file.chmod(0o600)
    subprocess.run([require("mkswap"), "--uuid", "clear", file], check=True, capture_output=True)
    assert file.read_bytes()[:4096] == swap_header(pages)
