"""How the names of an order are proved to be ours: which challenges, and which records they want where."""

from __future__ import annotations

import dns.name

from oakroot.certificates.jose import dns_value
from oakroot.certificates.names import challenge_name, persistent_name, write_name
from oakroot.certificates.orders import (
    DNS_CHALLENGE,
    PERSISTENT_CHALLENGE,
    Authorization,
    Offer,
    Order,
    Status,
)
from oakroot.certificates.persistent import Account, find_permission
from oakroot.certificates.rejected import RejectedError
from oakroot.certificates.signing_request import SigningRequest
from oakroot.certifier.events import Moment, Record
from oakroot.certifier.places import caa_objection, find_place, texts_at
from oakroot.certifier.state import State
from oakroot.frozen import frozen


@frozen
class Proofs:
    """Challenges to be validated, and the records to publish before."""

    challenges: tuple[str, ...]
    records: tuple[Record, ...]


def find_proofs(state: State, order: Order, now: Moment) -> Proofs:
    """What to do for the authorizations that are pending; raises RejectedError where nothing can be done.

    A wildcard and the name below it are proved at one name by two records.
    """
    offer = _offer(state)
    challenges, records = [], []
    for authorization in order.authorizations:
        if authorization.status is not Status.PENDING:
            continue
        url = _persistent(state, offer, authorization, now)
        if url is not None:
            challenges.append(url)
            continue
        challenge = authorization.challenge(DNS_CHALLENGE)
        if challenge is None:
            name = write_name(authorization.name)
            raise RejectedError("challenge", f"the authority does not take proofs by DNS for {name}")
        place = find_place(state.catalogue, challenge_name(authorization.name))
        records.append(Record(place, dns_value(challenge.token, offer.thumbprint)))
        if challenge.status is Status.PENDING:
            challenges.append(challenge.url)
    return Proofs(tuple(challenges), tuple(dict.fromkeys(records)))


def _persistent(state: State, offer: Offer, authorization: Authorization, now: Moment) -> str | None:
    """The URL of a dns-persist-01 challenge for which the record stands."""
    challenge = authorization.challenge(PERSISTENT_CHALLENGE)
    if challenge is None or challenge.status is not Status.PENDING:
        return None
    try:
        place = find_place(state.catalogue, persistent_name(authorization.name))
    except RejectedError:
        return None
    wanted = authorization.name
    if authorization.wildcard:
        wanted = dns.name.Name((b"*", *wanted.labels))
    account = Account(challenge.issuers, offer.account, offer.thumbprint, offer.hash_prefix)
    found = find_permission(texts_at(state.catalogue, place), wanted, account, now.wall)
    return None if found is None else challenge.url


def objection_of_caa(state: State, request: SigningRequest) -> str | None:
    """Why CAA records of ours would make the authority refuse; None where they would not."""
    offer = _offer(state)
    objections = (
        caa_objection(state.catalogue, name, offer.identities, offer.account, DNS_CHALLENGE)
        for name in sorted(request.names)
    )
    return next((objection for objection in objections if objection is not None), None)


def _offer(state: State) -> Offer:
    offer = state.authority.offer
    if offer is None:
        raise AssertionError("jobs begin when the account is open")
    return offer
