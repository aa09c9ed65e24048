"""What a server's refusal of a signed request means to its user, for all commands that send one."""

from __future__ import annotations

import dns.name
import dns.rcode

from oakroot.cli import CommandError
from oakroot.client.server import Server
from oakroot.client.signed import told
from oakroot.keys.grant import Operation
from oakroot.keys.key import Key
from oakroot.protocol.message import Reply


def refusal(server: Server, reply: Reply, hint: str) -> CommandError:
    """The server's words, and how to go on."""
    return CommandError(f"{server} answered {told(reply)}", hint=hint)


def right_is_missing(reply: Reply, key: Key | None, operation: Operation, zone: dns.name.Name) -> str | None:
    """How to get the right to do this at a zone; None where that is not what the reply is about."""
    if reply.rcode == dns.rcode.REFUSED and key is None:
        return f"sign it: --key takes a key that may {operation.name.lower()}"
    if reply.rcode in (dns.rcode.REFUSED, dns.rcode.NOTAUTH):
        return f"a key for {zone} is named anything.{operation.label}.{zone}, or so for a zone above it"
    return None
