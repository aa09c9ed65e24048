"""What an image is recorded as: only what belongs to it, and each part as what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from oakroot.images.record import record_of
from oakroot.images.rejected import ImageError
from tests.images.fake_inputs import fill, made_of


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """Those of an honest image."""
    inputs = tmp_path_factory.mktemp("inputs")
    fill(inputs)
    return made_of(inputs).outputs


def layer_of(files: Mapping[str, bytes]) -> str:
    """Where the layer of the OCI image lies."""
    manifest = json.loads(files["oci/index.json"])["manifests"][0]["digest"].removeprefix("sha256:")
    described = json.loads(files[f"oci/blobs/sha256/{manifest}"])
    return f"oci/blobs/sha256/{described['layers'][0]['digest'].removeprefix('sha256:')}"


@pytest.mark.parametrize("part", ["layer", "config", "manifest"])
def test_a_file_with_the_name_of_a_part_does_not_stand_for_it(files: Mapping[str, bytes], part: str) -> None:
    with pytest.raises(ImageError, match=f"no part of it: oci/{part}$"):
        record_of({**files, f"oci/{part}": b"what an honest builder has made"})


def test_a_file_that_belongs_to_no_output_is_refused(files: Mapping[str, bytes]) -> None:
    other = f"oci/blobs/sha256/{'0' * 64}"
    with pytest.raises(ImageError, match=f"no part of it: {other}, startup.sh$"):
        record_of({**files, "startup.sh": b"", other: b""})


def test_a_blob_that_is_not_what_its_name_says_is_refused(files: Mapping[str, bytes]) -> None:
    with pytest.raises(ImageError, match=f"{layer_of(files)} has another hash than its name"):
        record_of({**files, layer_of(files): b"another layer"})


def test_a_blob_that_is_missing_is_named(files: Mapping[str, bytes]) -> None:
    layer = layer_of(files)
    with pytest.raises(ImageError, match=f"no whole image: it has no '{layer}'"):
        record_of({path: content for path, content in files.items() if path != layer})


@pytest.mark.parametrize("index", [b'{"manifests": []}', b'{"manifests": [{"digest": 1}]}', b"[" * 100_000])
def test_an_index_that_is_none_is_a_broken_image(files: Mapping[str, bytes], index: bytes) -> None:
    with pytest.raises(ImageError, match="this image is broken"):
        record_of({**files, "oci/index.json": index})
