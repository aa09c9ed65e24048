"""DNS cookies that Python has to do with; how they are made and judged is tested where that is done."""

from __future__ import annotations

import subprocess
import sys
import time

import dns.edns
import dns.message
import pytest

from oakroot._engine import Catalogue, adopt_cookie_secret, cookie_secret


def cookie_after(sent: bytes) -> bytes:
    """The cookie in the answer to one who comes with this."""
    query = dns.message.make_query("example.org", "SOA", use_edns=0)
    query.use_edns(options=[dns.edns.GenericOption(dns.edns.OptionType.COOKIE, sent)])
    answer = dns.message.from_wire(Catalogue().answer(query.to_wire()) or b"")
    (cookie,) = (each for each in answer.options if each.otype == dns.edns.OptionType.COOKIE)
    return cookie.to_wire() or b""


def test_answers_that_python_asks_for_have_cookies_of_now_which_count() -> None:
    before = int(time.time())
    cookie = cookie_after(b"a client")
    assert before <= int.from_bytes(cookie[12:16]) <= time.time()
    assert cookie_after(cookie) == cookie


@pytest.mark.parametrize("secret", [b"", bytes(15), bytes(17)])
def test_a_secret_of_another_length_is_none(secret: bytes) -> None:
    with pytest.raises(ValueError, match="has not 16 octets"):
        adopt_cookie_secret(secret)


def test_who_has_made_cookies_adopts_no_other_secret() -> None:
    before = cookie_secret()
    with pytest.raises(ValueError, match="has a secret already"):
        adopt_cookie_secret(bytes(16))
    assert cookie_secret() == before


def test_another_process_goes_on_with_the_secret() -> None:
    words = (
        "from oakroot._engine import *; adopt_cookie_secret(bytes(range(16))); print(cookie_secret().hex())"
    )
    ran = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == bytes(range(16)).hex()
