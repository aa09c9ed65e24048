"""The commands that there are: what is known of each before its module is loaded.

`oakroot check` runs in hooks, once per push or commit, and must not wait for the git and ssh libraries that
only `primary` needs. So a command's module is named here as text and imported when it was chosen: the one
late import beside those of `oakroot.late`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from oakroot.cli import Exit


@dataclass(frozen=True)
class Command:
    """What is known of a command before its module is loaded."""

    module: str
    summary: str
    serves: bool = False
    usage: Exit = Exit.USAGE
    """What wrong usage ends with: `plan` says with a 2 that there are changes."""
    is_set_by_files: bool = True
    """Whether it has a table in the settings file."""


GROUPS: Mapping[str, Mapping[str, Command]] = {
    "servers": {
        "primary": Command("oakroot.cli.primary", "serve the zones of a git repository", serves=True),
        "secondary": Command("oakroot.cli.secondary", "serve zones of other servers", serves=True),
        "certifier": Command(
            "oakroot.cli.certifier", "get certificates for requests found in DNS", serves=True
        ),
    },
    "a zone repository": {
        "init": Command("oakroot.cli.init", "make a zone repository"),
        "import": Command("oakroot.cli.importing", "make a zone repository of another server's set-up"),
        "check": Command("oakroot.cli.check", "check zone files, folders and repositories"),
        "plan": Command("oakroot.cli.plan", "show what a push would change", usage=Exit.NOT_SO),
        "log": Command("oakroot.cli.log", "show who changed a zone or a name, and how"),
        "blame": Command("oakroot.cli.blame", "show which commit made each record what it is"),
        "show": Command("oakroot.cli.show", "show the records of a name, now or at a moment"),
        "revert": Command("oakroot.cli.revert", "undo a change on top of later ones"),
        "merge": Command("oakroot.cli.merge", "merge zone files and key files for git"),
        "keys": Command("oakroot.cli.keys", "list who may do what"),
    },
    "asking a server": {
        "notify": Command("oakroot.cli.notify", "tell a primary that its repository has changed"),
        "update": Command("oakroot.cli.update", "change records of a zone at its primary"),
        "certify": Command("oakroot.cli.certify", "get a certificate by way of DNS, and keep it fresh"),
        "persist": Command(
            "oakroot.cli.persist", "permit accounts of authorities to certify without challenges"
        ),
        "doctor": Command("oakroot.cli.doctor", "look at a zone from outside, and say what to do"),
    },
    "a service on this machine": {
        "status": Command("oakroot.cli.status", "show what a running service is doing"),
        "reload": Command("oakroot.cli.reload", "have a running service read its settings and zones again"),
        "renotify": Command("oakroot.cli.renotify", "have a running service notify its secondaries"),
        "retransfer": Command("oakroot.cli.retransfer", "have a running secondary transfer a zone anew"),
        "stay": Command("oakroot.cli.stay", "have a running service serve on while systemd restarts it"),
    },
    "setting up": {
        "keygen": Command("oakroot.cli.keygen", "make a TSIG or ssh key"),
        "config": Command(
            "oakroot.cli.config", "check a settings file, or show which settings hold", is_set_by_files=False
        ),
        "completion": Command(
            "oakroot.cli.completion", "print a script that completes commands", is_set_by_files=False
        ),
        "image": Command(
            "oakroot.cli.image", "make, verify and start appliance images", is_set_by_files=False
        ),
    },
}
COMMANDS: dict[str, Command] = {name: command for group in GROUPS.values() for name, command in group.items()}


def listing() -> str:
    """All commands by what they are about, a line each."""
    width = max(map(len, COMMANDS))
    lines = []
    for title, group in GROUPS.items():
        lines.append(f"{title}:")
        lines += [f"  {name:{width}}  {command.summary}" for name, command in group.items()]
        lines.append("")
    return "\n".join(lines)
