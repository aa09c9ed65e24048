"""Whether what git has of a zone is served: the answer that a NOTIFY waits for, as a value."""

from __future__ import annotations

from collections.abc import Iterator

import dns.name
import dns.rcode
from dns.edns import EDECode

from oakroot.frozen import frozen
from oakroot.protocol.message import ExtendedError
from oakroot.zones.diagnostics import errors
from oakroot.zones.loaded import Loaded, LoadedZone


@frozen
class Verdict:
    """A response code, and for all but NOERROR the reason."""

    rcode: dns.rcode.Rcode
    reason: ExtendedError | None = None


FINE = Verdict(dns.rcode.NOERROR)


def failure(code: EDECode, text: str) -> Verdict:
    """SERVFAIL with its reason."""
    return Verdict(dns.rcode.SERVFAIL, ExtendedError(code, text))


def of_zone(name: dns.name.Name, now: Loaded, before: Loaded) -> Verdict:
    """The verdict about the zone of this name, or about all our zones below it if there is none.

    NOERROR means that the repository's newest zones and keys are in effect; also if a zone is gone because
    its file is. A name that has nothing to do with us is NOTAUTH (RFC 1996 §3.10 leaves it open; RFC 2136
    §3.1.1 has the word for it).
    """
    zones = tuple(_zones(name, now))
    if not zones and not any(_zones(name, before)):
        text = f"the repository has no file for the zone {name}"
        return Verdict(dns.rcode.NOTAUTH, ExtendedError(EDECode.NOT_AUTHORITATIVE, text))
    problems = [*_zone_problems(zones), *_key_problems(name, now)]
    if not problems:
        return FINE
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return failure(EDECode.INVALID_DATA, problems[0] + more)


def _zones(name: dns.name.Name, loaded: Loaded) -> Iterator[LoadedZone]:
    """The zone of this name alone, or else all zones below the name."""
    text = name.canonicalize().to_text()
    if text in loaded.zones:
        yield loaded.zones[text]
        return
    end = "." if name == dns.name.root else f".{text}"
    for apex, zone in loaded.zones.items():
        # The text is a quick sieve; only the labels tell `a\.org` from `a.org`.
        if apex.endswith(end) and dns.name.from_text(apex).is_subdomain(name):
            yield zone


def _zone_problems(zones: tuple[LoadedZone, ...]) -> Iterator[str]:
    for zone in zones:
        if not zone.is_current:
            kept = "" if zone.zone is None else "; the last good version stays served"
            yield errors(zone.findings)[0].brief + kept


def _key_problems(name: dns.name.Name, loaded: Loaded) -> Iterator[str]:
    """Errors in those key files that are read for this name."""
    for key_file in loaded.key_files.values():
        apex = dns.name.root if key_file.zone is None else dns.name.from_text(key_file.zone)
        if not key_file.is_current and name.is_subdomain(apex):
            yield errors(key_file.findings)[0].brief
