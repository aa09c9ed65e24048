"""The hooks and workflows of `oakroot init`, run for what they are: by git, and step by step in a shell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.operator_repository import IDENTITY
from tests.peers.code_host import PAGE, SOMEBODY, TOKEN, CodeHost
from tests.peers.commands import Primary, oakroot
from tests.peers.git_servers import NOBODYS_CONFIG

ZONE = """\
$TTL 1h
@ SOA ns1 hostmaster {serial} 1d 2h 2w 1h
  NS ns1
ns1 A 192.0.2.53
"""
BROKEN = ZONE.format(serial=9) + "www A 1.2.3\n"
HOSTS = "".join(f"host{number} A 192.0.2.{number}\n" for number in range(20))


class Workplace:
    """A repository made by `oakroot init`, its bare remote, and the commands of whoever works there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "zones"
        self.remote = folder / "remote.git"
        # The hooks call `oakroot` by its name: the one that is tested comes first in PATH.
        programs = folder / "bin"
        programs.mkdir()
        program = programs / "oakroot"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m oakroot.cli.main "$@"\n')
        program.chmod(0o755)
        self.programs = programs
        self.environment = {
            **{
                name: value for name, value in os.environ.items() if not name.startswith(("OAKROOT_", "GIT_"))
            },
            **NOBODYS_CONFIG,
            **IDENTITY,
            "PATH": f"{programs}:{os.environ['PATH']}",
        }
        assert oakroot("init", self.folder, "--ci", "github", "--ci", "gitlab", "--ci", "forgejo").code == 0
        self.run(["git", "commit", "--quiet", "--message", "Begin"])
        self.run(["git", "clone", "--quiet", "--bare", ".", str(self.remote)])
        self.run(["git", "remote", "add", "origin", str(self.remote)])
        self.run(["git", "push", "--quiet", "--set-upstream", "origin", "main"])

    def run(
        self, command: list[str], *, good: bool = True, environment: Mapping[str, str] | None = None
    ) -> str:
        """What a command says, which must end well, or must not."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode == 0) is good, done.stdout + done.stderr
        return done.stdout + done.stderr

    def change(self, text: str, message: str = "Change", *, verify: bool = True) -> None:
        """Writes the zone and commits it."""
        (self.folder / "example.org").write_text(text)
        self.run(
            ["git", "commit", "--quiet", "--all", "--message", message, *([] if verify else ["--no-verify"])]
        )

    def use_server_hook(self, name: str) -> None:
        """Installs a hook at the remote, as its administrator would."""
        hook = self.remote / "hooks" / name
        hook.write_text((self.folder / "server-hooks" / name).read_text())
        hook.chmod(0o755)

    def head(self, repository: Path) -> str:
        return self.run(["git", "-C", str(repository), "rev-parse", "main"]).strip()


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def test_a_broken_zone_is_not_committed(place: Workplace) -> None:
    (place.folder / "example.org").write_text(BROKEN)
    said = place.run(["git", "commit", "--all", "--message", "Slip"], good=False)
    assert "example.org:5:7: error" in said


def test_what_is_staged_is_checked_and_not_what_lies_in_the_folder(place: Workplace) -> None:
    good = (place.folder / "example.org").read_text()
    (place.folder / "example.org").write_text(BROKEN)
    place.run(["git", "add", "example.org"])
    (place.folder / "example.org").write_text(good)
    said = place.run(["git", "commit", "--message", "Slip"], good=False)
    assert "\nexample.org:5:7: error" in f"\n{said}"
    place.run(["git", "add", "example.org"])
    (place.folder / "example.org").write_text(BROKEN)
    place.run(["git", "commit", "--allow-empty", "--message", "Nothing bad in it"])


@pytest.mark.parametrize("command", ["commit --allow-empty --message Empty", "push origin main:other"])
def test_a_hook_that_finds_no_program_says_what_to_do(command: str, place: Workplace) -> None:
    (place.programs / "oakroot").unlink()
    bare = {"PATH": "/usr/bin:/bin"}
    if shutil.which("oakroot", path=bare["PATH"]):
        pytest.skip("oakroot is installed for everybody here")
    said = place.run(["git", *command.split()], good=False, environment=bare)
    assert "there is no oakroot in PATH: add the folder it is in" in said


def test_a_push_shows_its_plan(place: Workplace) -> None:
    place.change(ZONE.format(serial=2) + "www A 192.0.2.1\n")
    said = place.run(["git", "push"])
    assert "example.org: serial 1 -> 2" in said
    assert place.head(place.folder) == place.head(place.remote)


def test_a_push_that_deletes_too_much_is_stopped_before_it_leaves(place: Workplace) -> None:
    place.change(ZONE.format(serial=2) + HOSTS)
    place.run(["git", "push"])
    place.change(ZONE.format(serial=3))
    said = place.run(["git", "push"], good=False)
    assert "too much at once" in said
    assert "Oakroot-Force: yes" in said
    place.run(["git", "push", "--no-verify"])


def test_a_deletion_that_the_commit_says_is_meant_leaves(place: Workplace) -> None:
    place.change(ZONE.format(serial=2) + HOSTS)
    place.run(["git", "push"])
    place.change(ZONE.format(serial=3), "Give hosts up\n\nOakroot-Force: yes")
    place.run(["git", "push"])
    assert place.head(place.folder) == place.head(place.remote)


def test_a_new_branch_with_many_zones_may_be_pushed_and_deleted(place: Workplace) -> None:
    for number in range(12):
        (place.folder / f"customer{number}.example").write_text(ZONE.format(serial=1))
    place.run(["git", "add", "."])
    place.run(["git", "commit", "--quiet", "--message", "Take customers"])
    place.run(["git", "push"])
    place.use_server_hook("pre-receive")
    place.run(["git", "push", "origin", "main:other"])
    place.run(["git", "push", "origin", ":other"])


def test_the_server_hook_leaves_the_repository_as_git_has_it(place: Workplace) -> None:
    place.use_server_hook("pre-receive")
    for serial in (2, 3):
        place.change(ZONE.format(serial=serial))
        place.run(["git", "push"])
    assert not (place.remote / "objects/info/alternates").exists()
    assert place.run(["git", "-C", str(place.remote), "fsck"]) == ""


def test_the_server_refuses_a_broken_zone(place: Workplace) -> None:
    place.use_server_hook("pre-receive")
    before = place.head(place.remote)
    place.change(BROKEN, verify=False)
    said = place.run(["git", "push", "--no-verify"], good=False)
    assert "example.org:5:7: error" in said
    assert place.head(place.remote) == before


def test_the_server_refuses_mass_deletion_unless_the_commit_says_it_is_meant(place: Workplace) -> None:
    place.use_server_hook("pre-receive")
    place.change(ZONE.format(serial=2) + HOSTS)
    place.run(["git", "push"])
    place.change(ZONE.format(serial=3), verify=False)
    assert "loses 20 of 23 records" in place.run(["git", "push", "--no-verify"], good=False)
    place.run(["git", "commit", "--amend", "--message", "Give hosts up\n\nOakroot-Force: yes"])
    place.run(["git", "push", "--no-verify"])


def test_the_primary_serves_a_push_before_git_push_ends(place: Workplace, tmp_path: Path) -> None:
    place.use_server_hook("post-receive")
    key = tmp_path / "key"
    key.write_text((place.folder / "example.org._keys").read_text())
    with Primary(["--remote", place.remote], tmp_path / "log") as primary:
        primary.said("zones served: 1")
        place.change(ZONE.format(serial=2))
        told = {"OAKROOT_PRIMARY": primary.server, "OAKROOT_ZONE": "example.org", "OAKROOT_KEY": f"@{key}"}
        said = place.run(["git", "push"], environment=told)
    assert "was notified of example.org. and serves serial 2" in said


def workflow(place: Workplace, path: str) -> dict[str, Any]:
    loaded = yaml.safe_load((place.folder / path).read_text())
    assert isinstance(loaded, dict)
    return loaded


def run_step(place: Workplace, script: str, environment: Mapping[str, str], *, good: bool = True) -> str:
    return place.run(["bash", "-e", "-o", "pipefail", "-c", script], environment=environment, good=good)


def steps(place: Workplace, path: str, job: str) -> dict[str, dict[str, Any]]:
    """The steps of a job that have names; the others fetch the sources and install Oakroot."""
    return {step["name"]: step for step in workflow(place, path)["jobs"][job]["steps"] if "name" in step}


GITHUB, FORGEJO, GITLAB = ".github/workflows/zones.yml", ".forgejo/workflows/zones.yml", ".gitlab-ci.yml"
WORKFLOWS = [GITHUB, FORGEJO]


@pytest.mark.parametrize("path", WORKFLOWS)
def test_a_pull_request_is_checked_and_planned(path: str, place: Workplace, tmp_path: Path) -> None:
    base = place.head(place.folder)
    place.change(ZONE.format(serial=2) + "www A 192.0.2.1\n")
    summary = tmp_path / "summary"
    environment = {"BASE": base, "GITHUB_STEP_SUMMARY": str(summary)}
    job = steps(place, path, "plan")
    assert "no errors" in run_step(place, job["check"]["run"], environment)
    said = run_step(place, job["plan"]["run"], environment)
    if summary.exists():
        said += summary.read_text()
    assert "+ www 3600 A 192.0.2.1" in said


@pytest.mark.parametrize("path", WORKFLOWS)
def test_a_pull_request_with_an_error_fails(path: str, place: Workplace, tmp_path: Path) -> None:
    base = place.head(place.folder)
    place.change(BROKEN, verify=False)
    environment = {"BASE": base, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    job = steps(place, path, "plan")
    assert "::error file=example.org" in run_step(place, job["check"]["run"], environment, good=False)
    run_step(place, job["plan"]["run"], environment, good=False)


@pytest.mark.parametrize(
    ("author", "text", "method"),
    [
        ("github-actions[bot]", "Looks good to me", "POST"),
        ("somebody", "<!-- oakroot plan -->\nplanted", "POST"),
        ("github-actions[bot]", "<!-- oakroot plan -->\nof before", "PATCH"),
    ],
)
def test_the_comment_is_written_once_and_renewed_afterwards(
    author: str, text: str, method: str, place: Workplace, tmp_path: Path, require: Callable[[str], str]
) -> None:
    calls, comments = tmp_path / "calls", tmp_path / "comments.json"
    comments.write_text(json.dumps([{"id": 4711, "user": {"login": author}, "body": text}]))
    gh = place.programs / "gh"
    # `gh api --paginate URL --jq FILTER`
    jq = f'case "$4" in --jq) {require("jq")} --raw-output "$5" {comments} ;; esac'
    gh.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n{jq}\n')
    gh.chmod(0o755)
    (place.folder / "plan.md").write_text("<!-- oakroot plan -->\n")
    environment = {"REPOSITORY": "example/zones", "NUMBER": "7", "GH_TOKEN": "t"}
    run_step(place, steps(place, GITHUB, "plan")["comment"]["run"], environment)
    assert f"--method {method}" in calls.read_text().splitlines()[-1]


def comment(
    place: Workplace, path: str, host: CodeHost, token: str = TOKEN, *, good: bool = True
) -> tuple[str, str]:
    """What the part of a workflow says that comments, and the command lines that it called `curl` with."""
    calls = place.folder.parent / "calls"
    calls.touch()
    curl = place.programs / "curl"
    curl.write_text(f'#!/bin/sh\necho "$@" >> {calls}\nexec {shutil.which("curl")} "$@"\n')
    curl.chmod(0o755)
    if path == GITLAB:
        (script,) = workflow(place, path)["plan"]["after_script"]
        environment = {
            "OAKROOT_COMMENT_TOKEN": token,
            "CI_API_V4_URL": f"{host.url}/api/v4",
            "CI_MERGE_REQUEST_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "7",
        }
    else:
        script = steps(place, path, "plan")["comment"]["run"]
        environment = {
            "TOKEN": token,
            "API": f"{host.url}/api/v1",
            "REPOSITORY": "example/zones",
            "NUMBER": "7",
        }
    return run_step(place, script, environment, good=good), calls.read_text()


@pytest.fixture
def host(require: Callable[[str], str]) -> Iterator[CodeHost]:
    require("curl")
    with CodeHost() as running:
        yield running


@pytest.mark.parametrize(("path", "edit"), [(GITLAB, "PUT"), (FORGEJO, "PATCH")])
def test_a_plan_is_commented_once_and_renewed_afterwards(
    path: str, edit: str, place: Workplace, host: CodeHost
) -> None:
    host.comments += ["Looks good to me"] * (PAGE + 1)
    for word in ("first", "second"):
        plan = f'<!-- oakroot plan -->\n"{word}" \\ ü\n'
        (place.folder / "plan.md").write_text(plan)
        _, calls = comment(place, path, host)
        assert host.comments[PAGE + 1 :] == [plan]
        assert TOKEN not in calls
    assert host.methods == ["GET", "GET", "POST", "GET", "GET", edit]


@pytest.mark.parametrize(("path", "author"), [(GITLAB, SOMEBODY), (FORGEJO, SOMEBODY), (FORGEJO, None)])
def test_a_comment_that_somebody_else_made_look_like_a_plan_is_let_be(
    path: str, author: int | None, place: Workplace, host: CodeHost
) -> None:
    planted, plan = "<!-- oakroot plan -->\nnothing changes\n", "<!-- oakroot plan -->\nall is deleted\n"
    host.comments.append(planted)
    host.authors[1] = author
    (place.folder / "plan.md").write_text(plan)
    for _ in range(2):
        comment(place, path, host)
    assert host.comments == [planted, plan]


@pytest.mark.parametrize("path", [GITLAB, FORGEJO])
def test_where_there_is_no_plan_nothing_is_commented(path: str, place: Workplace, host: CodeHost) -> None:
    assert comment(place, path, host) == ("", "")


@pytest.mark.parametrize("path", [GITLAB, FORGEJO])
def test_a_token_that_may_not_comment_is_told(path: str, place: Workplace, host: CodeHost) -> None:
    (place.folder / "plan.md").write_text("<!-- oakroot plan -->\n")
    said, _ = comment(place, path, host, "another", good=False)
    assert host.comments == []
    assert "401" in said


def test_without_a_token_gitlabs_job_does_not_comment(place: Workplace, host: CodeHost) -> None:
    (place.folder / "plan.md").write_text("<!-- oakroot plan -->\n")
    assert comment(place, GITLAB, host, "") == ("", "")


@pytest.mark.parametrize("path", [*WORKFLOWS, GITLAB])
def test_a_push_notifies_the_primary(path: str, place: Workplace, tmp_path: Path) -> None:
    if path == GITLAB:
        (script,) = workflow(place, path)["notify"]["script"]
    else:
        script = steps(place, path, "notify")["notify"]["run"]
    _, _, _, _, _, secret = (place.folder / "example.org._keys").read_text().split()
    with Primary(["--remote", place.remote], tmp_path / "log") as primary:
        primary.said("zones served: 1")
        environment = {
            "OAKROOT_PRIMARY": primary.server,
            "OAKROOT_ZONE": "example.org",
            "OAKROOT_KEY": f"operator._update.example.org:SHA256:{secret}",
        }
        assert "serves serial 1" in run_step(place, script, environment)


def test_a_merge_request_is_checked_and_planned(place: Workplace) -> None:
    base = place.head(place.folder)
    place.change(ZONE.format(serial=2) + "www A 192.0.2.1\n")
    environment = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    said = [run_step(place, script, environment) for script in workflow(place, GITLAB)["plan"]["script"]]
    assert "+ www 3600 A 192.0.2.1" in said[-1]


def test_the_published_hook_names_a_command_that_is_there(project_root: Path, place: Workplace) -> None:
    (hook,) = yaml.safe_load((project_root / ".pre-commit-hooks.yaml").read_text())
    assert "no errors" in place.run([*hook["entry"].split(), *hook["args"]])
