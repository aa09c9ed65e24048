"""The kernel as an ELF file, taken out of the form in which it is distributed."""

from __future__ import annotations

import struct

import pytest

from oakroot.images.kernel import unpack_kernel
from oakroot.images.rejected import ImageError
from tests.images.fake_inputs import bz_image


@pytest.mark.parametrize("length", [15, 269, 270, 271, 5000])
def test_a_kernel_of_any_length_comes_out_as_it_was(length: int) -> None:
    kernel = b"\x7fELF".ljust(length, b"k")
    assert unpack_kernel("linux.deb", bz_image(kernel)) == kernel


def test_a_copy_that_reaches_into_what_it_makes_repeats() -> None:
    # Six octets as they are, eleven from two octets back; then one as it is.
    block = b"\x67\x7fELFab\x02\x00\x10!"
    payload = struct.pack("<II", 0x184C2102, len(block)) + block + bytes(4)
    image = bytearray(bz_image()[:1024])
    struct.pack_into("<II", image, 0x248, 0, len(payload))
    assert unpack_kernel("linux.deb", bytes(image) + payload) == b"\x7fELFababababababa!"


@pytest.mark.parametrize("broken", [b"", b"MZ", bz_image()[:1030], bz_image(b"no kernel at all")])
def test_a_file_without_such_a_kernel_is_refused_by_name(broken: bytes) -> None:
    with pytest.raises(ImageError, match=r"linux\.deb: its kernel is not packed with LZ4"):
        unpack_kernel("linux.deb", broken)
