"""git over http and https: certificates checked, credentials kept to their origin, refusals understood."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import getproxies, proxy_bypass

import urllib3
from dulwich.client import Urllib3HttpGitClient
from dulwich.errors import GitProtocolError
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
    URLSchemeUnknown,
)

from oakroot.git.connections import Allowance, Timeouts, broken_off, stalled
from oakroot.git.credentials import Credentials, refuse_open_token
from oakroot.git.errors import (
    GitError,
    InvalidSetting,
    RemoteRefused,
    RemoteUnreachable,
    RemoteUntrusted,
    RepositoryMissing,
    printable,
)
from oakroot.git.remote import Remote, Transport
from oakroot.git.reports import ReportingClient, ReportListener

REDIRECTS = 3
# Hosters that take a token as password ask for different user names; none refuses this one.
TOKEN_USER = "oauth2"  # noqa: S105 - a user name


class HttpsClient(ReportingClient, Urllib3HttpGitClient):
    """dulwich's http client with our pool, our credentials and our errors."""

    def __init__(
        self,
        remote: Remote,
        credentials: Credentials,
        timeouts: Timeouts,
        allowance: Allowance,
        on_report: ReportListener | None,
    ) -> None:
        user, password = _login(remote, credentials)
        self._remote = remote
        self._timeouts = timeouts
        self._allowance = allowance
        self._on_report = on_report
        self._pool = _pool(remote, credentials, timeouts)
        Urllib3HttpGitClient.__init__(
            self, remote.url, pool_manager=self._pool, username=user, password=password
        )

    def close(self) -> None:
        """Ends all connections."""
        self._pool.clear()

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,  # noqa: FBT001, FBT002 - dulwich's signature
    ) -> tuple[Any, Callable[[int], bytes]]:
        try:
            response, read = super()._http_request(url, headers, data, raise_for_status=False)
        except GitProtocolError as error:
            raise _failure(self._remote, self._timeouts, error.__cause__) from None
        if raise_for_status and (refusal := _refusal(self._remote, response.status)) is not None:
            response.close()
            raise refusal
        content_type = response.headers.get("Content-Type", "")
        if "/info/refs?" in url and not content_type.startswith("application/x-git-"):
            # Without this check dulwich would read any web page as a "dumb" repository.
            response.close()
            raise RepositoryMissing(
                f"{self._remote} answers with {printable(content_type) or 'nothing'}, as a web page would, "
                "not with git's smart protocol; check the address"
            )
        return response, self._allowance.applied_to(self._guarded(read))

    def _guarded(self, read: Callable[[int], bytes]) -> Callable[[int], bytes]:
        def guarded(size: int) -> bytes:
            try:
                return read(size)
            except ReadTimeoutError:
                raise stalled(self._remote, self._timeouts) from None
            except (HTTPError, GitProtocolError, OSError) as error:
                raise broken_off(self._remote, printable(str(error))) from None

        return guarded


def _login(remote: Remote, credentials: Credentials) -> tuple[str | None, str | None]:
    """What to send as Basic authentication: the address's own user and password, or the token."""
    user, password = remote.user, remote.password
    if password is None and credentials.token is not None:
        refuse_open_token(remote, credentials)
        user, password = user or TOKEN_USER, credentials.token
    return _as_latin1(user), _as_latin1(password)


def _as_latin1(text: str | None) -> str | None:
    """urllib3 encodes Basic authentication as Latin-1; this makes UTF-8 of it (RFC 7617, section 2.1)."""
    return None if text is None else text.encode("utf-8").decode("latin-1")


def _pool(remote: Remote, credentials: Credentials, timeouts: Timeouts) -> urllib3.PoolManager:
    settings: dict[str, Any] = {
        "timeout": urllib3.Timeout(connect=timeouts.connect, read=timeouts.stall),
        # No second tries here: the caller decides when to come again, and Retry-After would block for long.
        "retries": urllib3.Retry(
            total=REDIRECTS, connect=0, read=False, status=0, other=0, respect_retry_after_header=False
        ),
        "headers": {"User-Agent": "git/oakroot"},  # some hosters speak git only with agents named git/...
    }
    if remote.transport is Transport.HTTPS:
        settings["ssl_context"] = _tls(credentials)
    proxies = getproxies()
    proxy = proxies.get(remote.transport) or proxies.get("all")
    if proxy and not proxy_bypass(f"{remote.host}:{remote.effective_port}"):
        pool: urllib3.PoolManager = _proxied(proxy, settings)
    else:
        pool = urllib3.PoolManager(**settings)
    if remote.transport is Transport.HTTPS:
        # A redirect may not lead from https to where nothing is checked.
        pool.key_fn_by_scheme = {"https": pool.key_fn_by_scheme["https"]}
    return pool


def _proxied(proxy: str, settings: dict[str, Any]) -> urllib3.ProxyManager:
    try:
        parts = urllib3.util.parse_url(proxy if "://" in proxy else f"http://{proxy}")
        headers = urllib3.make_headers(proxy_basic_auth=parts.auth) if parts.auth else None
        return urllib3.ProxyManager(parts._replace(auth=None).url, proxy_headers=headers, **settings)
    except (HTTPError, ValueError):
        raise InvalidSetting(
            "the proxy named by the environment (https_proxy, all_proxy) is no http URL"
        ) from None


def _tls(credentials: Credentials) -> ssl.SSLContext:
    if credentials.ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=credentials.ca_file)
    except ssl.SSLError:
        raise InvalidSetting(f"the CA file {credentials.ca_file} holds no certificate in PEM form") from None
    except OSError as error:
        raise InvalidSetting(f"the CA file {credentials.ca_file} cannot be read: {error.strerror}") from None


def _refusal(remote: Remote, status: int) -> GitError | None:
    match status:
        case 200:
            return None
        case 401 | 403:
            return RemoteRefused(
                f"{remote} refuses our credentials, or wants some (HTTP {status}); set OAKROOT_GIT_TOKEN or "
                "OAKROOT_GIT_TOKEN_FILE to a token that may read and write this repository"
            )
        case 404 | 410:
            return RepositoryMissing(
                f"{remote} does not exist (HTTP {status}); check the address, "
                "and the token if the repository is private"
            )
        case 407:
            return RemoteRefused(f"the proxy on the way to {remote.host} wants other credentials (HTTP 407)")
        case _:
            return RemoteUnreachable(
                f"{remote} answers with HTTP status {status}; the server's log tells why"
            )


def _failure(remote: Remote, timeouts: Timeouts, error: BaseException | None) -> GitError:
    reason = error.reason if isinstance(error, MaxRetryError) else error
    match reason:
        case SSLError():
            return _tls_failure(remote, reason)
        case ConnectTimeoutError():  # NewConnectionError and NameResolutionError are kinds of it
            return _connect_failure(remote, timeouts, reason)
        case ReadTimeoutError():
            return stalled(remote, timeouts)
        case URLSchemeUnknown():
            return RemoteUntrusted(f"{remote} redirects from https to an unchecked protocol; not followed")
        case _:
            return RemoteUnreachable(f"cannot reach {remote}: {printable(str(reason))}")


def _connect_failure(remote: Remote, timeouts: Timeouts, error: ConnectTimeoutError) -> RemoteUnreachable:
    match error:
        case NameResolutionError():
            return RemoteUnreachable(
                f"no address is known for {remote.host}; check the host name and this machine's resolver"
            )
        case NewConnectionError():
            cause = getattr(error.__cause__, "strerror", None) or str(error)
            return RemoteUnreachable(f"cannot connect to {remote}: {printable(cause)}")
        case _:
            return RemoteUnreachable(f"{remote.host} did not answer within {timeouts.connect:g} s")


def _tls_failure(remote: Remote, error: SSLError) -> GitError:
    cause = error.args[0] if error.args else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return RemoteUntrusted(
            f"the certificate of {remote.host} is not trusted: {printable(cause.verify_message)}; "
            "give the certificate authority that signed it as --git-ca FILE (or SSL_CERT_FILE)"
        )
    return RemoteUnreachable(
        f"no TLS connection to {remote.host}: {printable(str(cause))}; is it an https server?"
    )
