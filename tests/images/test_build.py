"""Images of a small set of inputs: the same octets anywhere, and refusal of what was not locked."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oakroot.images import cpio, verify
from oakroot.images.archive import flattened
from oakroot.images.build import build_all
from oakroot.images.contents import ARCHIVE, Role
from oakroot.images.inputs import InputFolder
from oakroot.images.lock import LOCK_NAME, Kind, Lock, read_lock
from oakroot.images.rejected import ImageError
from oakroot.images.toolchain import ThisPython
from oakroot.images.tree import File
from tests.images.fake_inputs import fill, made_of


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another umask, time zone and locale."""
    before = os.umask(0o077)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "C")
    time.tzset()
    yield
    os.umask(before)
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    fill(tmp_path / "inputs")
    return tmp_path / "inputs"


@pytest.mark.usefixtures("elsewhere")
def test_an_image_made_elsewhere_is_the_same(tmp_path: Path, inputs: Path) -> None:
    other = tmp_path / "a" / "longer path"
    fill(other)
    assert made_of(other).outputs == made_of(inputs).outputs


def test_an_image_holds_neither_shell_nor_tools(inputs: Path) -> None:
    files = dict(flattened(made_of(inputs).files))
    assert "usr/bin/python3.11" in files
    assert f"{ARCHIVE}/os.py" in files
    assert not {"usr/bin/ldd", f"{ARCHIVE}/pdb.py", "usr/lib/oakroot/oakroot/tests.txt"} & files.keys()


@pytest.mark.parametrize("role", list(Role))
def test_a_role_has_the_libraries_it_needs_and_no_others(inputs: Path, role: Role) -> None:
    files = dict(flattened(made_of(inputs, role).files))
    assert (f"{ARCHIVE}/dulwich/__init__.py" in files) == (role is Role.PRIMARY)
    init = files["init"]
    assert isinstance(init, File)
    assert f"main('{role}')".encode() in init.content


def test_an_initramfs_unpacks_to_what_was_put_in(inputs: Path) -> None:
    image = made_of(inputs)
    found = dict(cpio.read(gzip.decompress(image.outputs["initramfs"])))
    assert {path: entry for path, entry in found.items() if path in image.files} == image.files


def test_a_container_has_one_layer_that_its_descriptions_lead_to(inputs: Path) -> None:
    outputs = made_of(inputs).outputs

    def blob(digest: str) -> bytes:
        return outputs[f"oci/blobs/sha256/{digest.removeprefix('sha256:')}"]

    manifest = json.loads(blob(json.loads(outputs["oci/index.json"])["manifests"][0]["digest"]))
    config = json.loads(blob(manifest["config"]["digest"]))
    assert config["config"]["User"] == "65532:65532"
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob(manifest["layers"][0]["digest"])))) as layer:
        names = layer.getnames()
    assert "usr/bin/python3.11" in names
    assert "init" not in names


def test_the_bill_lists_every_input_with_its_hash(inputs: Path) -> None:
    lock = InputFolder(inputs).lock()
    bill = json.loads(made_of(inputs, Role.PRIMARY).outputs["sbom.spdx.json"])
    hashes = {
        package["checksums"][0]["checksumValue"] for package in bill["packages"] if "checksums" in package
    }
    assert hashes == {each.sha256 for each in lock.inputs}


def test_the_licences_of_wheels_stand_beside_those_of_packages(inputs: Path) -> None:
    text = made_of(inputs, Role.SECONDARY).outputs["copyright.txt"].decode()
    assert "==== libc6 1.0\nDo as you like.\n" in text
    assert "==== dnspython 1.0\nLicense-Expression: ISC\nYou may use dnspython.\n" in text
    assert "dulwich" not in text


def test_several_roles_made_together_are_what_each_is_alone(inputs: Path) -> None:
    folder = InputFolder(inputs)
    together = build_all(list(Role), folder.lock(), folder, lambda _text: None, lambda _tree: ThisPython())
    assert {each.role: each.outputs for each in together} == {
        role: made_of(inputs, role).outputs for role in Role
    }


def test_an_input_that_changed_is_refused_by_name(inputs: Path) -> None:
    (inputs / "libc6.debian").write_bytes(b"another")
    with pytest.raises(ImageError, match=r"libc6\.debian is not the one in the lock file"):
        made_of(inputs)


def test_an_input_that_is_missing_is_named(inputs: Path) -> None:
    (inputs / "dnspython.wheel").unlink()
    with pytest.raises(ImageError, match=r"dnspython\.wheel does not exist"):
        made_of(inputs)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting"),
        ('{"format": 2}', "format 2"),
        ('{"format": 1, "epoch": 1, "inputs": []}', "'commit' is missing"),
    ],
)
def test_a_broken_lock_file_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        read_lock(text)


@pytest.mark.parametrize(("field", "value"), [("sha256", "12"), ("file", "../shadow")])
def test_a_lock_leads_nowhere_but_to_hashed_files_of_its_folder(inputs: Path, field: str, value: str) -> None:
    lock = json.loads((inputs / LOCK_NAME).read_text())
    lock["inputs"][0][field] = value
    with pytest.raises(ImageError, match="lock file"):
        read_lock(json.dumps(lock))


def test_a_lock_reads_as_it_was_written(inputs: Path) -> None:
    lock = InputFolder(inputs).lock()
    assert read_lock(lock.text()).text() == lock.text()


def test_a_lock_without_a_package_is_refused(inputs: Path) -> None:
    lock = InputFolder(inputs).lock()
    rest = tuple(each for each in lock.inputs if each.name != "libssl3")
    with pytest.raises(ImageError, match="no debian input libssl3"):
        replace(lock, inputs=rest).find(Kind.PACKAGE, "libssl3")
    assert isinstance(lock, Lock)


def test_one_octet_changed_in_the_server_is_named_as_that_file(tmp_path: Path, inputs: Path) -> None:
    fill(tmp_path / "changed", server=b"serve(1)\n")
    found = list(verify.differences(made_of(inputs).outputs, made_of(tmp_path / "changed").outputs))
    assert [line for line in found if line.startswith("initramfs")] == [
        f"initramfs: {ARCHIVE}/oakroot/__init__.py: differs"
    ]


def test_an_image_as_written_is_what_its_list_of_hashes_says(tmp_path: Path, inputs: Path) -> None:
    made_of(inputs).write(tmp_path / "image")
    verify.check_sums(tmp_path / "image")
    assert verify.read_image(tmp_path / "image") == made_of(inputs).outputs


def test_a_corrupted_image_is_refused_naming_the_file(tmp_path: Path, inputs: Path) -> None:
    made_of(inputs).write(tmp_path / "image")
    (tmp_path / "image" / "initramfs").write_bytes(b"something else")
    with pytest.raises(ImageError, match=r"corrupted: .*initramfs"):
        verify.check_sums(tmp_path / "image")


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, inputs: Path) -> None:
    (tmp_path / "letters.txt").touch()
    with pytest.raises(ImageError, match="is not empty"):
        made_of(inputs).write(tmp_path)
