"""Takes questions to the authority, in threads of their own, and brings back what it says as values."""

from __future__ import annotations

import logging

from oakroot.certificates.authority import Authority
from oakroot.certificates.orders import Fault, Offer, Order, Problem, RenewalWindow
from oakroot.certificates.transport import AuthorityError
from oakroot.certifier.events import (
    Answered,
    Ask,
    AskRenewal,
    Download,
    Downloaded,
    Finalize,
    Look,
    Open,
    PlaceOrder,
    Question,
    Validate,
    Validated,
)

_log = logging.getLogger("oakroot.certifier")

Answer = Offer | Order | Validated | Downloaded | RenewalWindow | Problem


def put(authority: Authority, ask: Ask) -> Answered:
    """Asks, and waits for the answer. Never raises."""
    try:
        return Answered(ask.ticket, _answer(authority, ask.question))
    except AuthorityError as error:
        return Answered(ask.ticket, error.problem)
    except BaseException as error:  # noqa: BLE001 - a panic of the engine is no Exception; the service goes on
        _log.exception("this is a bug in Oakroot, please report it")
        text = f"a bug in Oakroot ({type(error).__name__}); its log says more"
        return Answered(ask.ticket, Problem(Fault.REFUSED, "bug", text))


def _answer(authority: Authority, question: Question) -> Answer:  # noqa: PLR0911 - one arm for each question
    match question:
        case Open():
            return authority.open()
        case PlaceOrder(names, profile, replaces):
            return authority.order(names, profile=profile, replaces=replaces)
        case Look(url, closely):
            return authority.look(url, closely=closely)
        case Validate(challenges):
            authority.validate(challenges)
            return Validated()
        case Finalize(order, request):
            return authority.finalize(order, request)
        case Download(url):
            return Downloaded(authority.download(url))
        case AskRenewal(identifier):
            return authority.renewal_window(identifier)
