"""The commands of the control socket as every role has them: they ask a running service and say what came.

What must not live here: what a role does then, and how it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

import dns.exception
import dns.name

from oakroot.operate.control import ControlError, Request
from oakroot.operate.control_server import Handler
from oakroot.operate.overview import Overview, Tap

SETTINGS_UNFIT = "the settings cannot be used, those before stay: see the log"
"""Why a reload is not done, though all else that belongs to it is."""


class Service(Protocol):
    """A role that runs."""

    def overview(self) -> Overview:
        """What there is to tell now."""

    async def reload(self, apex: str | None) -> str:
        """Does what SIGHUP does, for all or for one zone, and says what came or will come of it."""


class Spreading(Service, Protocol):
    """A role whose zones others copy."""

    def notify(self, apex: str | None) -> None:
        """Notifies everybody of a zone, or of all."""

    async def stay(self) -> str:
        """Serves on while systemd restarts the service; says so. ControlError: it cannot."""

    async def leave(self) -> str:
        """Closes its sockets and ends; says so. ControlError: nobody has come in its place."""


class Copying(Spreading, Protocol):
    """A role that copies zones."""

    def retransfer(self, apex: str) -> None:
        """Transfers the whole zone anew, whatever its serial is."""


Taps = Callable[[], tuple[Tap, ...]]
"""Tells where queries are shown: that is no matter of a role's."""


def commands(service: Service, taps: Taps = tuple) -> dict[str, Handler]:
    """Those of every role."""

    async def status(_request: Request) -> Mapping[str, object]:
        return {"overview": replace(service.overview(), taps=taps())}

    async def reload(request: Request) -> Mapping[str, object]:
        zone = _zone(service, request)
        said = await service.reload(zone)
        return {"said": said, "overview": _part(service.overview(), zone)}

    return {"status": status, "reload": reload}


def spreading_commands(service: Spreading, taps: Taps = tuple) -> dict[str, Handler]:
    """Those of a role that others copy zones from."""

    async def notify(request: Request) -> Mapping[str, object]:
        zone = _zone(service, request)
        service.notify(zone)
        whom = "everybody who copies zones" if zone is None else f"everybody who copies {zone}"
        return {"said": f"{whom} is being notified"}

    async def stay(_request: Request) -> Mapping[str, object]:
        return {"said": await service.stay()}

    async def leave(_request: Request) -> Mapping[str, object]:
        return {"said": await service.leave()}

    return {**commands(service, taps), "notify": notify, "stay": stay, "leave": leave}


def copying_commands(service: Copying, taps: Taps = tuple) -> dict[str, Handler]:
    """Those of a role that copies zones."""

    async def retransfer(request: Request) -> Mapping[str, object]:
        zone = _zone(service, request)
        if zone is None:
            raise ControlError("retransfer needs a zone")
        service.retransfer(zone)
        return {"said": f"{zone} is being transferred whole"}

    return {**spreading_commands(service, taps), "retransfer": retransfer}


def _zone(service: Service, request: Request) -> str | None:
    """The apex of the zone that is meant; None: all."""
    text = request.text("zone")
    if text is None:
        return None
    try:
        apex = dns.name.from_text(text).canonicalize().to_text()
    except (dns.exception.DNSException, ValueError):
        raise ControlError(f"{text!r} is no domain name") from None
    overview = service.overview()
    if not any(zone.apex == apex for zone in overview.zones):
        raise ControlError(f"this {overview.role} has no zone {apex}", "`oakroot status` lists its zones")
    return apex


def _part(overview: Overview, zone: str | None) -> Mapping[str, object]:
    """What a reload is about: that zone, or those that are not well."""
    zones = [each for each in overview.zones if each.apex == zone or (zone is None and each.reason)]
    return {"role": overview.role, "git": overview.git, "zones": zones, "zone_count": len(overview.zones)}
