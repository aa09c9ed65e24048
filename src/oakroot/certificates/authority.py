"""An ACME authority (RFC 8555) as the few things one asks of it: an account, orders, certificates.

Blocking, for threads; any number may share one `Authority`. What it says comes back as values of `orders`,
what it will not do as AuthorityError. When to ask for what is decided elsewhere.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import dns.name

from oakroot.certificates.jose import AccountKey, ExternalAccount, encode
from oakroot.certificates.names import write_name
from oakroot.certificates.orders import (
    Fault,
    MalformedAnswerError,
    Offer,
    Order,
    Problem,
    RenewalWindow,
    read_authorization,
    read_order,
    read_renewal_window,
)
from oakroot.certificates.transport import Answer, AuthorityError, Transport

STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"
PRODUCTION = "https://acme-v02.api.letsencrypt.org/directory"

_NONCES_LIMIT = 32
# At a rejection of one in three, of which pebble is capable, one request in 6,500 fails.
_NONCE_TRIES = 8
_RENEWAL_INFO_WAIT = 6 * 3600.0


class Authority:
    """One authority and our account with it."""

    def __init__(
        self,
        directory: str,
        key: AccountKey,
        *,
        contact: str | None = None,
        external: ExternalAccount | None = None,
        ca_file: Path | None = None,
    ) -> None:
        """`contact`: an e-mail address. `ca_file`: whom to trust for HTTPS. Raises OSError for that file."""
        self._directory_url = directory
        self._key = key
        self._contact = contact
        self._external = external
        self._transport = Transport(ca_file)
        self._directory: Mapping[str, object] = {}
        self._account: str | None = None
        self._nonces: deque[str] = deque(maxlen=_NONCES_LIMIT)
        self._lock = threading.Lock()

    def open(self) -> Offer:
        """Reads the directory, and finds or makes the account; its terms count as agreed to."""
        with _reading():
            self._directory = _members(self._get(self._directory_url).json())
            meta = _members(self._directory.get("meta"))
            self._account = self._open_account(meta)
            return self._offer(meta, self._account)

    def order(self, names: Iterable[dns.name.Name], *, profile: str | None, replaces: str | None) -> Order:
        """Orders a certificate for these names (§7.4); the authorizations are in the order."""
        wanted: dict[str, object] = {
            "identifiers": [{"type": "dns", "value": write_name(name)} for name in sorted(names)]
        }
        if profile is not None:
            wanted["profile"] = profile
        if replaces is not None:
            wanted["replaces"] = replaces
        with _reading():
            answer = self._post(self._resource("newOrder"), wanted)
            return self._with_authorizations(read_order(answer.json(), answer.location()))

    def look(self, url: str, *, closely: bool) -> Order:
        """How an order stands (§7.1.3); `closely`: with its authorizations, each of which is a question."""
        with _reading():
            answer = self._post(url, None)
            order = read_order(answer.json(), url, answer.retry_after)
            return self._with_authorizations(order) if closely else order

    def validate(self, challenges: Iterable[str]) -> None:
        """Says that these challenges are met (§7.5.1)."""
        for url in challenges:
            self._post(url, {})

    def finalize(self, order: Order, request: bytes) -> Order:
        """Hands in the signing request, in DER, of an order that is ready (§7.4)."""
        with _reading():
            answer = self._post(order.finalize_url, {"csr": encode(request)})
            return read_order(answer.json(), order.url, answer.retry_after)

    def download(self, url: str) -> str:
        """The certificate and its chain in PEM (§7.4.2)."""
        return self._post(url, None).body.decode("ascii", errors="replace")

    def renewal_window(self, identifier: str) -> RenewalWindow:
        """When the certificate with this identifier is to be renewed (RFC 9773 §4)."""
        with _reading():
            url = f"{self._resource('renewalInfo').rstrip('/')}/{identifier}"
            answer = self._get(url)
            wait = _RENEWAL_INFO_WAIT if answer.retry_after is None else answer.retry_after
            return read_renewal_window(answer.json(), wait)

    def close(self) -> None:
        """Closes all connections."""
        self._transport.close()

    def _open_account(self, meta: Mapping[str, object]) -> str:
        if meta.get("externalAccountRequired") is True and self._external is None:
            text = "it wants the account to be bound to one it knows: give --eab-kid and --eab-key"
            raise AuthorityError(Problem(Fault.ACCOUNT, "externalAccountRequired", text))
        url = self._resource("newAccount")
        wanted: dict[str, object] = {"termsOfServiceAgreed": True}
        if self._contact is not None:
            wanted["contact"] = [f"mailto:{self._contact}"]
        if self._external is not None:
            wanted["externalAccountBinding"] = self._external.binding(url, self._key)
        self._account = None
        return self._post(url, wanted).location()

    def _offer(self, meta: Mapping[str, object], account: str) -> Offer:
        identities, profiles = meta.get("caaIdentities"), meta.get("profiles")
        prefix = meta.get("accountHashPrefix", self._directory.get("accountHashPrefix"))
        return Offer(
            account=account,
            thumbprint=self._key.thumbprint,
            identities=tuple(map(str, identities)) if isinstance(identities, list) else (),
            profiles={str(name): str(text) for name, text in profiles.items()}
            if isinstance(profiles, dict)
            else None,
            has_renewal_info=isinstance(self._directory.get("renewalInfo"), str),
            hash_prefix=prefix if isinstance(prefix, str) else None,
        )

    def _with_authorizations(self, order: Order) -> Order:
        found = tuple(
            read_authorization(self._post(url, None).json(), url) for url in order.authorization_urls
        )
        return replace(order, authorizations=found)

    def _resource(self, name: str) -> str:
        url = self._directory.get(name)
        if not isinstance(url, str) or not url.startswith("https://"):
            raise MalformedAnswerError(f"the directory has no https URL {name!r}")
        return url

    def _get(self, url: str) -> Answer:
        answer, problem = self._transport.request("GET", url)
        if problem is not None:
            raise AuthorityError(problem)
        return answer

    def _post(self, url: str, payload: object) -> Answer:
        """A signed request; a nonce that is not taken is replaced by the one that comes back (§6.5)."""
        for _ in range(_NONCE_TRIES - 1):
            answer, problem = self._post_once(url, payload)
            if problem is None:
                return answer
            if problem.code != "badNonce":
                raise AuthorityError(problem)
        answer, problem = self._post_once(url, payload)
        if problem is not None:
            raise AuthorityError(problem)
        return answer

    def _post_once(self, url: str, payload: object) -> tuple[Answer, Problem | None]:
        body = self._key.sign(url, self._nonce(), payload, self._account)
        answer, problem = self._transport.request("POST", url, body)
        self._keep_nonce(answer)
        return answer, problem

    def _nonce(self) -> str:
        with self._lock:
            if self._nonces:
                # The youngest: authorities forget old ones.
                return self._nonces.pop()
        answer, problem = self._transport.request("HEAD", self._resource("newNonce"))
        nonce = answer.headers.get("replay-nonce")
        if problem is not None:
            raise AuthorityError(problem)
        if nonce is None:
            raise MalformedAnswerError("the answer lacks the header Replay-Nonce")
        return nonce

    def _keep_nonce(self, answer: Answer) -> None:
        nonce = answer.headers.get("replay-nonce")
        if nonce is not None:
            with self._lock:
                self._nonces.append(nonce)


@contextmanager
def _reading() -> Iterator[None]:
    """What is no answer of an ACME authority may be a proxy's page, and gone tomorrow."""
    try:
        yield
    except MalformedAnswerError as error:
        raise AuthorityError(Problem(Fault.UNAVAILABLE, "malformed", str(error))) from None


def _members(body: object) -> Mapping[str, object]:
    return body if isinstance(body, dict) else {}
