"""What a query is answered, its signature judged: data by the engine, transfers as any server gives them.

What must not live here: which zones a role serves, and which versions of them it keeps.
"""

from __future__ import annotations

from collections.abc import Callable

import dns.rdatatype

from oakroot._engine import Catalogue, Zone
from oakroot.distribution.actions import Distribute
from oakroot.frozen import frozen
from oakroot.protocol import transfer_server
from oakroot.protocol.transfer_server import VersionsOf
from oakroot.protocol.wire import MalformedError, Question, read_question
from oakroot.roles.events import Log, Moment, SendReply
from oakroot.roles.followers import TransferRules, judge_transfer, soa_asked, visible
from oakroot.roles.quota import Quota
from oakroot.roles.requests import Asked, answer, name_of, reply


@frozen
class Sources:
    """What a role answers queries from."""

    catalogue: Catalogue
    hidden: Callable[[str], Zone | None]
    """The catalog zone of a name, which is there for those alone who may transfer it."""
    versions_of: VersionsOf
    rules: TransferRules


Answered = tuple[Quota, tuple[SendReply | Log | Distribute, ...]]


def answer_query(asked: Asked, sources: Sources, quota: Quota, now: Moment) -> Answered:
    """The actions that answer it; ordinary queries come to a role for their signature alone."""
    try:
        question = read_question(asked.query)
    except MalformedError:
        return quota, reply(asked, answer(asked, sources.catalogue), now)
    if question.type in transfer_server.TRANSFER_TYPES:
        return _transfer(asked, question, sources, quota, now)
    catalogue = visible(asked, question.name, sources.catalogue, sources.hidden)
    replies = reply(asked, answer(asked, catalogue), now)
    if question.type == dns.rdatatype.SOA:
        return quota, (*replies, *soa_asked(asked, question.name))
    return quota, replies


def _transfer(asked: Asked, question: Question, sources: Sources, quota: Quota, now: Moment) -> Answered:
    verdict = judge_transfer(asked, question.name, sources.versions_of, sources.rules)
    if not isinstance(verdict, transfer_server.Refused):
        return quota, verdict
    wire = transfer_server.refusal(asked.query, verdict, asked.reserve)
    reason = verdict.reason.text
    quota, log = quota.tell(
        asked.request, f"a transfer refused: {reason}", now, key=name_of(asked), reason=reason
    )
    return quota, (*reply(asked, wire, now), *log)
