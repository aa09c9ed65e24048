"""What is written for a client is what that client's own checker accepts, or what our reader reads back."""

from __future__ import annotations

import configparser
import subprocess
from collections.abc import Callable
from pathlib import Path

import dns.name
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from oakroot.keys.dnskey import write_dnskey
from oakroot.keys.key import Algorithm, Key
from oakroot.keys.notation import read_key
from oakroot.keys.rejected import KeyRejectedError
from oakroot.keys.secret import Secret
from oakroot.keys.snippets import CLIENTS, Primary, key_file_note, write_for

BASE64 = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
KEY = Key(dns.name.from_text("personal._update.mirage."), Algorithm.SHA256, Secret.from_base64(BASE64))
READABLE = ["oakroot", "nsupdate", "dig", "bind", "knot", "nsd"]
KUBERNETES = ["cert-manager", "external-dns"]

KEYS = st.builds(
    Key,
    st.sampled_from(["k._update.example.org.", "K2._transfer.", "192.0.2.1._transfer.a-b.example."]).map(
        dns.name.from_text
    ),
    st.sampled_from(Algorithm),
    st.binary(min_size=1, max_size=70).map(Secret),
)


def check(command: list[str | Path]) -> None:
    checked = subprocess.run(command, capture_output=True, check=False, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_client_of_the_manual_has_a_writer() -> None:
    named = "oakroot nsupdate dig knsupdate kdig bind knot nsd certbot lego cert-manager external-dns"
    assert list(CLIENTS) == named.split()


def test_the_oakroot_form_is_the_line_of_the_tutorial() -> None:
    assert write_for("oakroot", KEY) == f"personal._update.mirage. DNSKEY 0 3 163 {BASE64}\n"


@pytest.mark.parametrize("client", READABLE)
@given(key=KEYS)
def test_what_holds_a_whole_key_is_read_back(client: str, key: Key) -> None:
    assert read_key(write_for(client, key)) == key


@pytest.mark.parametrize("client", CLIENTS)
def test_no_snippet_puts_the_secret_into_a_command_line(client: str) -> None:
    lines = write_for(client, KEY).splitlines()
    assert any(BASE64 in line for line in lines)
    for line in lines:
        assert BASE64 not in line or " -y" not in line
        assert BASE64 not in line or "--" not in line


@pytest.mark.parametrize("client", CLIENTS)
def test_every_snippet_ends_its_last_line_and_names_its_key(client: str) -> None:
    snippet = write_for(client, KEY)
    assert snippet.endswith("\n")
    assert "personal._update.mirage" in snippet


@pytest.mark.proves("clients", "bind", "named-checkconf accepts it")
@pytest.mark.parametrize("client", ["nsupdate", "dig", "bind"])
@pytest.mark.parametrize("algorithm", Algorithm)
def test_named_checkconf_accepts_the_block(
    client: str, algorithm: Algorithm, require: Callable[[str], str], tmp_path: Path
) -> None:
    file = tmp_path / "named.conf"
    file.write_text(key_file_note(KEY) + write_for(client, Key(KEY.name, algorithm, KEY.secret)))
    check([require("named-checkconf"), file])


def test_named_checkconf_accepts_the_server_statement_of_the_comment(
    require: Callable[[str], str], tmp_path: Path
) -> None:
    snippet = write_for("bind", KEY, Primary("2001:db8::53"))
    statement = snippet.splitlines()[0].partition("beside: ")[2]
    file = tmp_path / "named.conf"
    file.write_text(f"{snippet}{statement}\n")
    check([require("named-checkconf"), file])


@pytest.mark.parametrize("algorithm", Algorithm)
def test_knot_accepts_the_stanza(algorithm: Algorithm, require: Callable[[str], str], tmp_path: Path) -> None:
    file = tmp_path / "knot.conf"
    file.write_text(key_file_note(KEY) + write_for("knot", Key(KEY.name, algorithm, KEY.secret)))
    check([require("knotc"), "-c", file, "conf-check"])


@pytest.mark.parametrize("algorithm", Algorithm)
def test_nsd_checkconf_accepts_the_stanza(
    algorithm: Algorithm, require: Callable[[str], str], tmp_path: Path
) -> None:
    snippet = write_for("nsd", Key(KEY.name, algorithm, KEY.secret))
    zone = "zone:\n    name: mirage\n    request-xfr: 192.0.2.53 personal._update.mirage\n"
    file = tmp_path / "nsd.conf"
    file.write_text(key_file_note(KEY) + snippet + zone)
    check([require("nsd-checkconf"), file])


TRANSFERS = Key(dns.name.from_text("k._transfer.example.org."), Algorithm.SHA256, KEY.secret)
TRANSFERS_OF_ALL = Key(dns.name.from_text("all._transfer."), Algorithm.SHA512, KEY.secret)
CHECKERS = {
    "bind": ["named-checkconf"],
    "knot": ["knotc", "-c"],
    "nsd": ["nsd-checkconf"],
}


@pytest.mark.parametrize("client", CHECKERS)
@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::53"])
@pytest.mark.parametrize("key", [TRANSFERS, TRANSFERS_OF_ALL])
def test_a_secondarys_whole_configuration_is_accepted(
    client: str, host: str, key: Key, require: Callable[[str], str], tmp_path: Path
) -> None:
    file = tmp_path / "conf"
    file.write_text(key_file_note(key) + write_for(client, key, Primary(host, 5353)))
    program, *options = CHECKERS[client]
    check([require(program), *options, file, *(["conf-check"] if client == "knot" else [])])


def test_knot_asks_the_primary_for_the_zone_and_takes_its_notify() -> None:
    told = yaml.safe_load(write_for("knot", TRANSFERS, Primary("192.0.2.1", 5353)))
    name = "k._transfer.example.org"
    assert told["remote"] == [{"id": "oakroot", "address": "192.0.2.1@5353", "key": name}]
    assert told["acl"] == [{"id": "oakroot", "address": "192.0.2.1", "key": name, "action": "notify"}]
    assert told["zone"] == [{"domain": "example.org", "master": "oakroot", "acl": "oakroot"}]


def test_nsd_asks_the_primary_for_the_zone_and_takes_its_notify() -> None:
    told = write_for("nsd", TRANSFERS, Primary("192.0.2.1", 5353))
    assert '    name: "example.org"\n' in told
    assert "    request-xfr: 192.0.2.1@5353 k._transfer.example.org\n" in told
    assert "    allow-notify: 192.0.2.1 k._transfer.example.org\n" in told


@pytest.mark.parametrize("client", CHECKERS)
def test_only_keys_for_transfers_come_with_a_zone(client: str) -> None:
    assert write_for(client, KEY, Primary("192.0.2.53")) == write_for(client, KEY)
    demo = Key(dns.name.from_text("demo.key"), KEY.algorithm, KEY.secret)
    assert write_for(client, demo, Primary("192.0.2.53")) == write_for(client, demo)


@pytest.mark.parametrize("client", CHECKERS)
def test_a_secondary_is_told_an_address_and_no_name(client: str) -> None:
    with pytest.raises(KeyRejectedError, match="address, not its name"):
        write_for(client, TRANSFERS, Primary("ns1.example.org"))


def test_certbots_file_is_a_list_of_settings() -> None:
    parser = configparser.ConfigParser(delimiters="=")
    parser.read_string("[certbot]\n" + write_for("certbot", KEY, Primary("2001:db8::53")))
    assert dict(parser["certbot"]) == {
        "dns_rfc2136_server": "2001:db8::53",
        "dns_rfc2136_port": "53",
        "dns_rfc2136_name": "personal._update.mirage.",
        "dns_rfc2136_secret": BASE64,
        "dns_rfc2136_algorithm": "HMAC-SHA256",
        "dns_rfc2136_sign_query": "true",
    }


@pytest.mark.parametrize("prefix", ["DNSUPDATE", "RFC2136"])
def test_legos_environment_is_read_by_a_shell(prefix: str, require: Callable[[str], str]) -> None:
    script = write_for("lego", KEY, Primary("2001:db8::53"))
    script += "printf '%s|' " + " ".join(
        f"${prefix}_{name}" for name in ("NAMESERVER", "TSIG_KEY", "TSIG_ALGORITHM", "TSIG_SECRET")
    )
    told = subprocess.run([require("sh"), "-ec", script], capture_output=True, check=True, text=True)
    assert told.stdout == f"[2001:db8::53]:53|personal._update.mirage.|hmac-sha256.|{BASE64}|"


@pytest.mark.parametrize(
    ("client", "told"),
    [
        ("nsupdate", "and there: server 192.0.2.1 5353"),
        ("dig", "@192.0.2.1 -p 5353 "),
        ("knsupdate", "and there: server 192.0.2.1 5353"),
        ("kdig", "@192.0.2.1 -p 5353 "),
        ("certbot", "dns_rfc2136_port = 5353"),
        ("lego", "DNSUPDATE_NAMESERVER=192.0.2.1:5353"),
        ("cert-manager", 'nameserver: "192.0.2.1:5353"'),
        ("external-dns", "--rfc2136-port=5353"),
    ],
)
def test_another_port_is_told(client: str, told: str) -> None:
    assert told in write_for(client, KEY, Primary("192.0.2.1", 5353))


@pytest.mark.proves("clients", "cert-manager", "has the fields of its API; the program is not run")
def test_cert_managers_issuer_has_the_fields_of_its_api() -> None:
    """Those of `acme.cert-manager.io`, ACMEIssuerDNS01ProviderRFC2136; an unknown one would be refused."""
    secret, issuer = yaml.safe_load_all(write_for("cert-manager", KEY, Primary("192.0.2.1", 5353)))
    assert (secret["apiVersion"], secret["kind"], issuer["kind"]) == ("v1", "Secret", "Issuer")
    assert issuer["apiVersion"] == "cert-manager.io/v1"
    (solver,) = issuer["spec"]["acme"]["solvers"]
    assert solver["dns01"]["rfc2136"] == {
        "nameserver": "192.0.2.1:5353",
        "tsigKeyName": "personal._update.mirage",
        "tsigAlgorithm": "HMACSHA256",
        "tsigSecretSecretRef": {"name": secret["metadata"]["name"], "key": "tsig-secret"},
    }
    # What a Secret gives is the text itself: BASE64, as cert-manager wants it for RFC 2136.
    assert secret["stringData"] == {"tsig-secret": BASE64}


@pytest.mark.proves("clients", "external-dns", "has flags that it knows; the program is not run")
def test_external_dns_gets_flags_it_knows_and_the_secret_by_the_environment() -> None:
    secret, container = yaml.safe_load_all(write_for("external-dns", KEY, Primary("192.0.2.1", 5353)))
    flags = dict(argument.removeprefix("--").partition("=")[::2] for argument in container["args"])
    assert flags == {
        "provider": "rfc2136",
        "rfc2136-host": "192.0.2.1",
        "rfc2136-port": "5353",
        "rfc2136-zone": "mirage",
        "rfc2136-tsig-keyname": "personal._update.mirage",
        "rfc2136-tsig-secret-alg": "hmac-sha256",
        "rfc2136-tsig-axfr": "",
    }
    (variable,) = container["env"]
    # It reads each flag from EXTERNAL_DNS_ and the flag's name, too.
    assert variable["name"] == "EXTERNAL_DNS_RFC2136_TSIG_SECRET"
    reference = variable["valueFrom"]["secretKeyRef"]
    assert secret["stringData"] == {reference["key"]: BASE64}
    assert secret["metadata"]["name"] == reference["name"]


@pytest.mark.parametrize("client", KUBERNETES)
def test_kubernetes_gets_the_secret_as_a_secret(client: str) -> None:
    secret, _, use = write_for(client, KEY).partition("---\n")
    assert "kind: Secret" in secret
    assert f"  tsig-secret: {BASE64}\n" in secret
    assert BASE64 not in use
    assert "key: tsig-secret" in use


@pytest.mark.parametrize("algorithm", [Algorithm.SHA224, Algorithm.SHA384])
def test_a_client_that_cannot_use_the_algorithm_says_so(algorithm: Algorithm) -> None:
    with pytest.raises(KeyRejectedError, match=algorithm.text):
        write_for("cert-manager", Key(KEY.name, algorithm, KEY.secret))


@pytest.mark.parametrize(
    ("name", "file"),
    [("k._update.example.org.", "example.org._keys"), ("k._notify.", "_keys")],
)
def test_the_note_names_the_key_file_and_its_line(name: str, file: str) -> None:
    key = Key(dns.name.from_text(name), KEY.algorithm, KEY.secret)
    note = key_file_note(key).splitlines()
    assert all(line.startswith("# ") for line in note)
    assert f"file {file} " in note[0]
    assert note[1] == f"# {write_dnskey(key)}"


def test_a_key_that_grants_nothing_is_shown_with_an_example_zone() -> None:
    demo = Key(dns.name.from_text("demo.key"), KEY.algorithm, KEY.secret)
    assert "dig -k oakroot.key @192.0.2.53 example.org SOA" in write_for("dig", demo)


def test_a_key_that_grants_nothing_has_no_place_in_a_key_file() -> None:
    with pytest.raises(KeyRejectedError):
        key_file_note(Key(dns.name.from_text("demo.key"), KEY.algorithm, KEY.secret))
