"""What a machine is told: the notation of MirageOS unikernels, then the server's options."""

from __future__ import annotations

import ipaddress

import pytest

from oakroot.images.boot import BootRejectedError, read_boot, words_of


def test_the_tutorials_command_line_is_read() -> None:
    line = (
        "console=ttyS0 panic=-1 -- --ipv4=10.0.42.2/24 --ipv4-gateway=10.0.42.1 "
        "--dns-servers 10.0.42.1,10.0.42.9 --authenticator=SHA256:abc --remote git@git.example.org:zones.git"
    )
    boot = read_boot(words_of(line))
    assert boot.interfaces == (ipaddress.ip_interface("10.0.42.2/24"),)
    assert boot.gateways == (ipaddress.ip_address("10.0.42.1"),)
    assert [str(server) for server in boot.name_servers] == ["10.0.42.1", "10.0.42.9"]
    assert boot.server == ("--authenticator=SHA256:abc", "--remote", "git@git.example.org:zones.git")


def test_both_families_may_be_given() -> None:
    boot = read_boot(["--ipv4=192.0.2.2/24", "--ipv6=2001:db8::2/64", "--ipv6-gateway=fe80::1"])
    assert [str(each) for each in boot.interfaces] == ["192.0.2.2/24", "2001:db8::2/64"]
    assert [str(each) for each in boot.gateways] == ["fe80::1"]


def test_words_before_the_dashes_are_the_kernels() -> None:
    assert words_of("console=ttyS0 --ipv4=192.0.2.2/24") == []


def test_quoted_words_stay_whole() -> None:
    assert words_of("quiet -- --identity 'ns one'") == ["--identity", "ns one"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no address was given: --ipv4=ADDRESS/LENGTH"),
        (["--ipv4=10.0.42.2"], "length of the network's prefix is missing"),
        (["--ipv4=10.0.42.256/24"], "--ipv4=10.0.42.256/24"),
        (["--ipv6=10.0.42.2/24"], "--ipv6=10.0.42.2/24"),
        (["--ipv4=10.0.42.2/24", "--ipv4-gateway=10.0.43.1"], "is not in the network 10.0.42.0/24"),
        (["--ipv4-gateway=10.0.42.1"], "without --ipv4"),
        (["--ipv4=10.0.42.2/24", "--ipv4=10.0.42.3/24"], "--ipv4 was given 2 times"),
        (["--ipv4"], "--ipv4 needs a value"),
        (["--ipv4=10.0.42.2/24", "--dns-servers=resolver"], "--dns-servers=resolver: this is no address"),
    ],
)
def test_wrong_arguments_are_named(words: list[str], message: str) -> None:
    with pytest.raises(BootRejectedError) as refused:
        read_boot(words)
    assert message in str(refused.value)


def test_a_quote_left_open_is_named() -> None:
    with pytest.raises(BootRejectedError, match="No closing quotation"):
        words_of("quiet -- --identity 'ns")
