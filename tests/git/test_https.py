"""https against git-http-backend: certificates, credentials and where they go, refusals, redirects."""

from __future__ import annotations

import base64
import dataclasses
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from oakroot.git.credentials import Credentials, load_credentials
from oakroot.git.errors import (
    InvalidSetting,
    PushRefused,
    RemoteRefused,
    RemoteUnreachable,
    RemoteUntrusted,
    RepositoryMissing,
)
from oakroot.git.remote import parse_remote
from tests.git.conftest import TOKEN, Opener, Place, Servers, push
from tests.peers.authority import Authority
from tests.peers.git_https import HttpGit, HttpRules
from tests.peers.git_servers import BareRepository
from tests.peers.ports import LOOPBACK


@pytest.fixture
def repository(servers: Servers, tmp_path: Path) -> BareRepository:
    made = BareRepository(servers.base / f"{tmp_path.name}.git")
    made.commit({"example.org": b"zone"})
    return made


@pytest.fixture
def server(servers: Servers) -> Iterator[HttpGit]:
    """A server of its own for tests that change its rules; open to everybody."""
    with HttpGit(servers.base, servers.authority.issue(LOOPBACK)) as started:
        yield started


@pytest.fixture
def plain_server(servers: Servers) -> Iterator[HttpGit]:
    with HttpGit(servers.base, None) as started:
        yield started


def place_at(
    server: HttpGit,
    repository: BareRepository,
    credentials: Credentials,
    *,
    user: str = "",
    scheme: str = "https",
) -> Place:
    url = f"{scheme}://{user}{LOOPBACK}:{server.port}/{repository.path.name}"
    return Place(repository, parse_remote(url), credentials)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_an_authority_that_is_not_given_is_not_trusted(
    server: HttpGit, repository: BareRepository, open_copy: Opener
) -> None:
    with pytest.raises(RemoteUntrusted, match="--git-ca"):
        open_copy(place_at(server, repository, Credentials(token=TOKEN))).fetch()
    assert server.seen == []


def test_another_authority_is_not_trusted(
    server: HttpGit, repository: BareRepository, open_copy: Opener, tmp_path: Path
) -> None:
    other = Authority(tmp_path)
    with pytest.raises(RemoteUntrusted, match="not trusted"):
        open_copy(place_at(server, repository, Credentials(ca_file=other.file))).fetch()


def test_a_certificate_for_another_host_is_not_trusted(
    servers: Servers, repository: BareRepository, open_copy: Opener
) -> None:
    with HttpGit(servers.base, servers.authority.issue("192.0.2.1")) as server:
        place = place_at(server, repository, Credentials(ca_file=servers.authority.file))
        with pytest.raises(RemoteUntrusted, match="mismatch"):
            open_copy(place).fetch()


def test_a_server_without_tls_is_told_apart(
    plain_server: HttpGit, repository: BareRepository, open_copy: Opener
) -> None:
    with pytest.raises(RemoteUnreachable, match="TLS"):
        open_copy(place_at(plain_server, repository, Credentials())).fetch()


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nrubbish\n", None])
def test_a_bad_authority_file_is_the_operators_to_mend(
    server: HttpGit, repository: BareRepository, open_copy: Opener, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidSetting, match=r"ca\.pem"):
        open_copy(place_at(server, repository, Credentials(ca_file=file))).fetch()


@pytest.mark.parametrize("how", ["variable", "file"])
def test_the_token_comes_from_the_environment(
    server: HttpGit, servers: Servers, repository: BareRepository, open_copy: Opener, tmp_path: Path, how: str
) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    environment = {
        "variable": {"OAKROOT_GIT_TOKEN": TOKEN},
        "file": {"OAKROOT_GIT_TOKEN_FILE": str(tmp_path / "token")},
    }[how]
    server.rules = HttpRules(user="oauth2", password=TOKEN)
    environment["SSL_CERT_FILE"] = str(servers.authority.file)
    place = place_at(server, repository, load_credentials(environment=environment))
    assert open_copy(place).fetch().subject == "change"


def test_user_and_password_of_the_url_come_before_the_token(
    server: HttpGit, servers: Servers, repository: BareRepository, open_copy: Opener
) -> None:
    server.rules = HttpRules(user="böb", password="p@ss: ö")
    credentials = Credentials(token=TOKEN, ca_file=servers.authority.file)
    place = place_at(server, repository, credentials, user="b%C3%B6b:p%40ss%3A%20%C3%B6@")
    copy = open_copy(place)
    push(copy, copy.fetch(), {"example.org": b"new"})
    assert repository.show("example.org") == "new"


def test_a_user_of_the_url_goes_with_the_token(
    server: HttpGit, servers: Servers, repository: BareRepository, open_copy: Opener
) -> None:
    server.rules = HttpRules(user="deploy", password=TOKEN)
    credentials = Credentials(token=TOKEN, ca_file=servers.authority.file)
    assert open_copy(place_at(server, repository, credentials, user="deploy@")).fetch().subject == "change"


@pytest.mark.parametrize("token", ["hunter2", None])
def test_wrong_or_missing_credentials_are_refused_and_not_shown(
    server: HttpGit, servers: Servers, repository: BareRepository, open_copy: Opener, token: str | None
) -> None:
    server.rules = HttpRules(user="oauth2", password=TOKEN)
    credentials = Credentials(token=token, ca_file=servers.authority.file)
    with pytest.raises(RemoteRefused, match="OAKROOT_GIT_TOKEN") as caught:
        open_copy(place_at(server, repository, credentials)).fetch()
    assert "hunter2" not in str(caught.value)


def test_a_password_in_the_url_is_in_no_error(
    server: HttpGit, servers: Servers, repository: BareRepository, open_copy: Opener
) -> None:
    server.rules = HttpRules(user="bob", password="right")
    credentials = Credentials(ca_file=servers.authority.file)
    with pytest.raises(RemoteRefused) as caught:
        open_copy(place_at(server, repository, credentials, user="bob:hunter2@")).fetch()
    assert "hunter2" not in str(caught.value)
    assert "bob:***@" in str(caught.value)


def test_who_may_only_read_is_told_when_pushing(
    server: HttpGit, servers: Servers, repository: BareRepository, open_copy: Opener
) -> None:
    server.rules = HttpRules(read_only=True)
    copy = open_copy(place_at(server, repository, Credentials(ca_file=servers.authority.file)))
    head = copy.fetch()
    with pytest.raises(PushRefused, match="403"):
        push(copy, head, {"example.org": b"new"})
    assert not copy.fetch().moved


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_in_trouble_is_left_alone_at_once(
    server: HttpGit, servers: Servers, repository: BareRepository, open_copy: Opener, status: int
) -> None:
    """Its `Retry-After` would have us sleep for an hour."""
    server.rules = HttpRules(status=status)
    with pytest.raises(RemoteUnreachable, match=f"HTTP status {status}"):
        open_copy(place_at(server, repository, Credentials(ca_file=servers.authority.file))).fetch()
    assert len(server.seen) == 1


def test_a_web_page_is_no_repository(
    server: HttpGit, servers: Servers, repository: BareRepository, open_copy: Opener
) -> None:
    server.rules = HttpRules(web_page=True)
    with pytest.raises(RepositoryMissing, match="text/html"):
        open_copy(place_at(server, repository, Credentials(ca_file=servers.authority.file))).fetch()


def test_a_redirect_to_another_server_does_not_take_the_token_along(
    server: HttpGit, servers: Servers, repository: BareRepository, open_copy: Opener
) -> None:
    server.rules = HttpRules(redirect_to=f"https://{LOOPBACK}:{servers.https.port}")
    seen_before = len(servers.https.seen)
    credentials = Credentials(token=TOKEN, ca_file=servers.authority.file)
    with pytest.raises(RemoteRefused):
        open_copy(place_at(server, repository, credentials)).fetch()
    assert server.seen == [basic("oauth2", TOKEN)]
    assert set(servers.https.seen[seen_before:]) == {""}


def test_a_redirect_to_an_open_server_is_followed(
    servers: Servers, server: HttpGit, repository: BareRepository, open_copy: Opener
) -> None:
    with HttpGit(servers.base, servers.authority.issue(LOOPBACK)) as target:
        server.rules = HttpRules(redirect_to=f"https://{LOOPBACK}:{target.port}")
        copy = open_copy(place_at(server, repository, Credentials(ca_file=servers.authority.file)))
        push(copy, copy.fetch(), {"example.org": b"new"})
    assert repository.show("example.org") == "new"


def test_a_redirect_out_of_https_is_not_followed(
    server: HttpGit, plain_server: HttpGit, servers: Servers, repository: BareRepository, open_copy: Opener
) -> None:
    server.rules = HttpRules(redirect_to=f"http://{LOOPBACK}:{plain_server.port}")
    with pytest.raises(RemoteUntrusted, match="redirects from https"):
        open_copy(place_at(server, repository, Credentials(ca_file=servers.authority.file))).fetch()
    assert plain_server.seen == []


def test_plain_http_works_for_what_everybody_may_see(
    plain_server: HttpGit, repository: BareRepository, open_copy: Opener
) -> None:
    assert (
        open_copy(place_at(plain_server, repository, Credentials(), scheme="http")).fetch().subject
        == "change"
    )


def test_a_token_does_not_travel_over_plain_http(
    plain_server: HttpGit, repository: BareRepository, open_copy: Opener
) -> None:
    with pytest.raises(InvalidSetting, match="use https"):
        open_copy(place_at(plain_server, repository, Credentials(token=TOKEN), scheme="http")).fetch()
    assert plain_server.seen == []


def test_a_large_push_goes_in_pieces(
    server: HttpGit, servers: Servers, repository: BareRepository, open_copy: Opener
) -> None:
    """Beyond a megabyte the body is sent in chunks; random octets do not compress."""
    zone = random.Random(1).randbytes(3_000_000)
    copy = open_copy(place_at(server, repository, Credentials(ca_file=servers.authority.file)))
    made = push(copy, copy.fetch(), {"example.org": zone})
    assert repository.tip() == made.commit
    assert copy.read(made, "example.org") == zone


def test_a_proxy_of_the_environment_is_used(
    server: HttpGit,
    servers: Servers,
    repository: BareRepository,
    open_copy: Opener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", f"http://{LOOPBACK}:1")
    place = place_at(server, repository, Credentials(ca_file=servers.authority.file))
    with pytest.raises(RemoteUnreachable):
        open_copy(place).fetch()
    monkeypatch.setenv("no_proxy", LOOPBACK)
    assert open_copy(dataclasses.replace(place)).fetch().subject == "change"


def test_a_proxy_that_cannot_be_meant_is_the_operators_to_mend(
    server: HttpGit, repository: BareRepository, open_copy: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "socks5://proxy.example.org")
    with pytest.raises(InvalidSetting, match="proxy"):
        open_copy(place_at(server, repository, Credentials())).fetch()


def test_other_credentials_are_used_from_the_next_fetch_on(
    server: HttpGit, servers: Servers, repository: BareRepository, open_copy: Opener
) -> None:
    server.rules = HttpRules(user="oauth2", password=TOKEN)
    copy = open_copy(place_at(server, repository, Credentials(token="wrong", ca_file=servers.authority.file)))
    with pytest.raises(RemoteRefused):
        copy.fetch()
    copy.use(Credentials(token=TOKEN, ca_file=servers.authority.file))
    assert copy.fetch().commit == repository.tip()
