"""The same octets anywhere: reprotest varies the machine, diffoscope names what differs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.images.fake_inputs import fill, made_of

BUILD = (
    "from pathlib import Path; from tests.images.fake_inputs import made_of; "
    "made_of(Path('inputs')).write(Path('out'))"
)


def test_nothing_that_reprotest_varies_matters(
    tmp_path: Path, project_root: Path, require: Callable[[str], str]
) -> None:
    fill(tmp_path / "source" / "inputs")
    places = f"PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={project_root}:{project_root / 'src'}"
    left_out = ["user_group"] + ["fileordering", "domain_host"] * (os.geteuid() != 0)
    command = [
        require("reprotest"),
        *(f"--vary=-{each}" for each in left_out),
        f'--build-command={places} {sys.executable} -c "{BUILD}"',
        str(tmp_path / "source"),
        "out/SHA256SUMS out/initramfs out/oci/index.json",
    ]
    for helper in ("faketime", "disorderfs"):
        require(helper)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Reproduction successful" in done.stdout + done.stderr


def test_diffoscope_names_the_one_file_that_one_octet_touched(
    tmp_path: Path, require: Callable[[str], str]
) -> None:
    for name, server in (("one", b"serve(1)\n"), ("other", b"serve(2)\n")):
        fill(tmp_path / name, server)
        (tmp_path / f"{name}.cpio.gz").write_bytes(made_of(tmp_path / name).outputs["initramfs"])
    files = [str(tmp_path / f"{name}.cpio.gz") for name in ("one", "other")]
    done = subprocess.run([require("diffoscope"), "--json=-", *files], capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    assert list(touched(json.loads(done.stdout))) == ["oakroot/__init__.py"]


def touched(difference: Mapping[str, Any]) -> Iterator[str]:
    """The innermost files that diffoscope found to differ; an archive's directory (zipinfo) is none."""
    inner = difference.get("details") or []
    if not inner and not difference["source1"].startswith("zipinfo"):
        yield difference["source1"]
    for each in inner:
        yield from touched(each)
