"""A value of OctoDNS's YAML as RDATA in a master file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import dns.exception
import dns.name
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.ANY.TXT import TXT

_CHUNK = 255


class ValueUnfitError(Exception):
    """What is wrong with a value; nothing of it is used."""


Write = Callable[[object, bool], str]
"""A field as text; whether the record is lenient."""


def rdata_of(rtype: str, value: object, *, is_lenient: bool) -> str:
    """The RDATA of one value; ValueUnfitError. A lenient record may have names without their final dot."""
    if rtype in {"TXT", "SPF"}:
        return _chunks(value)
    if rtype in {"SVCB", "HTTPS"}:
        return _service(value, is_lenient=is_lenient)
    fields = _FIELDS.get(rtype)
    if fields is None:
        raise ValueUnfitError(f"records of type {rtype} are not read from YAML; add it to the zone file")
    if len(fields) == 1:
        return fields[0][1](value, is_lenient)
    return " ".join(write(_field(value, names), is_lenient) for names, write in fields)


def _field(value: object, names: str) -> object:
    """A field under one of its names, `exchange|value`."""
    if not isinstance(value, Mapping):
        raise ValueUnfitError(f"{value!r} has not the fields it needs: {names}, …")
    found = next((value[name] for name in names.split("|") if name in value), None)
    if found is None:
        raise ValueUnfitError(f"it has no {names.partition('|')[0]}")
    return found


def _name(value: object, is_lenient: bool) -> str:  # noqa: FBT001 - one of the writers of the table
    if not isinstance(value, str):
        raise ValueUnfitError(f"{value!r} is no name")
    if not value.endswith(".") and not is_lenient:
        raise ValueUnfitError(f"{value} has no final dot")
    try:
        return dns.name.from_text(value).to_text()
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueUnfitError(f"{value!r} is no name: {error}") from None


def _word(value: object, _is_lenient: bool) -> str:  # noqa: FBT001 - the same
    text = str(value)
    if isinstance(value, bool) or value is None or not text or set(text) & set(' \t\r\n;()"'):
        raise ValueUnfitError(f"{value!r} is no value")
    return text


def _text(value: object, _is_lenient: bool) -> str:  # noqa: FBT001 - the same
    return _quoted(str(value))


def _quoted(text: str) -> str:
    if "\n" in text:
        raise ValueUnfitError("it goes over several lines")
    return '"' + text.replace('\\"', '"').replace('"', '\\"') + '"'


def _chunks(value: object) -> str:
    """Strings of at most 255 octets, cut where OctoDNS cuts."""
    if not isinstance(value, str):
        raise ValueUnfitError(f"{value!r} is no text: put it in quotes")
    text = value
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        text = "".join(text[1:-1].split('" "'))
    # OctoDNS writes `\\;`; any other backslash is one.
    octets = text.replace("\\;", ";").encode()
    parts = [octets[at : at + _CHUNK] for at in range(0, len(octets), _CHUNK)] or [b""]
    return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, parts).to_text()


def _service(value: object, *, is_lenient: bool) -> str:
    """SVCB and HTTPS, with their parameters."""
    head = [_word(_field(value, "svcpriority"), is_lenient)]
    target = _field(value, "targetname")
    head.append("." if target == "." else _name(target, is_lenient))
    params = value.get("svcparams") if isinstance(value, Mapping) else None
    if not isinstance(params or {}, Mapping):
        raise ValueUnfitError(f"svcparams: {params!r} has no values by their keys")
    for key, given in (params or {}).items():
        word = _word(key, is_lenient)
        text = ",".join(map(str, given)) if isinstance(given, list) else given
        head.append(word if text is None else f"{word}={_quoted(str(text))}")
    return " ".join(head)


_FIELDS: Mapping[str, tuple[tuple[str, Write], ...]] = {
    "A": (("value", _word),),
    "AAAA": (("value", _word),),
    "CNAME": (("value", _name),),
    "DNAME": (("value", _name),),
    "NS": (("value", _name),),
    "PTR": (("value", _name),),
    "OPENPGPKEY": (("value", _word),),
    "MX": (("preference|priority", _word), ("exchange|value", _name)),
    "SRV": (("priority", _word), ("weight", _word), ("port", _word), ("target", _name)),
    "CAA": (("flags", _word), ("tag", _word), ("value", _text)),
    "DS": (("key_tag", _word), ("algorithm", _word), ("digest_type", _word), ("digest", _word)),
    "SSHFP": (("algorithm", _word), ("fingerprint_type", _word), ("fingerprint", _word)),
    "TLSA": (
        ("certificate_usage", _word),
        ("selector", _word),
        ("matching_type", _word),
        ("certificate_association_data", _word),
    ),
    "NAPTR": (
        ("order", _word),
        ("preference", _word),
        ("flags", _text),
        ("service", _text),
        ("regexp", _text),
        ("replacement", _name),
    ),
}
