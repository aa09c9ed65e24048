"""What a certifier says of itself: what the secondary in it says, and how the certificates stand. Pure."""

from __future__ import annotations

from dataclasses import replace

from oakroot.certifier.hosts import renewal
from oakroot.certifier.state import NEVER, Host, State
from oakroot.operate.overview import HostCertificate, Overview, Queue
from oakroot.roles.events import Moment


def overview(state: State, copies: Overview, now: Moment) -> Overview:
    """The certifier at this moment; `copies` is the overview of its copies of zones.

    Hosts are in the order of their names, whoever asked first.
    """
    hosts = sorted(state.hosts.values(), key=lambda host: host.name)
    return replace(
        copies,
        role="certifier",
        certificates=tuple(_certificate(state, host, now) for host in hosts),
        queues=(
            Queue("orders", state.at_work, state.settings.jobs),
            Queue("orders-waiting", len(state.queue)),
            *copies.queues,
        ),
        events={**copies.events, **state.counters},
    )


def _certificate(state: State, host: Host, now: Moment) -> HostCertificate:
    chain = host.chain or host.issued
    not_after = chain[0].not_after if chain else None
    waits = host.moment if host.moment > now.monotonic else None
    return HostCertificate(
        host=host.name.to_text(omit_final_dot=True),
        zone=host.zone,
        state=_state(state, host, not_after, now),
        not_after=not_after,
        renewal=renewal(state, host, chain[0]) if chain else None,
        next_step=None if waits is None or waits == NEVER else now.wall + waits - now.monotonic,
        reason=host.refusal or host.last_failure,
    )


def _state(state: State, host: Host, not_after: float | None, now: Moment) -> str:
    if host.refusal is not None:
        return "refused"
    if host.job is not None:
        return "working"
    if host.owner in state.queue:
        return "waiting"
    return "valid" if not_after is not None and not_after > now.wall else "missing"
