"""Brings a network interface up: the messages of rtnetlink(7) that a machine with fixed addresses needs.

A library for all of netlink is larger than everything else that runs before the server does.
"""

from __future__ import annotations

import os
import socket
import struct

from oakroot.images.boot import Address, Interface

_NEWLINK, _NEWADDR, _NEWROUTE = 16, 20, 24
_REQUEST_ACK, _CREATE_REPLACE = 0x05, 0x0500
_ERROR = 2
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_NO_DUPLICATE_CHECK = 0x02  # an address that is answered from at once, or the first queries would be lost
_RTA_OIF, _RTA_GATEWAY = 4, 5
_IFF_UP = 1
_MAIN_TABLE, _STATIC, _UNICAST = 254, 4, 1


def link_up(index: int) -> bytes:
    """The message that switches an interface on."""
    return _message(_NEWLINK, 0, struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, _IFF_UP, _IFF_UP))


def address(index: int, interface: Interface) -> bytes:
    """The message that gives an interface an address."""
    octets = interface.ip.packed
    head = struct.pack("=BBBBi", family(interface.ip), interface.network.prefixlen, 0, 0, index)
    body = _attribute(_IFA_LOCAL, octets) + _attribute(_IFA_ADDRESS, octets)
    if interface.version == 6:  # noqa: PLR2004 - the version of IP
        body += _attribute(_IFA_FLAGS, struct.pack("=I", _NO_DUPLICATE_CHECK))
    return _message(_NEWADDR, _CREATE_REPLACE, head + body)


def default_route(index: int, gateway: Address) -> bytes:
    """The message that sends everything else by way of a gateway."""
    head = struct.pack("=BBBBBBBBI", family(gateway), 0, 0, 0, _MAIN_TABLE, _STATIC, 0, _UNICAST, 0)
    body = _attribute(_RTA_GATEWAY, gateway.packed) + _attribute(_RTA_OIF, struct.pack("=i", index))
    return _message(_NEWROUTE, _CREATE_REPLACE, head + body)


def send(message: bytes) -> None:
    """Has the kernel do it; OSError with its reason."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as line:
        line.bind((0, 0))
        line.send(message)
        reply = line.recv(65536)
    kind = struct.unpack_from("=IHH", reply)[1]
    error = struct.unpack_from("=i", reply, 16)[0] if kind == _ERROR else 0
    if error:
        raise OSError(-error, os.strerror(-error))


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, _REQUEST_ACK | flags, 1, 0) + body


def _attribute(kind: int, octets: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(octets), kind) + octets + bytes(-len(octets) % 4)


def family(of: Address) -> int:
    """The number of its family of addresses."""
    return socket.AF_INET if of.version == 4 else socket.AF_INET6  # noqa: PLR2004 - the version of IP
