"""`oakroot keygen` prints keys that can be used as they are, and shows one that is there in another form."""

from __future__ import annotations

from pathlib import Path

import pytest

from oakroot.cli import Exit, main
from oakroot.keys.key import Algorithm
from oakroot.keys.notation import read_key
from oakroot.keys.snippets import CLIENTS, READ_FIRST_LINE
from oakroot.keys.ssh import read_ssh_key
from oakroot.operate import config

PRIVATE = "ed25519:nO7ervdJqzPfuvdM/J4qImipwVoI5gl53fpqgjZnv9w="
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICyliWbwWWXBc1+DRIzReLQ4UFiVGXJ6Paw1Jts+XQte"
NAME = "personal._update.mirage"
BASE64 = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "DEFAULT_FILE", tmp_path / "default.toml")


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main.main(["keygen", *words]) == Exit.FINE
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


@pytest.mark.proves("clients", "oakroot", "is a line for a key file")
def test_a_tsig_key_is_a_line_for_a_key_file(capsys: pytest.CaptureFixture[str]) -> None:
    line = printed(capsys, "tsig", NAME)
    assert line.startswith(f"{NAME}. DNSKEY 0 3 163 ")
    assert line.count("\n") == 1
    assert len(read_key(line).secret) == 32


def test_no_two_keys_are_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "tsig", NAME) != printed(capsys, "tsig", NAME)
    assert printed(capsys, "ssh") != printed(capsys, "ssh")


@pytest.mark.parametrize("algorithm", Algorithm)
def test_the_algorithm_is_chosen_by_name(algorithm: Algorithm, capsys: pytest.CaptureFixture[str]) -> None:
    key = read_key(printed(capsys, "tsig", NAME, "--algorithm", algorithm.text))
    assert (key.algorithm, len(key.secret)) == (algorithm, algorithm.digest_length)


@pytest.mark.parametrize("client", [client for client in CLIENTS if client != "oakroot"])
def test_a_clients_snippet_comes_with_the_line_for_the_repository(
    client: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = printed(capsys, "tsig", NAME, "--for", client)
    note = "# The zone repository's file mirage._keys gets the line:\n# personal._update.mirage. "
    # Some clients read the first line of a file and nothing else.
    assert told.startswith(note) == (client not in READ_FIRST_LINE)
    secret = told.partition(note)[2].splitlines()[0].rpartition(" ")[2]
    assert told.count(secret) == (3 if client in {"knot", "lego"} else 2)


def test_several_clients_get_the_same_key(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, "tsig", NAME, "--for", "oakroot", "--for", "nsd", "--for", "lego")
    secret = told.splitlines()[0].rpartition(" ")[2]
    assert told.count(secret) == 4
    assert not told.startswith("#")


def test_the_server_is_named_to_who_needs_it(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, "tsig", NAME, "--for", "lego", "--server", "2001:db8::53")
    assert "DNSUPDATE_NAMESERVER=[2001:db8::53]:53\n" in told


def test_the_address_in_a_keys_name_is_told_to_a_secondary(capsys: pytest.CaptureFixture[str]) -> None:
    name = "192.0.2.1.198.51.100.2._transfer.example.org"
    assert f"request-xfr: 192.0.2.1@53 {name}\n" in printed(capsys, "tsig", name, "--for", "nsd")


def test_a_key_that_is_there_is_shown_in_another_form(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(f"{NAME}:SHA256:{BASE64}\n")
    told = printed(capsys, "tsig", "--from", f"@{file}", "--for", "bind")
    assert told.endswith(f'key "{NAME}" {{\n\talgorithm hmac-sha256;\n\tsecret "{BASE64}";\n}};\n')
    assert "DNSKEY" not in told


def test_a_weak_key_that_is_there_is_shown_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["keygen", "tsig", "--from", f"{NAME}:SHA256:c2hvcnQ="]) == Exit.FINE
    captured = capsys.readouterr()
    assert captured.out == f"{NAME}. DNSKEY 0 3 163 c2hvcnQ=\n"
    assert "warning: the secret has 5 octets" in captured.err
    assert "c2hvcnQ" not in captured.err


@pytest.mark.parametrize(
    "words",
    [
        ["tsig"],
        ["tsig", NAME, "--from", f"{NAME}:{BASE64}"],
        ["tsig", "example.org"],
        ["tsig", "k._onyl-txt._update.example.org"],
        ["tsig", "--from", BASE64],
        ["tsig", NAME, "--for", "cert-manager", "--algorithm", "sha384"],
        ["ssh", "--from", "nO7ervdJqzPfuvdM/J4qImipwVoI5gl53fpqgjZnv9w="],
        ["ssh", "--from", "@/there/is/no/such/file"],
    ],
)
def test_what_cannot_be_made_is_wrong_usage_and_shows_no_key(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["keygen", *words]) == Exit.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("oakroot: ")
    assert BASE64[:8] not in captured.err
    assert "nO7erv" not in captured.err


@pytest.mark.parametrize(
    "words",
    [[], ["gpg"], ["tsig", "a..b"], ["tsig", NAME, "--for", "emacs"], ["tsig", NAME, "--algorithm", "md5"]],
)
def test_wrong_words_are_told_so(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["keygen", *words])
    assert ended.value.code == Exit.USAGE
    assert "oakroot keygen" in capsys.readouterr().err


def test_an_ssh_key_is_a_private_and_a_public_line(capsys: pytest.CaptureFixture[str]) -> None:
    private, public = printed(capsys, "ssh").splitlines()
    assert read_ssh_key(private).public_line() == public


def test_the_tutorials_private_key_gives_its_public_key(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert printed(capsys, "ssh", "--from", PRIVATE) == PUBLIC + "\n"
    file = tmp_path / "key"
    file.write_text(f"{PRIVATE}\n{PUBLIC}\n")
    told = printed(capsys, "ssh", "--from", f"@{file}", "--comment", "awa@awa.local")
    assert told == f"{PUBLIC} awa@awa.local\n"
