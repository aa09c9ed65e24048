"""HTTPS to an ACME authority: bounded in size and time, and problems told as values.

What must not live here: what the answers mean, and who signs requests.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path

import urllib3

from oakroot import __version__
from oakroot.certificates.orders import Fault, MalformedAnswerError, Problem, read_problem
from oakroot.frozen import frozen

_BODY_LIMIT = 1 << 20
_CHUNK = 1 << 14
_CONNECT_SECONDS = 10.0
_QUIET_SECONDS = 30.0
_WHOLE_SECONDS = 60.0
_LONGEST_WAIT = 86400.0
_FINE = range(200, 300)


class AuthorityError(Exception):
    """The authority did not do what was asked."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


@frozen
class Answer:
    """A response of the kind 2xx."""

    status: int
    headers: Mapping[str, str]
    """With names in lower case."""
    body: bytes

    def json(self) -> object:
        """The body read; raises MalformedAnswerError."""
        try:
            read: object = json.loads(self.body)
        except ValueError:
            raise MalformedAnswerError("the answer is no JSON") from None
        return read

    @property
    def retry_after(self) -> float | None:
        """Seconds that it asks us to wait (RFC 9110 §10.2.3)."""
        return _retry_after(self.headers)

    def location(self) -> str:
        """The URL of what was made; raises MalformedAnswerError."""
        try:
            return self.headers["location"]
        except KeyError:
            raise MalformedAnswerError("the answer lacks the header Location") from None


class Transport:
    """Connections to one authority, for any number of threads."""

    def __init__(self, ca_file: Path | None = None, *, threads: int = 4) -> None:
        """`ca_file`: whom to trust, None: as the system does. Raises OSError, and its kind ssl.SSLError."""
        self._pool = urllib3.PoolManager(
            maxsize=threads,
            retries=False,
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_QUIET_SECONDS),
            ssl_context=ssl.create_default_context(cafile=None if ca_file is None else str(ca_file)),
            headers={"User-Agent": f"oakroot/{__version__}", "Accept-Language": "en"},
        )

    def request(self, method: str, url: str, body: bytes | None = None) -> tuple[Answer, Problem | None]:
        """The response, and the problem that it is, if any; raises AuthorityError where none comes."""
        headers = {} if body is None else {"Content-Type": "application/jose+json"}
        try:
            # An authority's URLs do not move (RFC 8555 §6.4 speaks of none that do).
            response = self._pool.request(
                method,
                url,
                body=body,
                headers={**self._pool.headers, **headers},
                redirect=False,
                preload_content=False,
            )
            try:
                octets = _read(response)
            finally:
                response.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unavailable(_reason(error)) from None
        answer = Answer(
            response.status, {name.lower(): value for name, value in response.headers.items()}, octets
        )
        return answer, None if response.status in _FINE else _problem(answer)

    def close(self) -> None:
        """Closes all connections."""
        self._pool.clear()


def _read(response: urllib3.BaseHTTPResponse) -> bytes:
    octets = b""
    deadline = time.monotonic() + _WHOLE_SECONDS
    for part in response.stream(_CHUNK):
        octets += part
        if len(octets) > _BODY_LIMIT:
            raise _unavailable(f"its answer has more than {_BODY_LIMIT} octets")
        if time.monotonic() > deadline:
            raise _unavailable(f"its answer takes longer than {_WHOLE_SECONDS:.0f} s")
    return octets


def _problem(answer: Answer) -> Problem:
    try:
        body = answer.json()
    except MalformedAnswerError:
        body = None
    return read_problem(body, answer.status, answer.retry_after)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after")
    if text is None:
        return None
    try:
        # The date is one of the server's clock, which also tells it: ours may be wrong.
        seconds = float(text) if text.strip().isdigit() else _date(text) - _date(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def _date(text: str) -> float:
    return parsedate_to_datetime(text).timestamp() if text else time.time()


def _unavailable(text: str) -> AuthorityError:
    return AuthorityError(Problem(Fault.UNAVAILABLE, "connection", text))


def _reason(error: Exception) -> str:
    """Why there is no answer, without a library's inner life."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its TLS certificate is not trusted: {cause.verify_message}; --directory-ca may help"
        if isinstance(cause, urllib3.exceptions.NewConnectionError):
            # One of urllib3's time-outs by its class, and of any cause.
            cause = cause.__cause__ or cause.__context__
            continue
        if isinstance(cause, urllib3.exceptions.TimeoutError | TimeoutError):
            return "it does not answer in time"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return f"the connection failed ({type(error).__name__})"
