"""Keys given to a command that copies zones, and the plan that their names make."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from functools import lru_cache

from oakroot._engine import Server
from oakroot.cli import CommandError, Exit, options
from oakroot.keys.key import Key
from oakroot.keys.notation import read_keys
from oakroot.keys.rejected import KeyRejectedError
from oakroot.secondary.sources import (
    DoubleKeyError,
    Listening,
    NoPrimaryError,
    Plan,
    UnusedPrimaryError,
    make_plan,
)
from oakroot.secondary.sources import Server as Primary


def read_all_keys(values: Sequence[str]) -> list[Key]:
    """All keys of all options; CommandError, which never quotes a value."""
    try:
        return [key for value in values for key in read_keys(options.key_text(value))]
    except KeyRejectedError as error:
        raise options.rejected_key(error) from None


def plan_of(
    keys: Sequence[Key], primary: Primary | None, server: Server | None, encrypted: Sequence[Primary] = ()
) -> Plan:
    """The plan of a server with these sockets, None: not bound yet; CommandError."""
    addresses = () if server is None else tuple(server.addresses)
    try:
        plan = make_plan(keys, primary, Listening(addresses, _is_local), encrypted)
    except KeyRejectedError as error:
        raise options.rejected_key(error) from None
    except NoPrimaryError as error:
        hint = "give --primary ADDR, or name the key anything.ADDRESS-OF-PRIMARY._transfer.ZONE"
        raise CommandError(str(error), hint=hint, exit_code=Exit.USAGE) from None
    except UnusedPrimaryError as error:
        hint = "--tls-primary is for addresses that names of keys tell, or that of --primary"
        raise CommandError(str(error), hint=hint, exit_code=Exit.USAGE) from None
    except DoubleKeyError as error:
        hint = "while a key is replaced, both need names of their own"
        raise CommandError(str(error), hint=hint, exit_code=Exit.USAGE) from None
    if not plan.sources:
        raise CommandError(
            "no key brings a zone",
            hint="give one named PRIMARY.SECONDARY._transfer.ZONE; the primary must not be this server",
            exit_code=Exit.USAGE,
        )
    return plan


@lru_cache(maxsize=4096)
def _is_local(address: str) -> bool:
    """Whether this machine has the address: nobody else's can be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
