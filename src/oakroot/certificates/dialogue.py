"""How a client comes to a certificate through DNS: look, publish a request, wait, look again.

A dialogue is a generator: it yields what it wants done and is sent what came of it, so a thread, an event
loop or a test with a clock of its own can carry it out. A question that failed is thrown into it as
ServerError.
What must not live here: sockets, clock, randomness, files, and TSIG.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping

import dns.name
import dns.rcode
import dns.rdatatype

from oakroot.certificates import questions
from oakroot.certificates.certificate import Certificate, is_fresh, require_sound
from oakroot.certificates.forms import Published, read_records, request_replacement
from oakroot.certificates.names import challenge_name, records_name, write_name
from oakroot.certificates.rejected import RejectedError
from oakroot.certificates.signing_request import SigningRequest
from oakroot.client.server import ServerError
from oakroot.frozen import frozen
from oakroot.protocol.message import Reply
from oakroot.protocol.query import build_soa_query, read_zone_of
from oakroot.protocol.soa_client import told

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 15.0
_GROWTH = 1.5
_HINTS: Mapping[int, str] = {
    dns.rcode.REFUSED: "does this server have the zone of {host}? a key that may update it is named "
    "anything._update.ZONE",
    dns.rcode.NOTAUTH: "a key that may update is named anything._update.ZONE; does the server know it?",
    dns.rcode.SERVFAIL: "nothing was changed; mend the cause and try again",
    dns.rcode.NOTIMP: "this server takes no updates: name the primary of the zone",
}


@frozen
class Ask:
    """Send this message to the server, signed where there is a key, and give me its reply."""

    message: bytes
    is_change: bool = False
    """An UPDATE, whose answer takes as long as a push does, and which must not be sent twice."""


@frozen
class Pause:
    """Wake me after so many seconds."""

    seconds: float


@frozen
class Tell:
    """Let the user know how far we are."""

    text: str


@frozen
class Event:
    """What a step has come to: the time, and the reply that was asked for, without its signature."""

    now: float
    reply: bytes = b""


Step = Ask | Pause | Tell
Chain = tuple[Certificate, ...]
Dialogue = Generator[Step, Event, Chain]


@frozen
class Wanted:
    """A certificate that is wanted from a server; the request has the names and the public key.

    `renew`: not even a good one will do. `obstacle`: why a request cannot be published, if that is known.
    """

    server: str
    host: dns.name.Name
    request: SigningRequest
    renew: bool = False
    obstacle: ServerError | None = None

    @property
    def place(self) -> dns.name.Name:
        """Where request and certificate are published."""
        return records_name(self.host)


def look(wanted: Wanted, now: float, draw: Callable[[], int]) -> Dialogue:
    """The chain that is published for the request, good or old; empty where there is none."""
    return (yield from _Client(wanted, now, draw).look())


def obtain(wanted: Wanted, now: float, patience: float, draw: Callable[[], int]) -> Dialogue:
    """A good chain for the request, after so many seconds of waiting at most; raises ServerError.

    `draw` gives identifiers of messages that nobody can guess.
    """
    return (yield from _Client(wanted, now, draw).obtain(patience))


class _Client:
    """One dialogue, and what it has learned."""

    def __init__(self, wanted: Wanted, now: float, draw: Callable[[], int]) -> None:
        self._wanted = wanted
        self._now = now
        self._draw = draw
        self._saw_challenge = False
        self._told = ""
        self._trouble: ServerError | None = None

    def obtain(self, patience: float) -> Dialogue:
        published = yield from self._published()
        chain = self._good_chain(published)
        if chain and not self._wanted.renew:
            yield from self._tell("a good certificate is in DNS")
            return chain
        yield from self._publish(published)
        return (yield from self._wait(self._now + patience, patience))

    def look(self) -> Dialogue:
        published = yield from self._published()
        return self._sound_chain(published)

    def _publish(self, published: Published) -> Generator[Step, Event, None]:
        delete, add = request_replacement(published, self._wanted.request, renew=self._wanted.renew)
        if not delete and not add:
            yield from self._tell("the request is in DNS already")
            return
        if self._wanted.obstacle is not None:
            raise self._wanted.obstacle
        zone = yield from self._zone_of(self._wanted.place)
        for name in sorted(self._wanted.request.names):
            yield from self._zone_of(challenge_name(name))
        update = questions.build_update(zone, self._wanted.place, delete, add, self._draw())
        reply = questions.read(update, (yield from self._ask(update, is_change=True)))
        if reply is None or reply.reply.rcode != dns.rcode.NOERROR:
            raise self._refusal("the request", None if reply is None else reply.reply)
        yield from self._tell(f"the request is published at {self._wanted.place}")

    def _wait(self, deadline: float, patience: float) -> Dialogue:
        yield from self._tell("waiting for a certifier")
        pause = FIRST_PAUSE
        while self._now < deadline:
            yield from self._pause(min(pause, deadline - self._now))
            pause = min(pause * _GROWTH, LONGEST_PAUSE)
            try:
                published = yield from self._published()
                yield from self._watch_challenge()
            except ServerError as trouble:
                # A server that is being restarted will be asked again; what it said last is told in the end.
                self._trouble = trouble
                continue
            self._trouble = None
            self._require_our_request(published)
            chain = self._good_chain(published)
            if chain:
                yield from self._tell("the certificate is there")
                return chain
        caa = "" if self._saw_challenge or self._trouble else (yield from self._caa())
        raise self._timeout(patience, caa)

    def _published(self) -> Generator[Step, Event, Published]:
        answer = yield from self._query(self._wanted.place, dns.rdatatype.TLSA)
        try:
            return read_records(answer.rdatas(self._wanted.place, "TLSA"))
        except RejectedError as error:
            raise ServerError(f"{self._wanted.server}: {error.message}", hint=error.hint) from None

    def _zone_of(self, name: dns.name.Name) -> Generator[Step, Event, dns.name.Name]:
        """The server's zone that holds the name; where an alias tells nothing, the name above does."""
        asked = name
        while True:
            query = build_soa_query(asked, self._draw())
            octets = yield from self._ask(query)
            zone = read_zone_of(query, octets, asked)
            if zone is not None:
                return zone
            if asked == dns.name.root:
                raise ServerError(
                    f"{self._wanted.server} has no zone that holds {name}",
                    hint="every name of a certificate is proved in its own zone: do you mean another server?",
                )
            asked = asked.parent()

    def _query(self, name: dns.name.Name, kind: int) -> Generator[Step, Event, questions.Answer]:
        """The answer of a server that has the name's zone; raises ServerError for any other."""
        query = questions.build_query(name, kind, self._draw())
        answer = questions.read(query, (yield from self._ask(query)))
        if answer is None or answer.reply.rcode not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            raise self._refusal(f"the question for {name}", None if answer is None else answer.reply)
        if not answer.is_authoritative:
            raise ServerError(
                f"{self._wanted.server} is not authoritative for {name}",
                hint="name the primary of the zone; a name below a delegation has another one",
            )
        return answer

    def _watch_challenge(self) -> Generator[Step, Event, None]:
        """What the certifier does shows in DNS, too: its challenge comes, and goes when the order is over."""
        name = challenge_name(min(self._wanted.request.names))
        answer = yield from self._query(name, dns.rdatatype.TXT)
        if answer.has("TXT"):
            self._saw_challenge = True
            yield from self._tell("a certifier is at work: its challenge is published")
        elif self._saw_challenge:
            yield from self._tell("the challenge was taken away again: waiting for the certificate")

    def _require_our_request(self, published: Published) -> None:
        delete, add = request_replacement(published, self._wanted.request, renew=False)
        if not add:
            return
        if delete:
            raise ServerError(
                f"another request has taken the place of ours at {self._wanted.place}",
                hint=f"does somebody else ask for a certificate of {self._host}, with another key?",
            )
        raise ServerError(
            f"the request at {self._wanted.place} is gone",
            hint="was it taken out of the zone? or is there a CNAME, beside which nothing else may be?",
        )

    def _good_chain(self, published: Published) -> Chain:
        chain = self._sound_chain(published)
        return chain if chain and is_fresh(chain[0], self._now) else ()

    def _sound_chain(self, published: Published) -> Chain:
        chain = published.chain_for(self._wanted.request)
        try:
            if chain:
                require_sound(chain)
        except RejectedError as error:
            self._trouble = ServerError(
                f"the certificate at {self._wanted.place}: {error.message}", hint=error.hint
            )
            return ()
        return chain

    def _refusal(self, what: str, reply: Reply | None) -> ServerError:
        if reply is None:
            return ServerError(f"{self._wanted.server} answered {what} with something unreadable")
        return ServerError(
            f"{self._wanted.server} does not take {what}: {told(reply)}",
            hint=_HINTS.get(reply.rcode, "").format(host=self._host) or None,
        )

    def _caa(self) -> Generator[Step, Event, str]:
        """The CAA records that hold for the host, by which a certifier may refuse to order (RFC 8659 §3)."""
        name = self._wanted.host
        while name != dns.name.root:
            try:
                answer = yield from self._query(name, dns.rdatatype.CAA)
            except ServerError:
                return ""
            rdatas = answer.rdatas(name, "CAA")
            if rdatas:
                return f"CAA at {name} may forbid it ({', '.join(rdatas)})"
            name = name.parent()
        return ""

    def _timeout(self, patience: float, caa: str) -> ServerError:
        if self._trouble is not None:
            return self._trouble
        if not self._saw_challenge:
            return ServerError(
                f"no certifier has answered the request for {self._host} within {patience:g} s",
                hint=f"{caa or 'does `oakroot certifier` run for this zone?'}; its log says what it thinks "
                "of the request, which stays: try again later, or wait longer with --timeout",
            )
        return ServerError(
            f"a certifier works on {self._host}, and there is no certificate after {patience:g} s",
            hint="its log says what the authority said; the request stays published, so try again later",
        )

    @property
    def _host(self) -> str:
        return write_name(self._wanted.host)

    def _tell(self, text: str) -> Generator[Step, Event, None]:
        if text != self._told:
            self._told = text
            self._now = (yield Tell(text)).now

    def _pause(self, seconds: float) -> Generator[Step, Event, None]:
        self._now = (yield Pause(seconds)).now

    def _ask(self, message: bytes, *, is_change: bool = False) -> Generator[Step, Event, bytes]:
        event = yield Ask(message, is_change)
        self._now = event.now
        return event.reply
