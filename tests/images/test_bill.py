"""The bill of materials, as SPDX's own tools judge it."""

from __future__ import annotations

from pathlib import Path

import pytest
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from oakroot.images.contents import Role
from oakroot.images.lock import Input, Kind
from tests.images.fake_inputs import fill, made_of


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    fill(tmp_path / "inputs")
    file = tmp_path / "sbom.spdx.json"
    file.write_bytes(made_of(tmp_path / "inputs", Role.PRIMARY).outputs["sbom.spdx.json"])
    return file


def complaints(file: Path) -> list[str]:
    """What the validator of SPDX has against it."""
    return [each.validation_message for each in validate_full_spdx_document(parse_file(str(file)))]


def test_the_bill_is_valid(bill: Path) -> None:
    assert complaints(bill) == []


def test_the_validator_would_see_a_bill_that_is_not(bill: Path) -> None:
    text = bill.read_text().replace(
        '"relatedSpdxElement": "SPDXRef-wheel', '"relatedSpdxElement": "SPDXRef-no'
    )
    bill.write_text(text)
    assert complaints(bill)


def test_a_version_is_written_as_package_urls_want_it() -> None:
    zlib = Input(Kind.PACKAGE, "zlib1g", "1:1.2.13.dfsg-1+b1~1", "zlib1g.deb", "0" * 64)
    assert zlib.purl == "pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1%2Bb1~1"
