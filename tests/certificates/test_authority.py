"""An ACME authority as a client sees it: pebble, which is strict, and servers that misbehave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from oakroot.certificates.accounts import load_or_make
from oakroot.certificates.authority import Authority
from oakroot.certificates.certificate import matches, read_chain
from oakroot.certificates.jose import ExternalAccount
from oakroot.certificates.orders import Fault, Order, Status
from oakroot.certificates.signing_request import read_signing_request
from oakroot.certificates.transport import AuthorityError
from tests.certificates.acme_server import ScriptedServer
from tests.certificates.minting import new_request
from tests.peers.git_servers import wait_until
from tests.peers.pebble import Pebble
from tests.peers.ports import free_port
from tests.peers.web import Reply

REQUEST = read_signing_request(new_request("*.example.org", "example.org", "a.example.com"))
SECRET = b"a secret of thirty-two octets!!!"


@pytest.fixture(scope="module")
def trusting_pebble(
    require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pebble]:
    """It believes every proof, and rejects every third good nonce."""
    environment = pytest.MonkeyPatch()
    environment.setenv("PEBBLE_VA_ALWAYS_VALID", "1")
    directory = tmp_path_factory.mktemp("pebble")
    with Pebble(require("pebble"), directory, dns=free_port(), rejected_nonces=33) as pebble:
        environment.undo()
        yield pebble


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa"])
def test_pebble_issues_to_accounts_of_every_kind(trusting_pebble: Pebble, tmp_path: Path, kind: str) -> None:
    key, _ = load_or_make(tmp_path / "account.pem", kind)
    authority = Authority(
        trusting_pebble.directory_url, key, contact="admin@example.org", ca_file=trusting_pebble.ca_file
    )
    offer = authority.open()
    assert offer.thumbprint == key.thumbprint
    order = authority.order(REQUEST.names, profile=None, replaces=None)
    assert {(each.name.to_text(), each.wildcard) for each in order.authorizations} == {
        ("example.org.", True),
        ("example.org.", False),
        ("a.example.com.", False),
    }
    challenges = [each.challenge("dns-01") for each in order.authorizations]
    authority.validate([challenge.url for challenge in challenges if challenge is not None])
    ready = _await(authority, order, Status.READY)
    issued = _await(authority, authority.finalize(ready, REQUEST.der), Status.VALID)
    assert issued.certificate_url is not None
    certificate, authorities = read_chain(authority.download(issued.certificate_url))
    assert matches(certificate, REQUEST)
    assert authorities
    authority.close()


def test_the_same_key_is_the_same_account(trusting_pebble: Pebble, tmp_path: Path) -> None:
    key, _ = load_or_make(tmp_path / "account.pem")
    accounts = {
        Authority(trusting_pebble.directory_url, key, ca_file=trusting_pebble.ca_file).open().account
        for _ in range(2)
    }
    assert len(accounts) == 1


def test_the_order_of_another_account_is_not_shown(trusting_pebble: Pebble, tmp_path: Path) -> None:
    first, second = (
        Authority(
            trusting_pebble.directory_url, load_or_make(tmp_path / name)[0], ca_file=trusting_pebble.ca_file
        )
        for name in ("one.pem", "two.pem")
    )
    first.open()
    second.open()
    order = first.order(REQUEST.names, profile=None, replaces=None)
    with pytest.raises(AuthorityError):
        second.look(order.url, closely=True)


def test_an_external_account_is_bound(require: Callable[[str], str], tmp_path: Path) -> None:
    keys = {"kid-1": "YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBvY3RldHMhISE"}
    key, _ = load_or_make(tmp_path / "account.pem")
    with Pebble(require("pebble"), tmp_path, dns=free_port(), external_accounts=keys) as pebble:
        with pytest.raises(AuthorityError, match="--eab-kid"):
            Authority(pebble.directory_url, key, ca_file=pebble.ca_file).open()
        bound = ExternalAccount("kid-1", SECRET)
        assert Authority(pebble.directory_url, key, external=bound, ca_file=pebble.ca_file).open().account
        wrong = ExternalAccount("kid-1", b"x" * 32)
        other, _ = load_or_make(tmp_path / "other.pem")
        with pytest.raises(AuthorityError) as refused:
            Authority(pebble.directory_url, other, external=wrong, ca_file=pebble.ca_file).open()
        assert refused.value.problem.fault in {Fault.ACCOUNT, Fault.REFUSED}


def test_a_server_that_nobody_vouches_for_is_not_spoken_to(trusting_pebble: Pebble, tmp_path: Path) -> None:
    key, _ = load_or_make(tmp_path / "account.pem")
    with pytest.raises(AuthorityError, match=r"TLS certificate is not trusted.*--directory-ca"):
        Authority(trusting_pebble.directory_url, key).open()


def test_nobody_at_the_address_is_unavailable(tmp_path: Path) -> None:
    key, _ = load_or_make(tmp_path / "account.pem")
    with pytest.raises(AuthorityError) as failed:
        Authority(f"https://127.0.0.1:{free_port()}/dir", key).open()
    assert failed.value.problem.fault is Fault.UNAVAILABLE
    assert str(failed.value) == "Connection refused"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "Sun, 29 Nov 2026 12:02:00 GMT", "Date": "Sun, 29 Nov 2026 12:00:00 GMT"}, 120.0),
        ({"Retry-After": "99999999"}, 86400.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_a_rate_limit_says_for_how_long(
    tmp_path: Path, headers: dict[str, str], seconds: float | None
) -> None:
    problem = {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many orders"}
    limited = Reply(429, problem, headers)
    with (
        _scripted(tmp_path, {"/newOrder": limited}) as (authority, _),
        pytest.raises(AuthorityError) as refused,
    ):
        authority.order(REQUEST.names, profile=None, replaces=None)
    assert refused.value.problem.fault is Fault.RATE_LIMITED
    assert refused.value.problem.retry_after == seconds


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(502, raw=b"<html>Bad Gateway</html>"), "HTTP status 502"),
        (Reply(201, raw=b"<html>", headers={"Location": "https://x/"}), "the answer is no JSON"),
        (Reply(201, {"status": "pending"}), "lacks the header Location"),
        (Reply(201, {"status": "pending"}, {"Location": "https://x/"}), "no list 'identifiers'"),
        (Reply(201, raw=b" " * (2 << 20)), "more than 1048576 octets"),
        (Reply(302, headers={"Location": "https://elsewhere.example/"}), "HTTP status 302"),
    ],
)
def test_what_is_no_answer_is_told_and_bounded(tmp_path: Path, reply: Reply, reason: str) -> None:
    with (
        _scripted(tmp_path, {"/newOrder": reply}) as (authority, _),
        pytest.raises(AuthorityError, match=reason),
    ):
        authority.order(REQUEST.names, profile=None, replaces=None)


def test_a_nonce_is_tried_again_so_often_and_no_more(tmp_path: Path) -> None:
    bad = Reply(400, {"type": "urn:ietf:params:acme:error:badNonce", "detail": "no"})
    with _scripted(tmp_path, {"/newOrder": bad}) as (authority, server):
        with pytest.raises(AuthorityError, match="badNonce"):
            authority.order(REQUEST.names, profile=None, replaces=None)
        assert server.asked.count("POST /newOrder") == 8


def test_the_directory_tells_what_the_authority_can(tmp_path: Path) -> None:
    meta = {
        "caaIdentities": ["ca.example"],
        "profiles": {"shortlived": "six days"},
        "termsOfService": "https://ca.example/terms",
    }
    key, _ = load_or_make(tmp_path / "account.pem")
    account = Reply(201, {"status": "valid"}, {"Location": "https://ca.example/account/1"})
    replies: dict[str, Reply] = {"/newAccount": account}
    with ScriptedServer(tmp_path, lambda _, path: replies.get(path, Reply())) as server:
        replies["/dir"] = Reply(body={**server.directory(), "meta": meta})
        offer = Authority(f"{server.url}/dir", key, ca_file=server.ca_file).open()
    assert offer.identities == ("ca.example",)
    assert offer.profiles == {"shortlived": "six days"}
    assert offer.has_renewal_info
    assert offer.account == "https://ca.example/account/1"


@contextmanager
def _scripted(directory: Path, replies: dict[str, Reply]) -> Iterator[tuple[Authority, ScriptedServer]]:
    """An account at a server that answers so below these paths, and the server."""
    key, _ = load_or_make(directory / "account.pem")
    account = Reply(201, {"status": "valid"}, {"Location": "https://ca.example/account/1"})
    replies = {"/newAccount": account, **replies}
    with ScriptedServer(directory, lambda _, path: replies.get(path, Reply())) as server:
        replies["/dir"] = Reply(body=server.directory())
        authority = Authority(f"{server.url}/dir", key, ca_file=server.ca_file)
        authority.open()
        yield authority, server


def _await(authority: Authority, order: Order, status: Status) -> Order:
    seen = [order]

    def is_there() -> bool:
        seen.append(authority.look(order.url, closely=False))
        return seen[-1].status is status

    wait_until(f"the order to be {status.value}", is_there)
    return seen[-1]
