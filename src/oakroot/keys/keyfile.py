"""The grammars of files with keys: BIND's `key` blocks, Knot's and NSD's `key:` stanzas, key-file records.

Only what these files need: a file that also configures something else is refused. Messages name lines, never
text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import dns.exception
import dns.name

from oakroot.keys.dnskey import read_dnskey_rdata
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.secret import Secret

_ALGORITHM_HINT = f"use one of {', '.join(algorithm.text for algorithm in Algorithm)}"
_BLOCK_HINT = 'write key "NAME" { algorithm hmac-sha256; secret "BASE64"; };'
_STANZA_HINT = "write key: and below it, further in, id: NAME, algorithm: hmac-sha256, secret: BASE64"

_BLOCK_TOKEN = re.compile(
    r"(?P<blank>\s+|#[^\n]*|//[^\n]*|/\*.*?\*/)"
    r'|"(?P<quoted>[^"]*)"'
    r"|(?P<mark>[{};])"
    r'|(?P<word>[^\s{};"#]+)',
    re.DOTALL,
)
_STANZA_FIELD = re.compile(
    r"""(?P<item>-\s+)?(?P<field>[a-z]+)\s*:\s+(?P<quote>["']?)(?P<value>[^\s"']+)(?P=quote)\s*(#.*)?\Z"""
)
_STANZA_START = re.compile(r"key\s*:\s*(#.*)?\Z")
_NAME_FIELDS = ("id", "name")  # Knot's word and NSD's
_RECORD = re.compile(r"(?i)(?P<owner>\S+)\s(.*\s)?DNSKEY\s+(?P<rdata>.*)\Z")


def key_name(text: str) -> dns.name.Name:
    """A key's name, absolute with or without a final dot; raises KeyRejectedError."""
    try:
        name = dns.name.from_text(text)
    except (dns.exception.DNSException, ValueError):
        name = dns.name.root
    if name == dns.name.root:
        raise KeyRejectedError("key-name", "the key's name is no domain name")
    return name


def read_blocks(text: str) -> tuple[Key, ...]:
    """The keys of a file in BIND's form."""
    tokens = _BlockTokens(text)
    keys = []
    while tokens.more():
        if tokens.take() != "key":
            raise tokens.error("something other than a key block")
        keys.append(_read_block(tokens))
    return tuple(keys)


class _BlockTokens:
    """The tokens of a file in BIND's form, and the line of the one last taken."""

    def __init__(self, text: str) -> None:
        self._tokens = list(self._scan(text))
        self._position = 0

    def _scan(self, text: str) -> Iterator[tuple[str, int]]:
        at, line = 0, 1
        while at < len(text):
            found = _BLOCK_TOKEN.match(text, at)
            if found is None:
                raise _error("a quote or a comment that does not end", line, _BLOCK_HINT)
            if found.lastgroup != "blank" and found.lastgroup is not None:
                yield found.group(found.lastgroup), line
            line += found.group().count("\n")
            at = found.end()

    def more(self) -> bool:
        return self._position < len(self._tokens)

    def take(self) -> str:
        """The next token, or an empty one behind the end, which fits nowhere."""
        self._position += 1
        return self._tokens[self._position - 1][0] if self._position <= len(self._tokens) else ""

    def expect(self, mark: str) -> None:
        if self.take() != mark:
            raise self.error(f"a {mark} is missing")

    def error(self, message: str) -> KeyRejectedError:
        last = min(self._position, len(self._tokens)) - 1
        return _error(message, self._tokens[last][1], _BLOCK_HINT)


def _read_block(tokens: _BlockTokens) -> Key:
    name = tokens.take()
    tokens.expect("{")
    fields: dict[str, str] = {}
    while (field := tokens.take()) != "}":
        if field not in ("algorithm", "secret") or field in fields:
            raise tokens.error("algorithm and secret belong into a key block, each once")
        fields[field] = tokens.take()
        tokens.expect(";")
    tokens.expect(";")
    if fields.keys() != {"algorithm", "secret"}:
        raise tokens.error("algorithm or secret is missing")
    return _build(name, fields["algorithm"], "".join(fields["secret"].split()))


@dataclass(slots=True)
class _Stanza:
    """The fields of one key while they are read."""

    line: int
    fields: dict[str, str]

    def key(self) -> Key:
        if self.fields.keys() != {"name", "algorithm", "secret"}:
            raise _error("name, algorithm or secret is missing", self.line, _STANZA_HINT)
        return _build(self.fields["name"], self.fields["algorithm"], self.fields["secret"])


def read_stanzas(text: str) -> tuple[Key, ...]:
    """The keys of a file in the form of Knot DNS or NSD."""
    stanzas: list[_Stanza] = []
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        if _STANZA_START.match(line):
            stanzas.append(_Stanza(number, {}))
            continue
        found = _STANZA_FIELD.match(content)
        if found is None or line == line.lstrip() or not stanzas:
            raise _error("this is no field of a key", number, _STANZA_HINT)
        if found["item"] and stanzas[-1].fields:
            stanzas.append(_Stanza(number, {}))
        field = "name" if found["field"] in _NAME_FIELDS else found["field"]
        if field not in ("name", "algorithm", "secret") or field in stanzas[-1].fields:
            raise _error("name, algorithm and secret belong into a key, each once", number, _STANZA_HINT)
        stanzas[-1].fields[field] = found["value"]
    return tuple(stanza.key() for stanza in stanzas)


def read_records(text: str) -> tuple[Key, ...]:
    """The keys of lines `NAME DNSKEY 0 3 ALGORITHM BASE64`; names are absolute, also without final dot."""
    keys = []
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.partition(";")[0].strip()
        if not content:
            continue
        found = _RECORD.match(content)
        if found is None:
            raise _error(
                "this is no key record", number, "write NAME DNSKEY 0 3 ALGORITHM BASE64, all on one line"
            )
        algorithm, secret = read_dnskey_rdata(found["rdata"])
        keys.append(Key(key_name(found["owner"]), algorithm, secret))
    return tuple(keys)


def _build(name: str, algorithm_name: str, secret: str) -> Key:
    algorithm = Algorithm.named(algorithm_name)
    if algorithm is None:
        raise KeyRejectedError("key-algorithm", "the algorithm is not known for TSIG keys", _ALGORITHM_HINT)
    return Key(key_name(name), algorithm, Secret.from_base64(secret))


def _error(message: str, line: int, hint: str) -> KeyRejectedError:
    return KeyRejectedError("key-form", f"line {line}: {message}", hint)
