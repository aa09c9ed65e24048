"""The query log: what a line says of a query and its answer. Pure.

A line is a log record like any other, so it is written in the same formats. It has names of keys, as a query
claims them, and never more of a signature. What must not live here: where lines go, and how many there are.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterator, Mapping

import dns.edns
import dns.exception
import dns.flags
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from oakroot.frozen import frozen
from oakroot.operate.dnstap import Exchange, is_response
from oakroot.protocol import wire

NAME = "oakroot.query"
"""The logger of query lines."""

_DO = 0x8000
_COOKIE = 10
_LOOKED_AT = 4096
"""Of longer answers the header is read alone: it says all but an extended response code."""
_QUERY_FLAGS = (dns.flags.RD, dns.flags.CD, dns.flags.AD)
_ANSWER_FLAGS = (dns.flags.AA, dns.flags.TC)

Facts = dict[str, object]


def is_settled(exchange: Exchange) -> bool:
    """Whether this is the moment to tell of a query: it has its answer, or will have none."""
    return exchange.stage in ("settled", "answered") and not is_response(exchange.query)


def record_of(exchange: Exchange) -> logging.LogRecord:
    """The line of a query that is settled."""
    facts = _facts(exchange)
    client = str(ipaddress.ip_address(exchange.peer[0]))
    attributes: Facts = {
        "name": NAME,
        "levelno": logging.INFO,
        "levelname": "INFO",
        "created": exchange.asked / 1e9,
        "msg": _text(facts),
        "peer": client,
        "facts": facts,
    }
    if "key" in facts:
        attributes["key"] = facts["key"]
    return logging.makeLogRecord(attributes)


def _facts(exchange: Exchange) -> Facts:
    address, port = exchange.peer
    facts: Facts = {
        "client": str(ipaddress.ip_address(address)),
        "port": port,
        "transport": exchange.transport,
    }
    facts |= _asked(exchange.query)
    if exchange.answer is not None:
        facts |= _answered(exchange.answer)
    return facts


def _asked(query: bytes) -> Facts:
    size: Facts = {"size": len(query)}
    try:
        layout = wire.read_layout(query)
        question = wire.read_question(query)
    except wire.MalformedError:
        return {"malformed": True, **size}
    extras = _Extras.of(layout, query)
    flags = [dns.flags.to_text(flag) for flag in _QUERY_FLAGS if layout.header.flags & flag]
    facts: Facts = {
        "opcode": dns.opcode.to_text(dns.opcode.Opcode.make(layout.header.opcode)),
        "name": question.name.to_text(),
        "class": dns.rdataclass.to_text(dns.rdataclass.RdataClass.make(question.class_)),
        "type": dns.rdatatype.to_text(dns.rdatatype.RdataType.make(question.type)),
        "flags": [*flags, *extras.words()],
        **size,
    }
    if extras.payload is not None:
        facts["payload"] = extras.payload
    if extras.key is not None:
        facts["key"] = extras.key
    return facts


def _answered(answer: bytes) -> Facts:
    try:
        header = wire.read_header(answer)
        layout = wire.read_layout(answer) if len(answer) <= _LOOKED_AT else None
    except wire.MalformedError:
        return {"answer_size": len(answer)}
    opts = () if layout is None else [record for record in layout.records if wire.is_opt(record)]
    extended = opts[0].ttl >> 24 if opts else 0
    return {
        "rcode": dns.rcode.to_text(dns.rcode.Rcode.make(header.flags & 0xF | extended << 4)),
        "answer_flags": [dns.flags.to_text(flag) for flag in _ANSWER_FLAGS if header.flags & flag],
        "answers": header.record_counts[0],
        "answer_size": len(answer),
    }


@frozen
class _Extras:
    """What a query has behind its question."""

    payload: int | None = None
    """How long an answer over UDP may be, where there is EDNS."""
    wants_signatures: bool = False
    has_cookie: bool = False
    key: str | None = None

    @classmethod
    def of(cls, layout: wire.Layout, query: bytes) -> _Extras:
        opt = next((record for record in layout.records if wire.is_opt(record)), None)
        last = layout.records[-1] if layout.records else None
        key = None
        if last is not None and last.type == dns.rdatatype.TSIG:
            try:
                key = wire.read_name(query, last.start)[0].to_text()
            except wire.MalformedError:
                key = None
        if opt is None:
            return cls(key=key)
        codes = _option_codes(query[opt.rdata_start : opt.end])
        return cls(opt.class_, bool(opt.ttl & _DO), _COOKIE in codes, key)

    def words(self) -> list[str]:
        """As flags."""
        words = {"EDNS": self.payload is not None, "DO": self.wants_signatures, "COOKIE": self.has_cookie}
        return [word for word, holds in words.items() if holds]


def _option_codes(rdata: bytes) -> Iterator[int]:
    at = 0
    while at + 4 <= len(rdata):
        yield int.from_bytes(rdata[at : at + 2])
        at += 4 + int.from_bytes(rdata[at + 2 : at + 4])


def _text(facts: Mapping[str, object]) -> str:
    """The same for people."""
    by = f"{facts['transport']} port {facts['port']}"
    if "malformed" in facts:
        asked = f"malformed query over {by}, {facts['size']} octets"
    else:
        flags = "".join(f" {flag}" for flag in _listed(facts["flags"]))
        signed = f", signed by {facts['key']}" if "key" in facts else ""
        opcode = str(facts["opcode"]).lower()
        question = f"{facts['name']} {facts['class']} {facts['type']}"
        asked = f"{opcode} {question}{flags} over {by}, {facts['size']} octets{signed}"
    if "rcode" not in facts:
        return f"{asked}: no answer"
    flags = "".join(f" {flag}" for flag in _listed(facts["answer_flags"]))
    answers = "1 answer" if facts["answers"] == 1 else f"{facts['answers']} answers"
    return f"{asked}: {facts['rcode']}{flags}, {answers}, {facts['answer_size']} octets"


def _listed(flags: object) -> list[str]:
    return flags if isinstance(flags, list) else []
