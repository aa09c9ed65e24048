"""Is the zone delegated, and do parent and zone say the same? RFC 1034 §4.2.2, RFC 2181 §10.3, RFC 9471."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from oakroot.doctor.finding import Finding, Severity, listed
from oakroot.doctor.observations import Name, Observations, ParentServer, ZoneServer, ns_targets, spoken


def judge_delegation(seen: Observations) -> Iterator[Finding]:
    """All about the delegation."""
    zone = spoken(seen.zone)
    if seen.trouble is not None:
        advice = "mend the zone above; if it is well, `--resolver` goes another way"
        yield Finding("error", "no-way", zone, f"the way to the zone was not found: {seen.trouble}", advice)
        return
    answering = [each for each in seen.parents if each.trouble is None]
    for each in seen.parents:
        if each.trouble is not None:
            about = f"{spoken(each.name)} ({each.address})"
            message = f"this name server of {spoken(seen.parent)} is of no use: {each.trouble}"
            yield Finding("warning", "parent-silent", about, message, "tell those who run the parent zone")
    delegated = _names(answering)
    if not delegated:
        message = f"{spoken(seen.parent)} does not delegate this zone"
        advice = f"have its registrar or operator enter the zone's name servers in {spoken(seen.parent)}"
        yield Finding("error", "not-delegated", zone, message, advice)
        return
    yield from _differences(seen, answering, delegated)
    yield from _glue(seen, answering, delegated)
    yield from _hosts(seen, delegated)


def _differences(
    seen: Observations, parents: Sequence[ParentServer], delegated: frozenset[Name]
) -> Iterator[Finding]:
    zone = spoken(seen.zone)
    if len({each.names for each in parents}) > 1:
        advice = "wait until the parent's servers agree; if they do not, tell those who run it"
        message = f"the name servers of {spoken(seen.parent)} name different name servers"
        yield Finding("warning", "parents-differ", zone, message, advice)
    sets = {frozenset(_targets(each)): each for each in seen.servers if _targets(each)}
    if len(sets) > 1:
        what = "; ".join(f"{server}: {_list(names)}" for names, server in sets.items())
        advice = "they have different versions of the zone: see that all follow the same primary"
        yield Finding(
            "warning", "ns-differ", zone, f"the zone's servers name different name servers: {what}", advice
        )
    own = frozenset[Name]().union(*sets)
    if not own:
        return
    if unknown := delegated - own:
        message = f"{spoken(seen.parent)} delegates to {_list(unknown)}, which the zone itself does not name"
        advice = "add NS records to the zone, or have the parent's removed"
        yield Finding("warning", "only-at-parent", zone, message, advice)
    if missing := own - delegated:
        message = f"the zone names {_list(missing)}, to which {spoken(seen.parent)} does not delegate"
        advice = "have them entered in the parent, or remove their NS records"
        yield Finding("warning", "only-at-zone", zone, message, advice)


def _glue(
    seen: Observations, parents: Sequence[ParentServer], delegated: frozenset[Name]
) -> Iterator[Finding]:
    for name in sorted(delegated):
        about = spoken(name)
        given = frozenset[str]().union(*(each.glue.get(name, frozenset()) for each in parents))
        is_needed = name.is_subdomain(seen.zone)
        if is_needed and not given:
            message = f"{spoken(seen.parent)} has no address for it, and only the zone itself could tell one"
            advice = f"have its addresses entered in {spoken(seen.parent)} as glue"
            yield Finding("error", "missing-glue", about, message, advice)
            continue
        lacking = [each for each in parents if name in each.names and not each.glue.get(name)]
        if is_needed and lacking:
            who = listed(spoken(each.name) for each in lacking)
            message = f"{who} of {spoken(seen.parent)} gives no address for it, others do"
            yield Finding("warning", "partial-glue", about, message, "tell those who run the parent zone")
        true = _true_addresses(seen, name)
        if given and true and given != true:
            said, meant = listed(sorted(given)), listed(sorted(true))
            message = f"{spoken(seen.parent)} gives {said}, but its addresses are {meant}"
            advice = f"have the glue in {spoken(seen.parent)} corrected"
            yield Finding("error" if not given & true else "warning", "wrong-glue", about, message, advice)


def _hosts(seen: Observations, delegated: frozenset[Name]) -> Iterator[Finding]:
    for name, host in sorted(seen.hosts.items()):
        about = spoken(name)
        if host.is_alias:
            advice = "give the name server a name with addresses of its own"
            message = "this name server's name is an alias (CNAME), which resolvers do not follow"
            yield Finding("error", "alias", about, message, advice)
        elif not host.addresses and not _has_glue(seen, name):
            message = "this name server's name has no address"
            message += f": {host.trouble}" if host.trouble else ""
            severity: Severity = "error" if name in delegated else "warning"
            yield Finding(
                severity, "no-address", about, message, "add A and AAAA records, or remove the NS record"
            )
    addresses = {each.address for each in seen.servers if each.name is not None}
    if len(addresses) == 1:
        message = "all depends on one server at one address"
        advice = "run a second one in another network (RFC 2182): `oakroot secondary` follows by a key alone"
        yield Finding("warning", "one-server", spoken(seen.zone), message, advice)


def _true_addresses(seen: Observations, name: Name) -> frozenset[str]:
    """What servers of the zone say where the name is within it, else what resolvers find."""
    if name.is_subdomain(seen.zone):
        said = [each.hosts[name] for each in seen.servers if name in each.hosts]
        return frozenset[str]().union(*said)
    host = seen.hosts.get(name)
    return frozenset(host.addresses) if host is not None else frozenset()


def _has_glue(seen: Observations, name: Name) -> bool:
    return any(each.glue.get(name) for each in seen.parents)


def _names(parents: Iterable[ParentServer]) -> frozenset[Name]:
    return frozenset(name for each in parents for name in each.names)


def _targets(server: ZoneServer) -> frozenset[Name]:
    return ns_targets(server.names)


def _list(names: Iterable[Name]) -> str:
    return listed(map(spoken, sorted(names)))
