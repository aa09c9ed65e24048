"""A key as a record: `NAME DNSKEY 0 3 ALGORITHM BASE64`, the form of key files.

The record type is borrowed: flags and protocol have the one value that key files use, and the algorithm
numbers are those of the private range that stand for HMACs here. Such a record is never served.
"""

from __future__ import annotations

from oakroot.keys.key import Algorithm, Key
from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.secret import Secret

FLAGS, PROTOCOL = "0", "3"
_FIELDS_BEFORE_SECRET = 3
_ALGORITHM_HINT = ", ".join(f"{algorithm.value} {algorithm.text}" for algorithm in Algorithm)


def write_dnskey(key: Key) -> str:
    """The key's line in a key file."""
    return f"{key.name} DNSKEY {FLAGS} {PROTOCOL} {key.algorithm.value} {key.secret.base64()}"


def read_dnskey_rdata(text: str) -> tuple[Algorithm, Secret]:
    """Algorithm and secret from the RDATA; raises KeyRejectedError, which quotes nothing."""
    fields = text.split()
    if len(fields) <= _FIELDS_BEFORE_SECRET:
        raise KeyRejectedError(
            "key-rdata", "fields are missing behind DNSKEY", "write NAME DNSKEY 0 3 ALGORITHM BASE64"
        )
    flags, protocol, number = fields[:_FIELDS_BEFORE_SECRET]
    if flags != FLAGS:
        raise KeyRejectedError("key-flags", "the flags are not 0", "write DNSKEY 0 3 ALGORITHM BASE64")
    if protocol != PROTOCOL:
        raise KeyRejectedError("key-protocol", "the protocol is not 3", "write DNSKEY 0 3 ALGORITHM BASE64")
    return _read_algorithm(number), Secret.from_base64("".join(fields[_FIELDS_BEFORE_SECRET:]))


def _read_algorithm(number: str) -> Algorithm:
    # Compared as text: `int` would take signs, underscores and the digits of all scripts.
    for algorithm in Algorithm:
        if number == str(algorithm.value):
            return algorithm
    raise KeyRejectedError(
        "key-algorithm", "the algorithm is not known for TSIG keys", f"use one of {_ALGORITHM_HINT}"
    )
