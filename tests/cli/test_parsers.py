"""Where words and options of a command may stand, and what is understood of them."""

from __future__ import annotations

import pytest

from oakroot.cli.main import understand
from oakroot.operate.options import ConfigError


@pytest.mark.parametrize(
    ("line", "argument", "values"),
    [
        ("check a --format json b", "paths", ["a", "b"]),
        ("log www.example.org --number 2 A", "type", "A"),
        ("blame www.example.org --repository . A", "type", "A"),
        ("show --at 1d www.example.org --repository . A", "type", "A"),
        ("update 192.0.2.1 --ttl 60 www.example.org 192.0.2.7", "words", ["www.example.org", "192.0.2.7"]),
        ("update 192.0.2.1 www.example.org --ttl 60 -- 192.0.2.7", "words", ["www.example.org", "192.0.2.7"]),
        ("persist audit a --account https://acme.example.org/1 b", "paths", ["a", "b"]),
        ("import axfr 192.0.2.1 a --out zones b", "zones", ["a.", "b."]),
        ("image build primary --out there secondary", "roles", ["primary", "secondary"]),
        ("image run there --net tap0 -- --listen 53", "words", ["--listen", "53"]),
    ],
)
def test_words_may_stand_between_options(line: str, argument: str, values: str | list[str]) -> None:
    found = getattr(understand(line.split(), {})[0], argument)
    assert (list(map(str, found)) if isinstance(found, list) else str(found)) == values


def test_what_serves_reads_its_options_again_by_the_same_parser() -> None:
    environment = {"OAKROOT_POLL": "60"}
    first, _ = understand(["primary", "--notify", "192.0.2.1"], environment)
    environment["OAKROOT_POLL"] = "5"
    for again in (first.read_again(), first.read_again()):
        assert again.notify == first.notify == ["192.0.2.1"]
        assert (first.poll, again.poll) == (60, 5)


def test_what_serves_is_told_of_wrong_usage_and_goes_on() -> None:
    environment = {"OAKROOT_KEY": "@/dev/null"}
    arguments, _ = understand(["secondary"], environment)
    environment.clear()
    with pytest.raises(ConfigError, match="required: --key"):
        arguments.read_again()


def test_an_option_of_a_verb_is_not_abbreviated(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        understand(["image", "build", "primary", "--ou", "there"], {})
    assert "--ou" in capsys.readouterr().err
