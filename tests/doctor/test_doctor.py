"""`oakroot doctor` against BIND, NSD and Knot DNS: each illness is found where it is, and nothing else."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import dns.name
import pytest

from oakroot.cli.main import main
from oakroot.doctor.examination import Means, examine
from oakroot.doctor.judge import judge
from oakroot.doctor.observations import Observations
from tests.doctor.withholding import Withholding
from tests.doctor.world import FIRST, NO_EDNS, NO_LARGE, NO_TCP, NOBODY, ROOT, SECOND, Ports

PATIENCE = 20.0
# Where somebody is silent, that is waited for, twice; and who does answer must be quicker.
SHORT_PATIENCE = 1.0
SILENT = ("glue.test", "silent.test", "noedns.test", "large.test")
HARMLESS = {"unsigned", "secure", "no-caa", "caa"}


def means(port: int, *, resolver: str | None = None, patience: float = PATIENCE) -> Means:
    way = None if resolver is None else (resolver, port)
    return Means(patience, (ROOT,), way, port, ipv6=False)


def seen(zone: str, port: int) -> Observations:
    patience = SHORT_PATIENCE if zone in SILENT else PATIENCE
    return examine(dns.name.from_text(zone), means(port, patience=patience))


def found(zone: str, port: int) -> set[tuple[str, str, str]]:
    """(severity, code, about) of all that is not harmless."""
    findings = judge(seen(zone, port))
    assert all(finding.advice for finding in findings if finding.severity != "note")
    return {
        (finding.severity, finding.code, finding.about)
        for finding in findings
        if finding.code not in HARMLESS
    }


@pytest.mark.parametrize("zone", ["good.test", "secure.test"])
def test_nothing_is_wrong_with_what_is_good(zone: str, port: int) -> None:
    assert found(zone, port) == set()


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("nowhere.test", {("error", "not-delegated", "nowhere.test")}),
        ("deep.good.test", {("error", "not-delegated", "deep.good.test")}),
        ("noglue.test", {("error", "missing-glue", "ns1.noglue.test")}),
        (
            "glue.test",
            {("error", "wrong-glue", "ns2.glue.test"), ("error", "silent", f"ns2.glue.test ({NOBODY})")},
        ),
        (
            "names.test",
            {
                ("error", "no-address", "old.good.test"),
                ("warning", "only-at-parent", "names.test"),
                ("warning", "only-at-zone", "names.test"),
            },
        ),
        ("one.test", {("warning", "only-at-zone", "one.test"), ("warning", "one-server", "one.test")}),
        ("alias.test", {("error", "alias", "ns.alias.test"), ("warning", "one-server", "alias.test")}),
    ],
)
def test_a_wrong_delegation_is_found(zone: str, expected: set[tuple[str, str, str]], port: int) -> None:
    assert found(zone, port) == expected


@pytest.mark.parametrize(
    ("zone", "severity", "code", "address"),
    [
        ("lame", "error", "lame", SECOND),
        ("lag", "warning", "behind", SECOND),
        ("notcp", "error", "no-tcp", NO_TCP),
        ("noedns", "error", "edns-dropped", NO_EDNS),
        ("silent", "error", "silent", NOBODY),
        ("open", "error", "open-resolver", ROOT),
    ],
)
def test_a_server_that_is_ill_is_found(zone: str, severity: str, code: str, address: str, port: int) -> None:
    assert found(f"{zone}.test", port) == {(severity, code, f"ns2.{zone}.test ({address})")}


def test_a_way_that_loses_large_answers_is_found(port: int) -> None:
    assert found("large.test", port) == {
        ("error", "fragments", f"ns2.large.test ({NO_LARGE})"),
        ("warning", "large-answers", f"ns1.large.test ({FIRST})"),
        ("warning", "no-ds", "large.test"),
    }


@pytest.mark.parametrize(
    ("zone", "severity", "code"),
    [
        ("mismatch.test", "error", "ds-mismatch"),
        ("unsigned.test", "error", "ds-without-keys"),
        ("expired.test", "error", "bad-signature"),
        ("ending.test", "warning", "signature-ends"),
        ("weak.test", "warning", "weak-ds"),
        ("island.test", "warning", "no-ds"),
        ("cds.test", "error", "cds-without-key"),
    ],
)
def test_a_broken_chain_of_trust_is_found(zone: str, severity: str, code: str, port: int) -> None:
    assert found(zone, port) == {(severity, code, zone)}


def test_by_a_resolver_the_same_is_found(port: int) -> None:
    zone = dns.name.from_text("lame.test")
    by_resolver = judge(examine(zone, means(port, resolver=ROOT)))
    assert [finding.code for finding in by_resolver if finding.code not in HARMLESS] == ["lame"]


def test_a_server_may_be_asked_that_nobody_delegates_to(port: int) -> None:
    zone = dns.name.from_text("gone.test")
    observed = examine(zone, means(port), [(FIRST, port)])
    assert [finding.code for finding in judge(observed) if finding.severity == "error"] == ["not-delegated"]
    assert {server.address for server in observed.servers} >= {FIRST}
    assert all(server.soa.is_good for server in observed.servers)


def test_over_tls_it_is_told_who_speaks_it(ports: Ports) -> None:
    observed = examine(dns.name.from_text("open.test"), replace(means(ports.dns), tls_port=ports.tls))
    over_tls = {server.address: server.tls for server in observed.servers}
    encrypted = over_tls[ROOT]
    assert encrypted is not None
    assert encrypted.soa.is_good
    assert encrypted.valid_until == pytest.approx(time.time() + 30 * 86400, abs=3600)
    told = {(finding.code, finding.about) for finding in judge(observed) if finding.severity == "warning"}
    assert told == {("no-tls", f"ns1.open.test ({FIRST})")}


def test_questions_to_one_server_are_asked_side_by_side() -> None:
    """This one answers for its zone's SOA at once, and else only when seven questions wait for it."""
    with Withholding(7) as server, Withholding(1, "127.0.9.8") as root:
        address, port = root.place
        way = Means(PATIENCE, (address,), port=port, ipv6=False)
        observed = examine(dns.name.from_text("good.test"), way, [server.place])
    (seen,) = observed.servers
    assert (seen.keys.rcode, seen.cds.rcode, seen.caa.rcode) == ("REFUSED", "REFUSED", "REFUSED")


def test_a_way_that_is_broken_is_told(port: int) -> None:
    observed = examine(dns.name.from_text("good.test"), Means(0.1, (NOBODY,), None, port, ipv6=False))
    (finding,) = judge(observed)
    assert (finding.code, finding.severity) == ("no-way", "error")
    assert "no name server of . answers" in finding.message


def test_caa_records_are_told_and_inherited(port: int) -> None:
    for zone in ("good.test", "deep.good.test"):
        observed = seen(zone, port)
        assert observed.caa_at == dns.name.from_text("good.test")


# --- the command


def doctor(port: int, *words: str) -> int:
    return main(["doctor", "--root", f"{ROOT}:{port}", "--timeout", str(PATIENCE), *words])


def test_the_command_shows_servers_findings_and_advice(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(port, "lame.test") == 1
    shown = capsys.readouterr().out
    assert shown.startswith("lame.test is delegated by test\n")
    assert f"ns2.lame.test.  {SECOND}  -       REFUSED  REFUSED  -\n" in shown
    complaint = "it is no name server of lame.test: it answers REFUSED"
    assert f"error: ns2.lame.test ({SECOND}): {complaint}\n  do: " in shown
    assert shown.endswith("1 error, 2 notes\n")


def test_a_server_given_by_its_port_is_named_by_it(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    with Withholding(0) as server:
        address, its_port = server.place
        assert doctor(port, "good.test", "--server", f"{address}:{its_port}") == 1
    shown = capsys.readouterr().out
    assert f"(given)         {address}:{its_port}  -       REFUSED  " in shown


def test_warnings_count_when_the_user_is_strict(port: int) -> None:
    assert doctor(port, "lag.test") == 0
    assert doctor(port, "lag.test", "--strict") == 1


def test_the_same_comes_as_json(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(port, "lag.test", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["zone"], told["parent"]) == ("lag.test.", "test.")
    assert [server["serial"] for server in told["servers"]] == [2, 1]
    assert "behind" in [finding["code"] for finding in told["findings"]]


@pytest.mark.parametrize(
    "words",
    [
        ["."],
        ["a..b"],
        ["good.test", "--server", "ns1.good.test"],
        ["x", "--resolver", "::1"],
        ["x", "--root", "127.0.0.1:1"],
        ["x", "--tls", "--tls-port", "0"],
    ],
)
def test_wrong_usage_is_refused(words: list[str], port: int) -> None:
    try:
        code = doctor(port, *words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code == 2
