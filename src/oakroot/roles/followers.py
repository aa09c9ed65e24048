"""Those who copy our zones: what their transfers are answered with, and whom to keep connected.

Any role that serves zones feeds them in the same way. What must not live here: which versions of a zone there
are, and how fast anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable

import dns.name
import dns.rcode
from dns.edns import EDECode

from oakroot._engine import Catalogue, Zone
from oakroot.distribution.actions import Distribute, Enlist, NoteAsked, Remind, SendTransfer
from oakroot.frozen import frozen
from oakroot.keys.grant import Operation
from oakroot.protocol import transfer_server
from oakroot.protocol.message import ExtendedError
from oakroot.protocol.transfer_server import Refused, VersionsOf
from oakroot.roles.requests import Asked


@frozen
class TransferRules:
    """What the operator decides about transfers, besides keys."""

    unsigned: bool = False
    """Whether zones are sent to anybody."""
    tls_only: bool = False
    """Whether they are sent over TLS alone."""


def judge_transfer(
    asked: Asked, zone: dns.name.Name, versions_of: VersionsOf, rules: TransferRules
) -> tuple[Distribute, ...] | Refused:
    """What to do about a query for a transfer of this zone."""
    if rules.tls_only and asked.request.transport != "tls":
        reason = "zones are sent over TLS only (RFC 9103, ALPN dot)"
        return Refused(dns.rcode.REFUSED, ExtendedError(EDECode.PROHIBITED, reason))
    verdict = transfer_server.judge(
        asked.query,
        asked.signer,
        versions_of,
        over_tcp=asked.request.transport != "udp",
        unsigned_allowed=rules.unsigned,
    )
    if isinstance(verdict, Refused):
        return verdict
    context = None if asked.signature is None else asked.signature.context
    return (SendTransfer(asked.request, asked.query, verdict, context), *_note_asked(asked, zone))


def visible(
    asked: Asked, name: dns.name.Name, catalogue: Catalogue, hidden: Callable[[str], Zone | None]
) -> Catalogue:
    """What a query for this name is answered from: also from a catalog zone, to those who may transfer it.

    `hidden` gives the catalog zone of a name. Nobody else should learn of all zones.
    """
    while asked.signer is not None:
        zone = hidden(name.canonicalize().to_text())
        if zone is not None:
            allowed = asked.signer.grant.allows(Operation.TRANSFER, name)
            return catalogue.with_zones([zone]) if allowed else catalogue
        if name == dns.name.root:
            break
        name = name.parent()
    return catalogue


def soa_asked(asked: Asked, zone: dns.name.Name) -> tuple[Distribute, ...]:
    """Who asks for a SOA over TCP wants to hear of changes over that connection; for `.`, of all zones."""
    signer = asked.signer
    if signer is None or not signer.grant.may(Operation.TRANSFER):
        return ()
    if zone != dns.name.root and not signer.grant.covers(zone):
        return ()
    if asked.request.transport != "udp":
        return (*_note_asked(asked, zone), Enlist(asked.request, signer, zone))
    if zone == dns.name.root:
        return (Remind(asked.request.peer[0], signer),)
    return _note_asked(asked, zone)


def _note_asked(asked: Asked, zone: dns.name.Name) -> tuple[Distribute, ...]:
    """Only a signed request comes for certain from where it seems to."""
    return () if asked.signer is None else (NoteAsked(asked.request.peer[0], zone),)
