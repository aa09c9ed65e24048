"""The address of a remote: what stands behind `--remote`. Text in, value out; no file, no network."""

from __future__ import annotations

import re
from dataclasses import field
from enum import StrEnum
from typing import NewType
from urllib.parse import SplitResult, unquote, urlsplit

from oakroot.frozen import frozen
from oakroot.git.errors import InvalidSetting

Branch = NewType("Branch", str)

_FORMS = (
    "a path, file:///path, git://host/path, https://host/path, ssh://user@host/path or user@host:path; "
    "with #branch at the end if the remote's default branch is not meant"
)


class Transport(StrEnum):
    """How the remote is reached."""

    PATH = "path"
    GIT = "git"
    HTTP = "http"
    HTTPS = "https"
    SSH = "ssh"


_SCHEMES = {
    "file": Transport.PATH,
    "git": Transport.GIT,
    "http": Transport.HTTP,
    "https": Transport.HTTPS,
    "ssh": Transport.SSH,
    "git+ssh": Transport.SSH,
    "ssh+git": Transport.SSH,
}
DEFAULT_PORTS = {Transport.GIT: 9418, Transport.HTTP: 80, Transport.HTTPS: 443, Transport.SSH: 22}

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://")
# As git reads it: a colon before the first slash makes it ssh; a path that looks so is written ./like:this.
_SCP = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^@/:\[\]]+):(?P<path>.*)")
_HOST = re.compile(r"[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]*")
# git-check-ref-format(1), rules 1 and 3 to 10.
_NO_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[/-]|/$|\.$|\.lock(/|$)|(^|/)\.|^@$")


@frozen
class Remote:
    """One repository and, if said, one branch of it. `str` and `repr` never show a password or token."""

    transport: Transport
    path: str
    host: str = ""
    port: int | None = None
    branch: Branch | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def effective_port(self) -> int:
        """The port to connect to; paths have none."""
        return self.port if self.port is not None else DEFAULT_PORTS[self.transport]

    @property
    def url(self) -> str:
        """The address without user information and branch."""
        if self.transport is Transport.PATH:
            return self.path
        return f"{self.transport}://{self._authority()}{self.path}"

    def _authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    def _user_shown(self) -> str:
        if self.user is None:
            return ""
        # A lone user name in an https address is, with many hosters, the token itself.
        if self.transport is Transport.SSH:
            return f"{self.user}@"
        return f"{self.user}:***@" if self.password is not None else "***@"

    def __str__(self) -> str:
        branch = "" if self.branch is None else f"#{self.branch}"
        if self.transport is Transport.PATH:
            return f"{self.path}{branch}"
        # What ssh's short form leaves relative to the home folder is written /~/ in a URL, as git does.
        separator = "" if self.path.startswith("/") else "/" if self.path.startswith("~") else "/~/"
        return f"{self.transport}://{self._user_shown()}{self._authority()}{separator}{self.path}{branch}"

    def __repr__(self) -> str:
        return f"Remote({str(self)!r})"


def parse_remote(text: str) -> Remote:
    """Reads `--remote`.

    Raises:
        InvalidSetting: it is none of the known forms. The message does not repeat user information.
    """
    text = text.strip()
    if not text:
        raise InvalidSetting(f"the remote is empty; give {_FORMS}")
    if not text.isprintable():
        raise InvalidSetting("the remote holds control characters; was it pasted with a line break?")
    address, branch = _split_branch(text)
    if url := _URL.match(address):
        return _parse_url(address, url["scheme"].lower(), branch)
    if scp := _SCP.fullmatch(address):
        return _ssh_short_form(scp["user"], scp["host"].strip("[]"), scp["path"], branch)
    if not address:
        raise InvalidSetting(f"the remote has a branch but no address; give {_FORMS}")
    return Remote(Transport.PATH, address, branch=branch)


def _split_branch(text: str) -> tuple[str, Branch | None]:
    address, mark, name = text.rpartition("#")
    if not mark:
        return text, None
    name = name.removeprefix("refs/heads/")
    if not name or _NO_BRANCH.search(name):
        # Not repeated in the message: an unescaped '#' in a password ends up here.
        raise InvalidSetting(
            "what follows '#' in the remote is no branch name; in a password, write %23 for '#'"
        )
    return address, Branch(name)


def _parse_url(address: str, scheme: str, branch: Branch | None) -> Remote:
    transport = _SCHEMES.get(scheme)
    if transport is None:
        raise InvalidSetting(f"the remote's scheme {scheme}:// is not known; give {_FORMS}")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise InvalidSetting(f"the {scheme}:// remote has a broken host or port") from None
    if port == 0:
        raise InvalidSetting(f"the {scheme}:// remote has port 0; ports are 1 to 65535")
    if parts.query:
        raise InvalidSetting("the remote has a query ('?...'); a repository's address ends with its path")
    if transport is Transport.PATH:
        return _file_url(parts, branch)
    host = _checked_host(parts.hostname or "", scheme)
    if not parts.path:
        raise InvalidSetting(f"the {scheme}:// remote names no repository; add its path after the host")
    user, password = _user_information(parts, transport)
    # In http the path stays as written: it is sent so. Elsewhere it is a path on the server.
    path = parts.path if transport in {Transport.HTTP, Transport.HTTPS} else unquote(parts.path)
    return Remote(transport, _checked_path(path), host, port, branch, user, password)


def _file_url(parts: SplitResult, branch: Branch | None) -> Remote:
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
        raise InvalidSetting("a file:// remote has three slashes and an absolute path: file:///srv/zones.git")
    return Remote(Transport.PATH, _checked_path(unquote(parts.path)), branch=branch)


def _user_information(parts: SplitResult, transport: Transport) -> tuple[str | None, str | None]:
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    if not f"{user}{password}".isprintable():
        raise InvalidSetting("the user information of the remote holds control characters")
    if transport is Transport.GIT and (user or password):
        raise InvalidSetting("git:// knows no users; use ssh or https where credentials are needed")
    if transport is Transport.SSH and password:
        raise InvalidSetting("ssh remotes are opened with a key, not with a password; give --ssh-key")
    if password and not user:
        raise InvalidSetting(
            "the remote has a password without a user; write https://user:password@host/path"
        )
    if transport is not Transport.SSH and user and ":" in user:
        raise InvalidSetting("a user name for https holds no colon (RFC 7617, section 2)")
    return user, password


def _ssh_short_form(user: str | None, host: str, path: str, branch: Branch | None) -> Remote:
    if not path:
        raise InvalidSetting("the ssh remote names no repository; write user@host:path")
    return Remote(Transport.SSH, _checked_path(path), _checked_host(host, "ssh").lower(), None, branch, user)


def _checked_host(host: str, scheme: str) -> str:
    if not host:
        raise InvalidSetting(f"the {scheme}:// remote names no host")
    if not _HOST.fullmatch(host):
        raise InvalidSetting(f"the {scheme}:// remote's host is no host name or address")
    return host


def _checked_path(path: str) -> str:
    if not path.isprintable():
        raise InvalidSetting("the remote's path holds control characters")
    return path
