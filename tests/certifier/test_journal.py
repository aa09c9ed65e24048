"""What is remembered over a restart comes back, and a damaged file keeps nobody from starting."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.certifier.events import Place, Record, Remembered
from oakroot.certifier.journal import Journal

_TEXTS = st.text(max_size=20)
_RECORDS = st.builds(Record, st.builds(Place, _TEXTS, _TEXTS), _TEXTS)
_REMEMBERED = st.builds(Remembered, _TEXTS, st.lists(_RECORDS, max_size=3).map(tuple))


@given(st.dictionaries(_TEXTS, _REMEMBERED, max_size=4))
def test_what_is_remembered_comes_back(
    tmp_path_factory: pytest.TempPathFactory, remembered: dict[str, Remembered]
) -> None:
    journal = Journal.beside(tmp_path_factory.mktemp("journal") / "account.pem")
    journal.write(remembered)
    assert journal.read() == remembered


def test_without_a_file_nothing_is_remembered(tmp_path: Path) -> None:
    assert Journal.beside(tmp_path / "account.pem").read() == {}


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', '{"a": {"order": 1, "records": []}}', "\0"])
def test_a_damaged_file_is_told_of_and_counts_as_empty(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    (tmp_path / "account.pem.orders").write_text(content)
    with caplog.at_level(logging.ERROR):
        assert Journal.beside(tmp_path / "account.pem").read() == {}
    assert "is damaged" in caplog.text


def test_a_place_that_cannot_be_written_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Journal(tmp_path / "missing" / "file").write({"a": Remembered("https://ca.example/order/1")})
    assert "cannot be written: No such file or directory" in caplog.text
