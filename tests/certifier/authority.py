"""An ACME authority without a network: it answers questions at once, and issues real certificates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import dns.name
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from oakroot.certificates.jose import dns_value
from oakroot.certificates.names import challenge_name, is_wildcard, without_wildcard, write_name
from oakroot.certificates.orders import (
    Authorization,
    Challenge,
    Fault,
    Offer,
    Order,
    Problem,
    RenewalWindow,
    Status,
)
from oakroot.certifier.desk import Answer
from oakroot.certifier.events import (
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
from tests.certificates.minting import DAY, as_pem, new_authority, new_key

BASE = "https://ca.example"
ACCOUNT = f"{BASE}/account/1"
THUMBPRINT = "a-thumbprint"
DOWN = Problem(Fault.UNAVAILABLE, "connection", "it does not answer in time")
WRONG_TXT = Problem(Fault.REFUSED, "unauthorized", "no TXT record found")
NO_SUCH_ORDER = Problem(Fault.REFUSED, "malformed", "no such order")
NO_WINDOW = Problem(Fault.REFUSED, "malformed", "no renewal information")


@dataclass
class FakeAuthority:
    """Its knobs are what a test turns; its lists are what a test looks at."""

    texts: Callable[[dns.name.Name], tuple[str, ...]]
    """The TXT records it finds at a name."""
    wall: Callable[[], float]
    offer: Offer = field(default_factory=lambda: Offer(ACCOUNT, THUMBPRINT, ("ca.example",)))
    lifetime: float = 90 * DAY
    problem: Callable[[Question], Problem | None] = lambda _: None
    window: RenewalWindow | None = None
    persistent: bool = False
    challenge_kind: str = "dns-01"
    processing: int = 0
    """How often an order that was finalized is not done yet."""
    orders: dict[str, Order] = field(default_factory=dict)
    certificates: dict[str, str] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)

    def answer(self, question: Question) -> Answer:  # noqa: PLR0911 - one arm for each question
        """What it says."""
        self.asked.append(question)
        problem = self.problem(question)
        if problem is not None:
            return problem
        match question:
            case Open():
                return self.offer
            case PlaceOrder(names):
                return self._place(names)
            case Look(url):
                return self._look(url)
            case Validate(challenges):
                self._validate(challenges)
                return Validated()
            case Finalize(order, request):
                return self._finalize(order.url, request)
            case Download(url):
                return Downloaded(self.certificates[url])
            case AskRenewal():
                return self.window or NO_WINDOW

    def count(self, kind: type[object]) -> int:
        """How often it was asked so."""
        return sum(isinstance(question, kind) for question in self.asked)

    def _place(self, names: frozenset[dns.name.Name]) -> Order:
        number = len(self.orders) + 1
        authorizations = tuple(
            self._authorization(f"{BASE}/{number}/{position}", name)
            for position, name in enumerate(sorted(names))
        )
        urls = tuple(each.url for each in authorizations)
        url = f"{BASE}/order/{number}"
        order = Order(url, Status.PENDING, names, urls, f"{url}/finalize", authorizations=authorizations)
        self.orders[url] = order
        return order

    def _authorization(self, url: str, name: dns.name.Name) -> Authorization:
        challenges = [Challenge(self.challenge_kind, f"{url}/dns", Status.PENDING, token=f"token-of-{url}")]
        if self.persistent:
            persist = Challenge("dns-persist-01", f"{url}/persist", Status.PENDING, issuers=("ca.example",))
            challenges.insert(0, persist)
        return Authorization(
            url, without_wildcard(name), is_wildcard(name), Status.PENDING, tuple(challenges)
        )

    def _look(self, url: str) -> Order | Problem:
        order = self.orders.get(url)
        if order is not None and order.status is Status.PROCESSING:
            self.processing -= 1
            if self.processing <= 0:
                order = replace(order, status=Status.VALID)
                self.orders[url] = order
        return order or NO_SUCH_ORDER

    def _validate(self, challenges: tuple[str, ...]) -> None:
        for url, order in self.orders.items():
            authorizations = tuple(self._proved(each, challenges) for each in order.authorizations)
            if authorizations == order.authorizations:
                continue
            states = {each.status for each in authorizations}
            status = Status.INVALID if Status.INVALID in states else order.status
            if states == {Status.VALID}:
                status = Status.READY
            self.orders[url] = replace(order, authorizations=authorizations, status=status)

    def _proved(self, authorization: Authorization, challenges: tuple[str, ...]) -> Authorization:
        for challenge in authorization.challenges:
            if challenge.url not in challenges:
                continue
            if challenge.kind == "dns-persist-01" or self._finds(authorization.name, challenge.token):
                return replace(authorization, status=Status.VALID)
            wrong = replace(challenge, status=Status.INVALID, problem=WRONG_TXT)
            return replace(authorization, status=Status.INVALID, challenges=(wrong,))
        return authorization

    def _finds(self, name: dns.name.Name, token: str) -> bool:
        return dns_value(token, THUMBPRINT) in self.texts(challenge_name(name))

    def _finalize(self, url: str, request: bytes) -> Order:
        order = self.orders[url]
        assert order.status is Status.READY, "orders are finalized when they are ready"
        certificate = f"{url}/certificate"
        self.certificates[certificate] = self._issue(request, order.names)
        status = Status.PROCESSING if self.processing else Status.VALID
        self.orders[url] = replace(order, status=status, certificate_url=certificate)
        return self.orders[url]

    def _issue(self, request: bytes, names: frozenset[dns.name.Name]) -> str:
        start = dt.datetime.fromtimestamp(self.wall(), dt.UTC)
        alternative = x509.SubjectAlternativeName([x509.DNSName(write_name(name)) for name in sorted(names)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Intermediate")]))
            .public_key(x509.load_der_x509_csr(request).public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(seconds=self.lifetime))
            .add_extension(alternative, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier(b"k" * 20, None, None), critical=False)
            .sign(new_key("p384"), SHA256())
        )
        return as_pem(certificate.public_bytes(Encoding.DER), new_authority("Intermediate", "Root"))
