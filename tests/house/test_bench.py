"""The benchmark's report takes the newest results, says what is missed, and fills no places but its own."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest

from bench import loading, results, system_calls
from bench.__main__ import PARTS
from bench.part import Target
from bench.parts import latency, load, reload
from bench.report import PAGE, PLACE, fill, write_page


@dataclass(frozen=True)
class Step:
    case: str
    server: str
    value: float


def run(at: str, **values: float) -> results.Run:
    measured = [{"case": case, "server": "oakroot", "value": value} for case, value in values.items()]
    return results.Run("part", at, "python -m bench part", {}, {}, measured)


def test_a_later_run_replaces_only_the_cases_it_measured(tmp_path: Path) -> None:
    results.write(run("2026-01-02T00:00:00Z", udp=2.0), tmp_path)
    results.write(run("2026-01-01T00:00:00Z", udp=1.0, tcp=3.0), tmp_path)
    newest = [Step(**step) for step in results.newest(results.runs("part", tmp_path))]
    assert {step.case: step.value for step in newest} == {"udp": 2.0, "tcp": 3.0}


@pytest.mark.parametrize(
    ("found", "verdict"),
    [(None, "not measured"), (1.05, "met"), (1.0, "met"), (1.26, "missed by 20 %")],
)
def test_a_target_says_whether_it_is_met(found: float | None, verdict: str) -> None:
    assert Target("to the floor", 1.05, found).verdict == verdict


def test_only_known_places_of_the_page_are_filled() -> None:
    page = "a\n<!-- bench: one -->\nold\n<!-- end -->\nb\n<!-- bench: two -->\nkept\n<!-- end -->\n"
    filled = "a\n<!-- bench: one -->\n\nnew\n\n<!-- end -->\nb\n<!-- bench: two -->\nkept\n<!-- end -->\n"
    assert fill(page, {"one": lambda _before: "new\n"}) == filled
    assert fill(filled, {"one": lambda _before: "new\n"}) == filled


def test_what_was_not_measured_stays_on_the_page(tmp_path: Path) -> None:
    page, images = tmp_path / "performance.md", tmp_path / "images"
    page.write_text(PAGE.read_text())
    images.mkdir()
    (images / "growth-of-zones.svg").write_text("drawn before")
    same = {"p50": 20.0, "p99": 30.0, "p99.9": 40.0, "max": 50.0}
    found = latency.Latency("1 zone of 1,000,000 records", "oakroot", 1000.0, same, same, lost=0, reloads=3)
    machine, versions = {"processor": "another"}, {"oakroot": "newer"}
    command, at = "python -m bench latency", "2027-01-01T00:00:00Z"
    results.write(results.Run("latency", at, command, machine, versions, [asdict(found)]), tmp_path)
    write_page(PARTS, tmp_path, page)
    before, after = (_places(text) for text in (PAGE.read_text(), page.read_text()))
    assert {name for name in before if before[name] != after[name]} == {"latency", "machine", "targets"}
    assert "2027-01-01" in after["latency"]
    assert "oakroot newer, bind " in after["machine"]
    rows = {name: row for row in after["targets"].splitlines() if "p99.9" in (name := row.split(" | ")[0])}
    assert ["met" in row for row in rows.values()] == [True]
    assert after["targets"].count("\n") == before["targets"].count("\n")
    assert (images / "growth-of-zones.svg").read_text() == "drawn before"


def _written(tmp_path: Path, old: str, new: str) -> str:
    """The page with another name on it in a place, as the next report writes it."""
    page = tmp_path / "performance.md"
    assert old in PAGE.read_text()
    page.write_text(PAGE.read_text().replace(old, new))
    write_page(PARTS, tmp_path, page)
    return page.read_text()


def test_a_target_that_no_part_gives_any_more_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = PAGE.read_text()
    row = next(line for line in before.splitlines() if line.startswith("| queries lost by a restart"))
    written = _written(tmp_path, row, row.replace("lost by a", "lost by the"))
    assert written == before.replace(f"{row}\n", "")
    assert capsys.readouterr().err.count("left out") == 1


def test_a_table_that_its_part_gives_no_more_is_left_out(tmp_path: Path) -> None:
    written = _written(tmp_path, "**Loading 10,000 zones of 10 records**", "**Loading 10,000 little zones**")
    before = PAGE.read_text()
    title = before.index("**Loading 10,000 zones of 10 records**")
    assert written == before[: title - 1] + before[before.index("\n<!-- end -->", title) :]


def test_a_case_that_its_part_measures_no_more_is_left_out(tmp_path: Path) -> None:
    same = {"p50": 20.0, "p99": 30.0, "p99.9": 40.0, "max": 50.0}
    gone = latency.Latency("1 little zone", "oakroot", 1000.0, same, same, lost=0, reloads=3)
    kept = replace(gone, case="1 zone of 20 records")
    measured = [asdict(gone), asdict(kept)]
    run = results.Run("latency", "2027-01-01T00:00:00Z", "command", {}, {}, measured)
    results.write(run, tmp_path)
    written = _written(tmp_path, "", "")
    assert [each in written for each in ("1 little zone", "1 zone of 20 records")] == [False, True]


def test_every_name_on_the_page_is_one_that_a_part_gives() -> None:
    places = _places(PAGE.read_text())
    rows = [line.strip("| ").split(" | ")[0].strip() for line in places["targets"].strip().splitlines()[2:]]
    assert [name for name in rows if not any(part.gives(name) for part in PARTS)] == []
    for part in PARTS:
        titles = re.findall(r"^\*\*(.+)\*\*$", places[part.name], re.MULTILINE)
        assert titles
        assert [title for title in titles if not part.gives(title)] == []


def test_a_part_lists_what_it_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load.PART, "name_shapes", ())
    found = loading.Load("1 zone of 10 records", "oakroot", 1.0, 1.0, 1, 1)
    run = results.Run("load", "2027-01-01T00:00:00Z", "command", {}, {}, [asdict(found)])
    results.write(run, tmp_path)
    with pytest.raises(LookupError, match="load: Loading 1 zone of 10 records has none"):
        _written(tmp_path, "", "")


def _places(page: str) -> dict[str, str]:
    return {place["name"]: place["text"] for place in PLACE.finditer(page)}


def test_every_part_has_its_place_on_the_page() -> None:
    page = PAGE.read_text()
    assert [part.name for part in PARTS if f"<!-- bench: {part.name} -->" not in page] == []


@pytest.mark.parametrize(("reloads", "verdicts"), [(0, {"not measured"}), (3, {"met"})])
def test_latency_without_a_reload_proves_nothing(reloads: int, verdicts: set[str]) -> None:
    same = {"p50": 20.0, "p99": 30.0, "p99.9": 40.0, "max": 50.0}
    found = latency.Latency("a zone", "oakroot", 1000.0, same, same, lost=0, reloads=reloads)
    assert {target.verdict for target in latency.PART.targets([found])} == verdicts


def test_a_containers_calls_are_those_it_made_itself_and_the_kernel_had() -> None:
    text = """\
7 openat(AT_FDCWD, "/proc/self/fd", O_RDONLY) = 3
7 execve("/usr/sbin/named", ["named"], 0x1 /* 0 vars */ <unfinished ...>
8 nanosleep(0x1, NULL) = 0
7 <... execve resumed>) = 0
7 brk(NULL) = 0x1
7 rseq(0x1, 0x20, 0, 0x1) = -1 ENOSYS (Function not implemented)
7 access("/etc/none", R_OK) = -1 ENOENT (No such file or directory)
9 epoll_wait(3,  <unfinished ...>
9 <... recvmmsg resumed>[], 64, 0, NULL) = 1
"""
    assert system_calls.calls_in(text) == {"brk", "access", "epoll_wait", "recvmmsg"}


def test_of_an_engines_filter_only_the_rules_for_these_rights_and_this_processor_count() -> None:
    def rule(name: str, action: str = "SCMP_ACT_ALLOW", **conditions: object) -> dict[str, object]:
        return {"names": [name], "action": action, **conditions}

    rules = [
        rule("read", args=[]),
        rule("chroot", includes={"caps": ["CAP_SYS_CHROOT"]}),
        rule("bpf", includes={"caps": ["CAP_SYS_ADMIN"]}),
        rule("bpf", action="SCMP_ACT_ERRNO", excludes={"caps": ["CAP_SYS_ADMIN"]}, errnoRet=1),
        rule("arch_prctl", includes={"arches": ["amd64", "x32"]}),
        rule("s390_pci_mmio_read", includes={"arches": ["s390x"]}),
    ]
    held = list(system_calls.that_hold(rules, {"CAP_SYS_CHROOT"}))
    assert held[2] == {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}
    assert system_calls.allowed_by({"syscalls": held}) == {"read", "chroot", "arch_prctl"}


def test_who_is_told_what_changed_is_compared_apart_from_those_who_look_for_it() -> None:
    case = "10,000 zones of 10 records, one record changed"
    seconds = {"oakroot": 4.0, "nsd": 8.0, "pdns": 2.0}
    found = [reload.Reload(case, server, each, 0.0) for server, each in seconds.items()]
    told = {target.what.rpartition(": to ")[2]: target.found for target in reload.PART.targets(found)}
    assert told == {
        "the fastest peer that looks for the zone": 0.5,
        "PowerDNS, which is told the zone": 2.0,
    }


def test_of_one_zone_all_peers_are_told_alike() -> None:
    case = "1 zone of 20,000 records, one record changed"
    seconds = {"oakroot": 4.0, "nsd": 8.0, "pdns": 2.0}
    found = [reload.Reload(case, server, each, 0.0) for server, each in seconds.items()]
    [target] = reload.PART.targets(found)
    assert target.what.endswith(": to the fastest peer")
    assert target.found == 2.0
