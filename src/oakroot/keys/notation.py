"""Every notation of a TSIG key that people have at hand, read from text.

In one word: `NAME:ALGORITHM:BASE64` (as the OCaml tools write it), `ALGORITHM:NAME:BASE64` and `NAME:BASE64`
(as `dig -y` takes it). In a file: one such word, BIND's `key` blocks, the `key:` stanzas of Knot DNS and NSD,
and key-file records.

The form is told by the first line that says something, never by trying one reader after the other: an error
of the right reader is worth more than success of a wrong one. No message quotes the text, since any part of
it may be the secret. Where the text comes from is the business of `source`, the files' grammars that of
`keyfile`.
"""

from __future__ import annotations

import re

from oakroot.keys import keyfile
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.keyfile import key_name
from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.secret import Secret

FORMS_HINT = (
    "give NAME:ALGORITHM:BASE64, ALGORITHM:NAME:BASE64, or @FILE with a BIND key block, a key: stanza of "
    "Knot or NSD, or lines NAME DNSKEY 0 3 ALGORITHM BASE64"
)
# dig, nsupdate, kdig and knsupdate agree on it.
_DEFAULT_ALGORITHM = Algorithm.SHA256
_NAME_AND_SECRET, _NAME_ALGORITHM_AND_SECRET = 2, 3

_COMMENT_START = re.compile(r"#|//|;")
_STANZA_START = re.compile(r"key\s*:\s*(#.*)?\Z")
_BLOCK_START = re.compile(r"(key[\s\"]|key\Z|/\*)")
_RECORD = re.compile(r"(?i)\S+\s(.*\s)?DNSKEY\s")


def read_key(text: str) -> Key:
    """The one key in the text; raises KeyRejectedError where there is none, or more than one."""
    keys = read_keys(text)
    if len(keys) > 1:
        raise KeyRejectedError(
            "key-count",
            f"there are {len(keys)} keys where one is wanted",
            "put the wanted one in a file of its own",
        )
    return keys[0]


def read_keys(text: str) -> tuple[Key, ...]:
    """All keys in the text, at least one; raises KeyRejectedError at the first that is wrong."""
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if line and not _COMMENT_START.match(line)]
    if not telling:
        return (_read_commented_word(lines),)
    first = telling[0]
    if _STANZA_START.match(first):
        keys = keyfile.read_stanzas(text)
    elif _BLOCK_START.match(first):
        keys = keyfile.read_blocks(text)
    elif _RECORD.match(first):
        keys = keyfile.read_records(text)
    elif len(telling) == 1:
        keys = (_read_word(first),)
    else:
        raise KeyRejectedError("key-form", "this is no notation of a key that is understood", FORMS_HINT)
    if not keys:
        raise _no_key()
    return keys


def _no_key() -> KeyRejectedError:
    return KeyRejectedError("key-form", "there is no key here", FORMS_HINT)


def _read_commented_word(lines: list[str]) -> Key:
    """The word behind `#` that keymgr prints above its stanza, when the stanza was left behind."""
    words = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
    candidates = [word for word in words if word.count(":") == _NAME_ALGORITHM_AND_SECRET - 1]
    if len(candidates) != 1:
        raise _no_key()
    return _read_word(candidates[0])


def _read_word(word: str) -> Key:
    fields = word.split(":")
    if len(fields) == _NAME_AND_SECRET:
        return Key(key_name(fields[0]), _DEFAULT_ALGORITHM, Secret.from_base64(fields[1]))
    if len(fields) != _NAME_ALGORITHM_AND_SECRET:
        raise KeyRejectedError("key-form", "this is no notation of a key that is understood", FORMS_HINT)
    first, second, secret = fields
    algorithm, name = _tell_apart(first, second)
    return Key(key_name(name), algorithm, Secret.from_base64(secret))


def _tell_apart(first: str, second: str) -> tuple[Algorithm, str]:
    """(algorithm, name) from the two fields in front of the secret, in whatever order they stand."""
    leading, following = Algorithm.named(first), Algorithm.named(second)
    if leading is not None and following is not None:
        raise KeyRejectedError(
            "key-form",
            "both fields in front of the secret are names of algorithms, so either may be the key's name",
            "put the key in a file, as a BIND key block, and give @FILE",
        )
    if leading is not None:
        return leading, second
    if following is not None:
        return following, first
    raise KeyRejectedError(
        "key-algorithm",
        "neither field in front of the secret is a known algorithm",
        f"use one of {', '.join(algorithm.text for algorithm in Algorithm)}",
    )
