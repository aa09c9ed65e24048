"""What updates did, in the words of a person: for the commit and for the log. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oakroot.frozen import frozen
from oakroot.protocol.update_judge import Change
from oakroot.zones.edits import TextRecord

SUBJECT_LENGTH = 72
# A key, or a certificate, is told apart by its beginning.
_RDATA_LENGTH = 80
_WORDS_LIMIT = 200
_CERTIFICATES = "_letsencrypt._tcp"
_REQUEST, _CERTIFICATE, _AUTHORITY = "3 255 0", "3 0 0", "0 0 0"
_CERTIFICATE_PHRASES = (
    (
        _REQUEST,
        "request a certificate for",
        "change the certificate request for",
        "withdraw the certificate request for",
    ),
    (_CERTIFICATE, "add the certificate for", "renew the certificate for", "remove the certificate for"),
)


@frozen
class Written:
    """What one update of a commit did to a zone; `key` and `client` say whose it was."""

    apex: str
    words: tuple[str, ...]
    key: str
    client: str


def describe_change(change: Change, apex: str) -> tuple[str, ...]:
    """A phrase for each record that came, went or became another."""
    rrsets: dict[tuple[str, str], tuple[list[TextRecord], list[TextRecord]]] = {}
    for records, side in ((change.removed, 0), (change.added, 1)):
        for record in records:
            rrsets.setdefault((record[0].lower(), record[2]), ([], []))[side].append(record)
    return tuple(phrase for gone, come in rrsets.values() for phrase in _describe_rrset(gone, come, apex))


def commit_message(written: Sequence[Written], serials: Mapping[str, int]) -> str:
    """The message of the commit that these updates make; `serials` are the new ones by apex."""
    together = _together(written)
    paragraphs = [together or _summary(written)]
    if together is None or len(authors(written)) > 1:
        paragraphs.append("\n".join(_limited(_lines(written, serials))))
    trailers = [
        *_trailers("Co-authored-by", [f"{key} <{address(key)}>" for key in authors(written)[1:]]),
        *_trailers("DNS-Key", [update.key for update in written]),
        *_trailers("DNS-Client", [update.client for update in written]),
        *_trailers("DNS-Serial", _serials(serials)),
    ]
    return "\n\n".join((*paragraphs, "\n".join(trailers))) + "\n"


def authors(written: Sequence[Written]) -> list[str]:
    """The keys that signed the updates, each once, in the order of their first update."""
    return list(dict.fromkeys(update.key for update in written))


def address(key: str) -> str:
    """What stands for the mail address of a key, which has none."""
    return f"{key}@localhost"


def _together(written: Sequence[Written]) -> str | None:
    """All that was done in one line, if there is room for it."""
    zone, *others = _zones(written)
    words = [words for update in written for words in update.words]
    line = f"{zone}: {', '.join(words)}"
    return line if not others and (len(words) == 1 or len(line) <= SUBJECT_LENGTH) else None


def _summary(written: Sequence[Written]) -> str:
    zones, count = _zones(written), sum(len(update.words) for update in written)
    if len(zones) == 1:
        return f"{zones[0]}: {count} changes"
    return f"Update {len(zones)} zones with {count} changes"


def _zones(written: Sequence[Written]) -> list[str]:
    return list(dict.fromkeys(_shown(update.apex) for update in written))


def _lines(written: Sequence[Written], serials: Mapping[str, int]) -> list[str]:
    """A line for each change; it names the zone and the key where there are several."""
    several_keys = len(authors(written)) > 1
    lines = []
    for update in written:
        zone = f"{_shown(update.apex)}: " if len(serials) > 1 else ""
        whose = f" ({update.key})" if several_keys else ""
        lines += [f"{zone}{words}{whose}" for words in update.words]
    return lines


def _limited(lines: Sequence[str]) -> list[str]:
    if len(lines) <= _WORDS_LIMIT:
        return list(lines)
    return [*lines[:_WORDS_LIMIT], f"and {len(lines) - _WORDS_LIMIT} more changes"]


def _trailers(name: str, values: Sequence[str]) -> list[str]:
    return [f"{name}: {value}" for value in dict.fromkeys(values)]


def _serials(serials: Mapping[str, int]) -> list[str]:
    """The number; where there are several, each with its zone behind it."""
    if len(serials) == 1:
        return [str(serial) for serial in serials.values()]
    return [f"{serial} {_shown(apex)}" for apex, serial in serials.items()]


def _describe_rrset(gone: list[TextRecord], come: list[TextRecord], apex: str) -> list[str]:
    known, new = ({rdata for *_, rdata in records} for records in (gone, come))
    removed = [record for record in gone if record[3] not in new]
    added = [record for record in come if record[3] not in known]
    what = f"{_relative((gone or come)[0][0], apex)} {(gone or come)[0][2]}"
    if what == "@ SOA":
        return ["change the SOA"]
    phrases = []
    if what.startswith(_CERTIFICATES) and what.endswith(" TLSA"):
        host = what.removeprefix(_CERTIFICATES).removesuffix(" TLSA").removeprefix(".") or "@"
        phrases = _describe_certificates(removed, added, host)
        removed, added = (
            [record for record in records if _form(record) == ""] for records in (removed, added)
        )
    if len(removed) == len(added) == 1:
        phrases.append(f"change {what} {_short(removed[0])} to {_short(added[0])}")
    else:
        phrases += [f"remove {what} {_short(record)}" for record in removed]
        phrases += [f"add {what} {_short(record)}" for record in added]
    ttls = ({record[1] for record in gone}, {record[1] for record in come})
    if known & new and ttls[0] != ttls[1]:
        phrases.append(f"change the TTL of {what} from {min(ttls[0])} to {min(ttls[1])}")
    return phrases


def _describe_certificates(removed: list[TextRecord], added: list[TextRecord], host: str) -> list[str]:
    """What happened to the request and the certificate of a host, whose octets tell a reader nothing."""
    gone, come = ({_form(record) for record in records} for records in (removed, added))
    phrases = []
    for form, anew, changed, away in _CERTIFICATE_PHRASES:
        if form in gone | come:
            phrase = away if form not in come else anew if form not in gone else changed
            phrases.append(f"{phrase} {host}")
    if not phrases and (gone | come) - {""}:
        phrases.append(f"change the authorities' certificates for {host}")
    return phrases


def _form(record: TextRecord) -> str:
    """The form of a certificate's record (docs/certificates.md); empty for any other."""
    form = " ".join(record[3].split()[:3])
    return form if form in {_REQUEST, _CERTIFICATE, _AUTHORITY} else ""


def _short(record: TextRecord) -> str:
    rdata = record[3]
    return rdata if len(rdata) <= _RDATA_LENGTH else rdata[: _RDATA_LENGTH - 3] + "..."


def _relative(owner: str, apex: str) -> str:
    if owner.lower() == apex.lower():
        return "@"
    return owner.removesuffix(".") if apex == "." else owner[: -len(apex) - 1]


def _shown(apex: str) -> str:
    return apex if apex == "." else apex.removesuffix(".")
