"""The one door to the Rust engine: zone text, zones, answers, packets.

Names are text with a final dot; times are seconds. Values are immutable and may be shared between threads.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal, final

__all__ = [
    "Catalogue",
    "Diagnostic",
    "Document",
    "EditError",
    "Exchange",
    "Incoming",
    "Marks",
    "Outgoing",
    "ReadingZones",
    "Record",
    "Request",
    "Server",
    "TransferError",
    "Zone",
    "adopt_cookie_secret",
    "canonical_rdata",
    "cookie_secret",
    "find_serial",
    "give_back_memory",
    "message_layout",
    "read_message_records",
    "read_records",
    "read_zone",
    "read_zone_with_marks",
    "reread_zone",
    "type_number",
    "wire_rdata",
]

@final
class Diagnostic:
    """One finding about zone text."""

    @property
    def severity(self) -> Literal["error", "warning"]: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def hint(self) -> str | None: ...
    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def end_column(self) -> int: ...
    @property
    def source_start(self) -> int:
        """How many characters of the line stand before `source_line`."""

    @property
    def source_line(self) -> str | None:
        """The text of the line, of a long one the part around the column; None for confidential files."""

@final
class Record:
    """One record in text form, with its place in the file."""

    @property
    def owner(self) -> str: ...
    @property
    def ttl(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def rdata(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...

@final
class Zone:
    """An immutable zone. Changed copies share all that did not change."""

    @property
    def apex(self) -> str: ...
    @property
    def serial(self) -> int: ...
    @property
    def record_count(self) -> int: ...
    @property
    def serial_is_sealed(self) -> bool:
        """Whether the zone carries a signature or digest of its SOA, which another serial would break."""

    def earliest_expiration(self, now: int) -> int | None:
        """When the first of its signatures expires, in seconds since 1970; None if the apex is not signed.

        Moments in signatures are those nearest to `now` (RFC 4034 section 3.1.5).
        """

    def with_serial(self, serial: int) -> Zone:
        """The same zone with another SOA serial."""

    def same_but_serial(self, other: Zone) -> bool:
        """Whether both hold the same records, the serial of the SOA left aside."""

    def sharing(self, other: Zone) -> Zone:
        """The same zone, sharing the memory of `other` wherever both are equal: two versions cost little."""

    def records(self) -> list[tuple[str, int, str, str]]:
        """(owner, ttl, type, rdata) in canonical order, the SOA first."""

    def types_of(self, owner: str) -> list[str]:
        """The types of the records of a name, also below a zone cut; empty where it has none."""

    def records_of(self, owner: str, rtype: str) -> list[tuple[str, int, str, str]]:
        """(owner, ttl, type, rdata) of one RRset, also below a zone cut; empty where there is none."""

    def faults_since(self, older: Zone) -> list[str]:
        """The errors a file of this version would have; `older`, from which it was changed, has none."""

    def difference(
        self, newer: Zone
    ) -> tuple[list[tuple[str, int, str, str]], list[tuple[str, int, str, str]]]:
        """What to remove from this version and what to add to it, to have the newer; an SOA comes first."""

    def records_lost(self, newer: Zone) -> int:
        """How many records go without another in their RRset in their place."""

    def changed(
        self,
        remove: Sequence[tuple[str, int, str, str]],
        add: Sequence[tuple[str, int, str, str]],
    ) -> Zone:
        """The zone without some records and with others, at the cost of what is touched.

        ValueError: a record to remove is not there, one to add is, is of another zone, or is no record.
        """

def read_zone(
    text: bytes,
    apex: str,
    file: str,
    include: Callable[[str], bytes] | None = None,
) -> tuple[Zone | None, list[Diagnostic]]:
    """Reads and checks a zone file.

    `include` gives the content of an `$INCLUDE`d path as written; its OSError or ValueError becomes a
    diagnostic.
    The zone is None exactly when a diagnostic is an error.
    """

@final
class Marks:
    """Places in the text of a zone where reading can begin, for `reread_zone`."""

def read_zone_with_marks(
    text: bytes,
    apex: str,
    file: str,
    include: Callable[[str], bytes] | None = None,
    *,
    spacing: int = ...,
) -> tuple[Zone | None, list[Diagnostic], Marks | None]:
    """As `read_zone`; with marks if the text is long, and plain enough to be read in parts.

    About `spacing` octets (32768) lie between two marks: of a change so many are read.
    """

@final
class ReadingZones:
    """Zone files that are being read in a thread of the engine; meanwhile the caller can fetch the next."""

    def __new__(cls, files: Sequence[tuple[bytes, str, str]]) -> ReadingZones:
        """Begins to read these: text, apex, and name for findings."""

    def take(self) -> list[tuple[Zone | None, list[Diagnostic], Marks | None] | None]:
        """Waits, and gives what `read_zone_with_marks` gives of each; None for a file that includes others.

        To be asked once: a second time nothing is left.
        """

def reread_zone(old: bytes, new: bytes, zone: Zone, marks: Marks) -> tuple[Zone, Marks] | None:
    """Reads only what changed in the text of a zone.

    `zone` and `marks` are those of `old`. Gives what reading `new` as a whole would give, or None where that
    has to be done: it has findings, or is not plain, or most of it changed.
    """

def read_records(
    text: bytes,
    origin: str,
    file: str,
    include: Callable[[str], bytes] | None = None,
    *,
    default_ttl: int | None = ...,
    confidential: bool = False,
) -> tuple[list[Record], list[Diagnostic]]:
    """Reads master-file text as mere records, in their order, those with errors left out.

    `default_ttl`: of records without one, as if the text began with `$TTL` (0); None: as in a zone file.
    Confidential: no diagnostic quotes the text.
    """

def find_serial(
    text: bytes,
    apex: str,
    file: str,
    include: Callable[[str], bytes] | None = None,
) -> tuple[str, int, int] | None:
    """(file, start, end): the file the SOA stands in and the octets of its serial there."""

def give_back_memory() -> None:
    """Gives memory that is free back to the system: a large reading leaves much of it."""

class EditError(ValueError):
    """A change that cannot be written into the files of a zone. `args`: kind, text.

    Kinds: "shared-file", "default-ttl", "does-not-fit", "unreadable".
    """

@final
class Document:
    """The files of a zone as they are written, to be edited. Immutable; changed copies share the rest."""

    @staticmethod
    def read(
        text: bytes,
        apex: str,
        file: str,
        include: Callable[[str], bytes] | None = None,
        *,
        block_length: int = 1024,
    ) -> Document:
        """Reads the texts of a zone as `read_zone` does; ValueError where they have errors.

        An edit reads anew the blocks of about so many octets that it touches.
        """

    @property
    def files(self) -> list[str]:
        """The files in the order of opening, named as written, the zone file first."""

    def content(self, number: int) -> bytes:
        """The octets of the file with this index in `files`."""

    def changed(
        self,
        remove: Sequence[tuple[str, int, str, str]],
        add: Sequence[tuple[str, int, str, str]],
        *,
        shared: Sequence[int] | None = None,
        like: Document | None = None,
    ) -> Document:
        """The files with only the lines of some records changed; of a SOA only what is added counts.

        `shared`: indices of files in which nothing but a serial may change. A record that stands in `like` is
        written as it is there if that reads the same here. EditError: the change cannot be written;
        ValueError: one of the records is none.
        """

    def changed_files(self, older: Document) -> list[int]:
        """The indices of the files that differ from those of an older version."""

def message_layout(message: bytes) -> tuple[int, list[tuple[int, int, int, int, int, int, int]]]:
    """Where the questions of a message end, and of all its records where each one is.

    (section from 1 to 3, where it begins, type, class, ttl, where its RDATA begins, where that ends). Names
    are stepped over. ValueError: the message cannot be walked to its last octet.
    """

def read_message_records(message: bytes) -> list[tuple[int, str, str, int, int, str | None]]:
    """(section from 1 to 3, owner, type, class, ttl, rdata) of all records behind the question of a message.

    The RDATA is None where it has no octets. ValueError: the message is malformed.
    """

def canonical_rdata(rtype: str, rdata: str) -> str:
    """RDATA as text that is the same for all that is equal: names in lower case. ValueError: no RDATA."""

def wire_rdata(rtype: str, rdata: str) -> bytes:
    """The octets of RDATA written as text, names absolute. ValueError: it is none."""

def type_number(rtype: str) -> int:
    """The number of a type, of a meta type too. ValueError: there is none of this name."""

class TransferError(ValueError):
    """A transfer that is of no use. `args`: kind, text.

    Kinds: "refused" (an rcode), "malformed", "does-not-fit" (ask for the whole zone), "too-large".
    """

@final
class Outgoing:
    """The messages of a transfer, without signatures, in the order of sending."""

    @staticmethod
    def whole(query: bytes, zone: Zone, *, reserve: int = 0) -> Outgoing:
        """AXFR, or IXFR in its style. `reserve`: octets to leave free in each message, at most 900."""

    @staticmethod
    def steps(query: bytes, versions: Sequence[Zone], *, reserve: int = 0) -> Outgoing:
        """IXFR from the first version to the last; one version alone says that the client is up to date."""

    def __iter__(self) -> Outgoing: ...
    def __next__(self) -> bytes: ...

@final
class Incoming:
    """A transfer being received: messages in, verified and without TSIG; a zone out."""

    def __new__(cls, apex: str, base: Zone | None = None, *, allowance: int = 4294967296) -> Incoming:
        """`base`: the version IXFR asked from, None for AXFR. `allowance`: most octets of messages."""

    def feed(self, message: bytes) -> bool:
        """True when the transfer is complete. TransferError when it is of no use."""

    def outcome(self) -> tuple[Zone | None, list[str]]:
        """Once complete: the new version; (None, []): nothing newer; (None, reasons): not to be served."""

@final
class Catalogue:
    """An immutable set of zones, as served. Changed copies share all that did not change."""

    def __new__(cls) -> Catalogue: ...
    def __len__(self) -> int: ...
    def with_zones(self, zones: Sequence[Zone]) -> Catalogue:
        """Adds or replaces zones."""

    def with_unavailable(self, apexes: Sequence[str]) -> Catalogue:
        """Marks zones that are ours but cannot be served: answered SERVFAIL."""

    def without(self, apexes: Sequence[str]) -> Catalogue:
        """Takes zones away."""

    def zone(self, apex: str) -> Zone | None:
        """The zone served with exactly this apex."""

    def answer(
        self,
        query: bytes,
        *,
        transport: Literal["udp", "tcp", "tls"] = "udp",
        source: str = "127.0.0.1",
        reserve: int = 0,
    ) -> bytes | None:
        """Answers one query message without TSIG, as the serving threads would; None for silence.

        `source`: the client's address (its cookie depends on it). `reserve`: octets to leave free in the
        message (for a TSIG record).
        """

@final
class Request:
    """A packet the engine does not decide: NOTIFY, UPDATE, TSIG, transfers.

    By a connection that another `Request` keeps open also what the engine would leave unanswered comes, such
    as responses.
    """

    @property
    def wire(self) -> bytes: ...
    @property
    def transport(self) -> Literal["udp", "tcp", "tls"]:
        """What it came by; TLS without an agreement to speak DNS (ALPN dot) counts as TCP."""

    @property
    def peer(self) -> tuple[str, int]: ...
    @property
    def local(self) -> tuple[str, int]: ...

    HIGH_BACKLOG: ClassVar[int]
    """From so many unsent octets on, wait before replying more; `Server.handover_fd` wakes you."""

    def unsent(self) -> int:
        """Octets of replies that wait for the peer to take them."""

    def has_ended(self) -> bool:
        """Whether its connection brings nothing more: the peer closed its side, or all of it is gone."""

    def is_gone(self) -> bool:
        """Whether the connection it came by is closed; never so for UDP."""

@final
class Exchange:
    """A query and its answer, as `Server.take_exchanges` shows them."""

    @property
    def stage(self) -> Literal["settled", "handed-over", "answered", "continued"]:
        """What the query came to.

        "settled": it was answered at once, or gets no answer. "handed-over": it became a `Request`; its
        answers come as exchanges of their own, the first as "answered", any further as "continued".
        """

    @property
    def transport(self) -> Literal["udp", "tcp", "tls"]:
        """As that of a `Request`."""

    @property
    def asked(self) -> int:
        """When the query came, in nanoseconds since 1970."""

    @property
    def told(self) -> int:
        """When this was put down, on the same clock: the time of the answer, where there is one."""

    @property
    def peer(self) -> tuple[bytes, int]:
        """Who asked: the octets of the address (4 or 16), and the port."""

    @property
    def local(self) -> tuple[bytes, int]:
        """The address of ours that was asked, in the same form."""

    @property
    def query(self) -> bytes: ...
    @property
    def answer(self) -> bytes | None:
        """What was sent; None: nothing (yet)."""

def cookie_secret() -> bytes:
    """16 octets that this process draws the secrets of its DNS cookies from (RFC 9018), a new one each day.

    Random, if it has not adopted those of another process. For a successor of ours, and nobody else.
    """

def adopt_cookie_secret(secret: bytes) -> None:
    """Goes on with what another process drew its secrets from: cookies that it gave out stay good.

    To be called before there is a server. ValueError: these are not 16 octets, or it is too late.
    """

@final
class Server:
    """Sockets and serving threads. Answers queries from the published catalogue without Python."""

    def __new__(
        cls,
        listen: Sequence[tuple[str, int]],
        *,
        listen_tls: Sequence[tuple[str, int]] | None = None,
        inherited: Sequence[int] | None = None,
        workers: int = 1,
        tcp_connections: int = 1000,
        tcp_idle_seconds: float = 10.0,
        tcp_reply_seconds: float = 60.0,
        handover_queue: int = 1024,
        rate_limit: int = 0,
        udp_payload: int = 1232,
        identity: str | None = None,
        version: str | None = None,
    ) -> Server:
        """Binds UDP and TCP on every address; OSError names the address that cannot be bound.

        `listen_tls`: addresses for DNS over TLS 1.3, which is spoken once there is a certificate.
        `inherited`: descriptors of bound sockets; those for the addresses asked for are served instead of new
        ones. They stay the caller's to close.
        `tcp_reply_seconds`: how long a connection stays open without traffic while a `Request` that came by
        it lives (peers that wait for NOTIFYs keep theirs so).
        """

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """What is bound for UDP and TCP, ports filled in."""

    @property
    def tls_addresses(self) -> list[tuple[str, int]]:
        """What is bound for TLS, ports filled in."""

    def share(self) -> list[tuple[Literal["udp", "tcp", "tls"], tuple[str, int], int]]:
        """(what for, address, descriptor) of all sockets, for another process; they are open until `stop`."""

    def retire(self) -> None:
        """Receives nothing more, for another process has the sockets: what waits in them is lost to nobody.

        What was received is answered; connections end once their peers do or are idle for some seconds.
        """

    def connections(self) -> int:
        """How many connections are open."""

    def set_certificate(self, chain: bytes, key: bytes) -> None:
        """Shows this to TLS connections from now on: PEM texts, the server's own certificate first.

        ValueError: they are of no use, and what was there before stays.
        """

    def publish(self, catalogue: Catalogue) -> None:
        """Serves this catalogue from the next batch of packets on."""

    def start(self) -> None:
        """Starts the serving threads."""

    def handover_fd(self) -> int:
        """A file descriptor that is readable while requests wait."""

    def take(self, limit: int = 64) -> list[Request]:
        """Requests that wait, oldest first."""

    def take_ends(self) -> bool:
        """Whether a connection that requests came by has ended since the last call; to be asked after `take`.

        When that happens `handover_fd` becomes readable.
        """

    def reply(self, request: Request, wire: bytes) -> None:
        """Sends a response to where the request came from; a peer that is gone is no error.

        Several replies to one request are in order (transfers). ValueError over 65535 octets.
        """

    def listen_in(self, every: int) -> None:
        """Has one of `every` queries of each thread kept with its answers, for `take_exchanges`; 0: none.

        What is kept and not taken is bounded: of each thread a mebibyte. What finds no room is lost, and
        counted as `tap_dropped`.
        """

    def take_exchanges(self, limit: int = 256) -> list[Exchange]:
        """What was kept, at most `limit` exchanges of each thread, in each thread's order."""

    def counters(self) -> Mapping[str, int]:
        """What was counted so far, by name.

        Of `question_N` (answered queries for type N) and `code_N` (answers sent with response code N) those
        are there that are not 0; numbers without a use are counted as `question_other` and `code_other`.
        """

    def stop(self) -> None:
        """Ends the threads and closes the sockets."""
