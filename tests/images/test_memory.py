"""What a machine does to get by with little memory: files move to another root, pages are swapped."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from oakroot.images.memory import in_use, move, swap_header


def test_all_files_move_with_their_rights_and_none_is_left(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old / "usr" / "lib", old / "run", new):
        folder.mkdir(parents=True)
    (old / "usr" / "lib" / "library").write_bytes(b"library" * 400_000)
    (old / "usr" / "lib" / "library").chmod(0o755)
    (old / "usr" / "program").write_bytes(b"program" * 500_000)
    (old / "usr" / "empty").touch()
    (old / "usr" / "packed.so.gz").write_bytes(gzip.compress(b"packed" * 900_000))
    (old / "usr" / "link").symlink_to("lib/library")
    (old / "run" / "mounted").touch()
    (old / "run").chmod(0o711)
    move(str(old), str(new), frozenset({str(old / "usr" / "program")}), frozenset({"run"}))
    assert (new / "usr" / "link").read_bytes() == b"library" * 400_000
    assert (new / "usr" / "program").read_bytes() == b"program" * 500_000
    assert (new / "usr" / "packed.so").read_bytes() == b"packed" * 900_000
    assert (new / "usr" / "empty").read_bytes() == b""
    assert os.access(new / "usr" / "lib" / "library", os.X_OK)
    assert (new / "run").stat().st_mode & 0o777 == 0o711
    assert [str(each.relative_to(old)) for each in old.rglob("*") if not each.is_dir()] == ["run/mounted"]
    assert list((new / "run").iterdir()) == []


def test_a_file_in_use_is_not_cut_off(tmp_path: Path) -> None:
    for folder in ("old", "new"):
        (tmp_path / folder).mkdir()
    for name in ("program", "data"):
        (tmp_path / "old" / name).write_bytes(b"1" * 5000)
    with (tmp_path / "old" / "program").open("rb") as program, (tmp_path / "old" / "data").open("rb") as data:
        used = frozenset({str(tmp_path / "old" / "program")})
        move(str(tmp_path / "old"), str(tmp_path / "new"), used)
        assert program.read() == b"1" * 5000
        assert data.read() == b""


def test_what_runs_python_is_in_use() -> None:
    assert os.path.realpath(sys.executable) in in_use()


def test_a_swap_space_begins_as_mkswap_would_have_it(tmp_path: Path, require: Callable[[str], str]) -> None:
    pages = 64
    file = tmp_path / "swap"
    file.write_bytes(bytes(pages * 4096))
    file.chmod(0o600)
    subprocess.run([require("mkswap"), "--uuid", "clear", file], check=True, capture_output=True)
    assert file.read_bytes()[:4096] == swap_header(pages)
