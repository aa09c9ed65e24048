"""Where a setting comes from, which wins, and what is said when it cannot be used."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from oakroot.operate.config import Environment, Table
from oakroot.operate.options import ConfigError, Option, Options, Setting


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--remote", default="demo")
    parser.add_argument("--listen", action="append", default=["0.0.0.0:53"])
    parser.add_argument("--poll", type=int, default=0)
    parser.add_argument("--serial", choices=("increment", "manual"), default="increment")
    parser.add_argument("--allow-unsigned-transfer", action="store_true")
    parser.add_argument("--cookies", action=argparse.BooleanOptionalAction, default=True)
    return parser


def complete(
    arguments: Sequence[str],
    environment: Mapping[str, str] | None = None,
    table: Mapping[str, object] | None = None,
    parser: argparse.ArgumentParser | None = None,
) -> argparse.Namespace:
    parser = parser or make_parser()
    options = Options(parser)
    namespace = parser.parse_args(arguments)
    values = table or {}
    variables = Environment(environment or {})
    settings = Table(values, {key: f"oakroot.toml:2: {key}" for key in values})

    def find(option: Option) -> Setting | None:
        return variables.find(option) or settings.find(option)

    options.fill(namespace, find)
    return namespace


# --- precedence


def test_without_settings_the_default_holds() -> None:
    assert complete([]).remote == "demo"


def test_the_file_wins_over_the_default() -> None:
    assert complete([], table={"remote": "file"}).remote == "file"


def test_the_environment_wins_over_the_file() -> None:
    assert complete([], {"OAKROOT_REMOTE": "variable"}, {"remote": "file"}).remote == "variable"


def test_the_flag_wins_over_the_environment() -> None:
    assert complete(["--remote", "flag"], {"OAKROOT_REMOTE": "variable"}).remote == "flag"


def test_a_flag_that_repeats_the_default_still_wins() -> None:
    assert complete(["--remote", "demo"], {"OAKROOT_REMOTE": "variable"}).remote == "demo"


def test_flags_replace_the_list_of_the_environment() -> None:
    assert complete(["--listen", "::1"], {"OAKROOT_LISTEN": "127.0.0.1"}).listen == ["::1"]


def test_a_list_replaces_the_default_list() -> None:
    assert complete([], table={"listen": ["127.0.0.1", "::1"]}).listen == ["127.0.0.1", "::1"]


def test_a_switch_turned_off_in_the_environment_wins_over_the_file() -> None:
    namespace = complete([], {"OAKROOT_ALLOW_UNSIGNED_TRANSFER": "no"}, {"allow-unsigned-transfer": True})
    assert namespace.allow_unsigned_transfer is False


# --- values


def test_a_variable_holds_several_values_of_a_repeatable_option() -> None:
    assert complete([], {"OAKROOT_LISTEN": "127.0.0.1:53 [::1]:53"}).listen == ["127.0.0.1:53", "[::1]:53"]


def test_a_single_value_in_the_file_suffices_for_a_repeatable_option() -> None:
    assert complete([], table={"listen": "127.0.0.1"}).listen == ["127.0.0.1"]


@pytest.mark.parametrize(("word", "expected"), [("yes", True), ("1", True), ("TRUE", True), ("off", False)])
def test_a_switch_understands_common_words(word: str, expected: bool) -> None:  # noqa: FBT001 - a table column
    assert complete([], {"OAKROOT_ALLOW_UNSIGNED_TRANSFER": word}).allow_unsigned_transfer is expected


def test_a_switch_with_two_sides_can_be_turned_off() -> None:
    assert complete([], table={"cookies": False}).cookies is False


def test_a_value_is_converted_as_on_the_command_line() -> None:
    assert complete([], {"OAKROOT_POLL": "60"}).poll == 60
    assert complete([], table={"poll": 60}).poll == 60


def test_a_default_written_as_text_is_converted() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, default="here")
    assert complete([], parser=parser).state == Path("here")


# --- files that hold a value


def test_a_variable_may_name_a_file_that_holds_the_value(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("value\n")
    assert complete([], {"OAKROOT_REMOTE_FILE": str(secret)}).remote == "value"


def test_the_settings_file_may_name_a_file_that_holds_the_value(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("value\n")
    assert complete([], table={"remote-file": str(secret)}).remote == "value"


def test_a_systemd_credential_holds_the_value(tmp_path: Path) -> None:
    (tmp_path / "oakroot.remote").write_text("value\n")
    assert complete([], {"CREDENTIALS_DIRECTORY": str(tmp_path)}, {"remote": "file"}).remote == "value"


def test_a_missing_file_is_named_together_with_its_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^\$OAKROOT_REMOTE_FILE: cannot read .*nowhere: No such file"):
        complete([], {"OAKROOT_REMOTE_FILE": str(tmp_path / "nowhere")})


def test_a_setting_said_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"both \$OAKROOT_REMOTE and \$OAKROOT_REMOTE_FILE are set"):
        complete([], {"OAKROOT_REMOTE": "x", "OAKROOT_REMOTE_FILE": "/x"})


# --- settings that cannot be used


def test_a_wrong_value_is_not_quoted() -> None:
    with pytest.raises(ConfigError, match=r"^\$OAKROOT_POLL: not a valid POLL$"):
        complete([], {"OAKROOT_POLL": "s3cret"})


def test_a_wrong_value_on_the_command_line_is_not_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        complete(["--poll", "s3cret"])
    assert capsys.readouterr().err.endswith("argument --poll: not a valid POLL\n")


def test_a_value_outside_of_the_choices_lists_them() -> None:
    with pytest.raises(ConfigError, match=r"serial: choose from increment, manual$"):
        complete([], table={"serial": "random"})


def test_several_values_for_one_are_refused() -> None:
    with pytest.raises(ConfigError, match="remote: takes one value, not 2"):
        complete([], table={"remote": ["a", "b"]})


def test_a_switch_refuses_other_words() -> None:
    with pytest.raises(ConfigError, match="takes yes or no"):
        complete([], {"OAKROOT_COOKIES": "perhaps"})


def test_a_table_is_no_value() -> None:
    with pytest.raises(ConfigError, match="expected text or a number"):
        complete([], table={"remote": {"url": "x"}})


# --- required options and sub-parsers


def parser_with_modes() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    modes = parser.add_subparsers(dest="mode", required=True)
    modes.add_parser("plain").add_argument("--size", type=int, default=1)
    modes.add_parser("signed").add_argument("--key", required=True)
    return parser


def test_the_environment_satisfies_a_required_option() -> None:
    assert complete(["signed"], {"OAKROOT_KEY": "k"}, parser=parser_with_modes()).key == "k"


def test_a_required_option_that_nobody_sets_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        complete(["signed"], parser=parser_with_modes())
    assert caught.value.code == 2
    assert "required: --key (or $OAKROOT_KEY)" in capsys.readouterr().err


def test_options_of_modes_not_chosen_are_left_alone() -> None:
    assert vars(complete(["plain"], parser=parser_with_modes())) == {"mode": "plain", "size": 1}


def test_help_names_the_variable_and_keeps_the_default() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--poll", type=int, default=7, help="seconds (default: %(default)s)")
    Options(parser)
    assert "seconds (default: 7) [$OAKROOT_POLL]" in parser.format_help()


def test_each_setting_tells_its_place() -> None:
    parser = make_parser()
    options = Options(parser)
    variables = Environment({"OAKROOT_REMOTE": "x"})
    settings = Table({"poll": 60}, {"poll": "oakroot.toml:2: poll"})
    places = options.fill(
        parser.parse_args([]), lambda option: variables.find(option) or settings.find(option)
    )
    assert places == {"remote": "$OAKROOT_REMOTE", "poll": "oakroot.toml:2: poll"}
