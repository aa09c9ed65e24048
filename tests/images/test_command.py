"""How a machine is started: what QEMU is told, and what is refused before."""

from __future__ import annotations

from pathlib import Path

import pytest

from oakroot.images.machine import Machine, check_tap
from oakroot.images.qemu import Acceleration, command
from oakroot.images.rejected import ImageError


def _hardware_address(network: str) -> str:
    words = command(Machine(Path("image"), network, 256, ()), Acceleration.TCG)
    return next(word for word in words if "mac=" in word)


def test_machines_on_one_bridge_have_hardware_addresses_of_their_own() -> None:
    assert _hardware_address("127.0.0.1:5301") == _hardware_address("127.0.0.1:5301")
    assert _hardware_address("127.0.0.1:5301") != _hardware_address("127.0.0.1:5302")


def test_arguments_longer_than_a_kernel_reads_are_refused() -> None:
    with pytest.raises(ImageError, match="the kernel reads 2000"):
        command(Machine(Path("image"), "127.0.0.1:5301", 256, ("x" * 2000,)), Acceleration.TCG)


def test_a_tap_interface_that_is_not_there_is_named() -> None:
    with pytest.raises(ImageError, match="there is no tap interface no-such-tap"):
        check_tap(Machine(Path("image"), "no-such-tap", 256, ()))


def test_a_path_with_a_comma_is_refused_where_it_would_be_several_words(tmp_path: Path) -> None:
    (tmp_path / "a,b").touch()
    with pytest.raises(ImageError, match="no file with a comma"):
        command(Machine(Path("image"), "none", 256, (), (), tmp_path / "a,b"), Acceleration.TCG)


@pytest.mark.parametrize("name", ["arguments", "a/b", ""])
def test_a_secret_needs_a_plain_name(name: str, tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    with pytest.raises(ImageError, match="is no name for a secret"):
        Machine(Path("image"), "none", 256, (), ((name, tmp_path / "key"),))


def test_a_secret_that_is_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"secret key: .*missing does not exist"):
        Machine(Path("image"), "none", 256, (), (("key", tmp_path / "missing"),))
