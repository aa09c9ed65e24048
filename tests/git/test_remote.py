"""`--remote`: every form, every mistake, and no secret in any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakroot.git.errors import InvalidSetting
from oakroot.git.remote import Branch, Remote, Transport, parse_remote

PATH, GIT, HTTP, HTTPS, SSH = Transport.PATH, Transport.GIT, Transport.HTTP, Transport.HTTPS, Transport.SSH
MAIN = Branch("main")

FORMS = {
    "/srv/zones.git": Remote(PATH, "/srv/zones.git"),
    "  /srv/zones.git\n": Remote(PATH, "/srv/zones.git"),
    "zones": Remote(PATH, "zones"),
    "./with:colon": Remote(PATH, "./with:colon"),
    "/srv/zones.git#main": Remote(PATH, "/srv/zones.git", branch=MAIN),
    "/srv/zones.git#refs/heads/main": Remote(PATH, "/srv/zones.git", branch=MAIN),
    "/srv/c#/zones#feature/x": Remote(PATH, "/srv/c#/zones", branch=Branch("feature/x")),
    "file:///srv/my%20zones": Remote(PATH, "/srv/my zones"),
    "file://localhost/srv/zones#main": Remote(PATH, "/srv/zones", branch=MAIN),
    "git://git.example.org/zones.git": Remote(GIT, "/zones.git", "git.example.org"),
    "git://git.example.org:9419/a%20b#main": Remote(GIT, "/a b", "git.example.org", 9419, MAIN),
    "git://[2001:db8::1]:9419/zones": Remote(GIT, "/zones", "2001:db8::1", 9419),
    "http://git.example.org/zones": Remote(HTTP, "/zones", "git.example.org"),
    "https://git.example.org/a%20b.git": Remote(HTTPS, "/a%20b.git", "git.example.org"),
    "HTTPS://Git.Example.Org/Zones": Remote(HTTPS, "/Zones", "git.example.org"),
    "https://token@git.example.org/z": Remote(HTTPS, "/z", "git.example.org", user="token"),
    "https://bob:s%23cret@git.example.org:8443/z#main": Remote(
        HTTPS, "/z", "git.example.org", 8443, MAIN, "bob", "s#cret"
    ),
    "git@git.example.org:zones.git": Remote(SSH, "zones.git", "git.example.org", user="git"),
    "git@git.example.org:/srv/zones.git#main": Remote(
        SSH, "/srv/zones.git", "git.example.org", None, MAIN, "git"
    ),
    "git@[2001:db8::1]:zones": Remote(SSH, "zones", "2001:db8::1", user="git"),
    "git.example.org:zones": Remote(SSH, "zones", "git.example.org"),
    "ssh://git@git.example.org:2222/srv/zones": Remote(
        SSH, "/srv/zones", "git.example.org", 2222, user="git"
    ),
    "ssh://git.example.org/~/zones": Remote(SSH, "/~/zones", "git.example.org"),
    "git+ssh://git@git.example.org/z": Remote(SSH, "/z", "git.example.org", user="git"),
}

MISTAKES = {
    "": "empty",
    "   ": "empty",
    "#main": "no address",
    "/srv/zones#": "no branch name",
    "/srv/zones#a..b": "no branch name",
    "/srv/zones#-x": "no branch name",
    "/srv/zones#a b": "no branch name",
    "/srv/zones#x.lock": "no branch name",
    "/srv/zones\n/srv/more": "control characters",
    "ftp://example.org/zones": "ftp:// is not known",
    "svn+ssh://example.org/zones": "not known",
    "git://": "no host",
    "git://example.org": "no repository",
    "git:///zones": "no host",
    "git://example.org:port/zones": "broken host or port",
    "git://example.org:65536/zones": "broken host or port",
    "git://example.org:0/zones": "port 0",
    "git://[::1/zones": "broken host or port",
    "git://bob@example.org/zones": "knows no users",
    "git://-oProxyCommand=x/zones": "no host name",
    "https://example.org/zones?x=1": "query",
    "https://:hunter2@example.org/zones": "without a user",
    "https://a%3Ab:hunter2@example.org/zones": "no colon",
    "https://bob:hunter2%0A@example.org/zones": "control characters",
    "https://bob:hunter2#x@example.org:1/zones": "%23",
    "ssh://bob:hunter2@example.org/zones": "--ssh-key",
    "git@example.org:": "no repository",
    "git@-oProxyCommand=x:zones": "no host name",
    "file://example.org/zones": "three slashes",
    "file:///zo%00nes": "control characters",
    "git://example.org/zo%00nes": "control characters",
}


@pytest.mark.parametrize(("text", "expected"), FORMS.items())
def test_each_form_is_understood(text: str, expected: Remote) -> None:
    assert parse_remote(text) == expected


@pytest.mark.parametrize(("text", "reason"), MISTAKES.items())
def test_each_mistake_is_named_without_its_secrets(text: str, reason: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        parse_remote(text)
    assert reason in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    {
        "https://bob:hunter2@git.example.org/z#main": "https://bob:***@git.example.org/z#main",
        "https://hunter2@git.example.org/z": "https://***@git.example.org/z",
        "https://git.example.org:8443/z": "https://git.example.org:8443/z",
        "git@git.example.org:zones.git": "ssh://git@git.example.org/~/zones.git",
        "git@git.example.org:~bob/zones.git": "ssh://git@git.example.org/~bob/zones.git",
        "git@git.example.org:/srv/z": "ssh://git@git.example.org/srv/z",
        "git://[2001:db8::1]/z": "git://[2001:db8::1]/z",
        "/srv/zones#main": "/srv/zones#main",
    }.items(),
)
def test_a_remote_is_shown_without_its_secrets(text: str, shown: str) -> None:
    remote = parse_remote(text)
    assert str(remote) == shown
    assert "hunter2" not in repr(remote)


def test_ports_have_defaults() -> None:
    assert parse_remote("git@example.org:z").effective_port == 22
    assert parse_remote("git://example.org/z").effective_port == 9418
    assert parse_remote("https://example.org/z").effective_port == 443
    assert parse_remote("https://example.org:8443/z").effective_port == 8443


@given(st.text())
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        remote = parse_remote(text)
    except InvalidSetting:
        return
    assert remote.path
    assert str(remote).isprintable()


@given(
    user=st.text(
        st.characters(codec="utf-8", exclude_characters=":", exclude_categories=["C", "Z"]), min_size=1
    ),
    password=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1),
)
def test_a_password_is_never_shown(user: str, password: str) -> None:
    secret = f"<<{password}>>"
    remote = Remote(HTTPS, "/z", "git.example.org", user=user, password=secret)
    assert secret not in f"{remote} {remote!r} {remote.url}"
