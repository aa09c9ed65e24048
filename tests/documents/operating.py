"""What the pages of `docs/operate` take for granted: settings, servers at work, zones that are ill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.doctor.world import World as Internet
from tests.documents.stage import Stage
from tests.documents.worlds import DOCUMENTED_FINGERPRINT, Require, World, served
from tests.peers.ports import LOOPBACK

# Who is silent at the first is waited for; whoever answers has time for that.
ILL = {"glue.test": 2, "mismatch.test": 20}
WRONG = """\
[primary]
remote = "git@git.example.org:zones.git"
lissen = ["192.0.2.53"]
poll = "5m"
ssh-key = "ed25519:AAAA"
"""
RIGHT = f"""\
[primary]
remote = "git@git.example.org:zones.git"
authenticator = "{DOCUMENTED_FINGERPRINT}"
ssh-key = "ed25519:AAAA"
"""


@contextmanager
def configured(stage: Stage, require: Require) -> Iterator[None]:
    """A settings file with errors, which everybody can read, and one without."""
    wrong, right = stage.folder / "oakroot.toml", stage.folder / "right.toml"
    wrong.write_text(stage.played(WRONG))
    right.write_text(RIGHT)
    wrong.chmod(0o644)
    right.chmod(0o600)
    stage.environment["OAKROOT_CONFIG"] = str(right)
    stage.words = {"/etc/oakroot/oakroot.toml": str(right), **stage.words}
    yield


@contextmanager
def watched(stage: Stage, require: Require) -> Iterator[None]:
    """A repository that can be served at 192.0.2.53, and a folder for logs."""
    with served(stage, require):
        for program in ("curl", "dnstap-read"):
            require(program)
        folder = stage.folder
        stage.words = {
            "--remote …": f"--remote {folder}/zones.git --listen {stage.played('192.0.2.53')}",
            "/var/log/oakroot-primary/": f"{folder}/",
            **stage.words,
        }
        yield


@contextmanager
def overseen(stage: Stage, require: Require) -> Iterator[None]:
    """A primary and its secondary with control sockets, after an update and a push that broke a zone."""
    with served(stage, require):
        folder, primary, secondary = stage.folder, stage.played("192.0.2.53"), stage.played("198.51.100.53")
        stage.environment["OAKROOT_CONTROL"] = str(folder / "control.sock")
        stage.words = {
            "/run/oakroot-secondary/control.sock": str(folder / "2.sock"),
            "/srv/git/zones.git": str(folder / "zones.git"),
            **stage.words,
        }
        stage.serve(
            f"oakroot primary --remote {folder}/zones.git --listen {primary}", "zones served: 1, keys: 1"
        )
        stage.run(f"oakroot keygen tsig {primary}.{secondary}._transfer > ../transfer.key")
        stage.run("cat ../transfer.key > _keys && cp example.org example.net")
        stage.run("git add . && git commit --quiet --message 'Begin' && git push --quiet && oakroot reload")
        listening = f"--listen {secondary} --control {folder}/2.sock"
        stage.serve(f"oakroot secondary --key @../transfer.key {listening}", "[example.net.] AXFR, incoming")
        stage.run(f"oakroot update {primary} new.example.org 192.0.2.4 --key @../laptop.key")
        stage.run("git pull --quiet && echo 'www A 192.0.2.1.1' >> example.net")
        stage.run("git commit --quiet --all --message 'Move www' && git push --quiet && ! oakroot reload")
        yield


@contextmanager
def ill(stage: Stage, require: Require) -> Iterator[None]:
    """A small Internet, in which the page's zones are ill."""
    for program in ("named", "nsd", "knotd"):
        require(program)
    with Internet().running(stage.folder) as ports:
        # Its addresses are those of the page; and they are asked at a port of their own.
        options = f"--root {LOOPBACK}:{ports.dns} --timeout"
        stage.words = {
            f"doctor {zone}": f"doctor {zone} {options} {seconds}" for zone, seconds in ILL.items()
        }
        yield


OPERATING: dict[str, World] = {
    "docs/operate/configuration.md": configured,
    "docs/operate/doctor.md": ill,
    "docs/operate/metrics.md": watched,
    "docs/operate/queries.md": watched,
    "docs/operate/status.md": overseen,
}
