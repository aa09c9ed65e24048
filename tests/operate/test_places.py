"""Where settings stand in a TOML text, however it is written."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.operate.places import Place, find_places


def marked(text: str, place: Place) -> str:
    """The piece of the text."""
    return text.split("\n")[place.line - 1][place.column - 1 : place.end_column - 1]


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("[a]\nb = 1", "b", "1"),
        ("[a]\n  b='x' # b = 2", "b", "'x'"),
        ('[ "a" ]\n"b" = "]#"', '"b"', '"]#"'),
        ("a.b = true\n", "a.b", "true"),
        ("a = { b = 1 }", None, None),
        ('[z]\nt = """\n[a]\nb = 2\n"""\n[a]\nb = 3', "b", "3"),
        ("[z]\nt = '''b\n[a]\n'''\n[a]\nb = 3", "b", "3"),
        ('[z]\nt = """""x\\""""""\n[a]\nb = 3', "b", "3"),
        ("[a]\r\nc = [1,\r\n [2]]\r\nb = 1979-05-27 07:32:00\r\n", "b", "1979-05-27 07:32:00"),
    ],
)
def test_a_key_and_its_value_are_found(text: str, key: str | None, value: str | None) -> None:
    assert "b" in tomllib.loads(text)["a"]
    entries = find_places(text)
    if key is None or value is None:
        assert ("a",) in entries
        return
    entry = entries["a", "b"]
    assert (marked(text, entry.key), marked(text, entry.value)) == (key, value)


def test_the_items_of_an_array_have_places_of_their_own() -> None:
    text = "[a]\nb = [ # all\n  'x', 'y,z',\n  # 'none'\n  'w',\n]\n"
    assert [marked(text, item) for item in find_places(text)["a", "b"].items] == ["'x'", "'y,z'", "'w'"]


NAMES = st.text("ab-_1", min_size=1, max_size=4)
VALUES = st.sampled_from(["1", "'# ['", '"\\"]"', "[1, [2], 'x']", '"""\n[t]\na = 1\n"""', "{a = 1}", "0x1F"])


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=4), max_size=4))
def test_every_setting_of_a_text_is_found(tables: dict[str, dict[str, str]]) -> None:
    lines = []
    for table, settings in tables.items():
        lines += [f"[{table}]", *(f"{key} = {value} # {key}" for key, value in settings.items())]
    text = "\n".join(lines)
    entries = find_places(text)
    wanted = {(table, key) for table, settings in tables.items() for key in settings}
    assert {path for path in entries if len(path) == 2} == wanted
    assert all(marked(text, entries[path].key) == path[1] for path in wanted)
