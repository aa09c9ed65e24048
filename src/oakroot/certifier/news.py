"""What the log says about hosts and their certificates."""

from __future__ import annotations

from datetime import UTC, datetime

from oakroot.certificates.certificate import Certificate
from oakroot.certificates.names import write_name, write_names
from oakroot.certificates.rejected import RejectedError
from oakroot.certifier.state import Host
from oakroot.roles.events import Level, Log

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def about(level: Level, host: Host, text: str) -> Log:
    """A line about a host."""
    return Log(level, f"{write_name(host.name)}: {text}", zone=host.zone)


def refused(host: Host, refusal: str) -> Log:
    """Nothing is ordered for what is published."""
    return about("warning", host, f"nothing is ordered: {refusal}")


def ordering(host: Host, why: str) -> Log:
    """An order is about to be placed."""
    names = "" if host.request is None else write_names(host.request.names)
    return about("info", host, f"ordering a certificate for {names}: {why}")


def published(host: Host, certificate: Certificate) -> Log:
    """The primary has the certificate."""
    return about("info", host, f"certificate published, good until {moment(certificate.not_after)}")


def failed(host: Host, reason: str, wait: float) -> Log:
    """An order came to nothing."""
    return about("warning", host, f"{reason}; next try in {duration(wait)}")


def explained(error: RejectedError) -> str:
    """What was rejected and how to mend it."""
    return error.message if error.hint is None else f"{error.message} ({error.hint})"


def moment(wall: float) -> str:
    """A point in time as a log has it."""
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(seconds: float) -> str:
    """A wait in the largest unit that leaves it more than one of them."""
    for size, unit in ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
