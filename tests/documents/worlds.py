"""What pages take for granted: a git host, an authority, other servers. A function for each page.

Those of `docs/operate` have theirs in `operating`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from tests.documents.stage import DNS_PORT, Stage
from tests.peers.authority import Authority
from tests.peers.git_servers import BareRepository, Daemon, HostKeys, git, login_name, sshd
from tests.peers.pebble import Pebble
from tests.peers.ports import LOOPBACK, free_port

Require = Callable[[str], str]
World = Callable[[Stage, Require], AbstractContextManager[None]]

DOCUMENTED_FINGERPRINT = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
REMOTE = "git@git.example.org:zones.git"


@contextmanager
def tutorial(stage: Stage, require: Require) -> Iterator[None]:
    """An empty repository behind ssh, and a certificate authority that asks the secondary."""
    with ExitStack() as stack:
        for program in ("git", "ssh", "host", "dig", "nsupdate"):
            require(program)
        _serve_git_over_ssh(stage, require, stack)
        pebble = Pebble(
            require("pebble"),
            stage.folder / "pebble",
            dns=DNS_PORT,
            dns_host=stage.played("198.51.100.53"),
        )
        stack.enter_context(pebble)
        stage.environment["OAKROOT_DIRECTORY"] = pebble.directory_url
        stage.environment["OAKROOT_DIRECTORY_CA"] = str(pebble.ca_file)
        yield


def _serve_git_over_ssh(stage: Stage, require: Require, stack: ExitStack) -> tuple[BareRepository, Path]:
    """An sshd that knows the reader's key, and those that a page adds to $AUTHORIZED_KEYS.

    Gives the repository and the reader's key.
    """
    folder = stage.folder
    repository = BareRepository(folder / "zones.git")
    host_keys = HostKeys(folder)
    files = host_keys.make("ed25519")
    reader = folder / "reader"
    readers = HostKeys(reader)
    reader.mkdir()
    (key,) = readers.make("ed25519")
    daemon = stack.enter_context(
        sshd(require("sshd"), folder, files, key.with_suffix(".pub").read_text().strip())
    )
    known = folder / "known_hosts"
    known.write_text(host_keys.known_hosts_line(daemon.port, "ed25519"))
    ssh = f"ssh -F none -i {key} -o UserKnownHostsFile={known} -o IdentitiesOnly=yes"
    stage.environment["GIT_SSH_COMMAND"] = ssh
    stage.environment["AUTHORIZED_KEYS"] = str(folder / f"authorized_keys.{daemon.port}")
    stage.words = {
        REMOTE: f"ssh://{login_name()}@{LOOPBACK}:{daemon.port}{repository.path}",
        "git.example.org": f"-p {daemon.port} {LOOPBACK}",
        DOCUMENTED_FINGERPRINT: host_keys.fingerprints["ed25519"],
        **stage.words,
    }
    return repository, key


ZONE = """\
$TTL 1h
@       SOA   ns1 hostmaster 1 1d 2h 2w 1h
        NS    ns1
ns1     A     192.0.2.53
www     A     192.0.2.80    ; the web server
"""
REVERSE = """\
$TTL 1h
@       SOA   ns1.example.org. hostmaster.example.org. 1 1d 2h 2w 1h
        NS    ns1.example.org.
80      PTR   www.example.org.
"""
SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
KEY_LINE = f"laptop._update.example.org. DNSKEY 0 3 163 {SECRET}\n"

OTHERS = {
    "/etc/knot/knot.conf": """\
key:
  - id: laptop
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: updates
    key: laptop
    action: update
zone:
  - domain: example.org
    storage: {folder}
    file: example.org.zone
    acl: updates
""",
    "/etc/nsd/nsd.conf": """\
server:
    zonesdir: "{folder}"
key:
    name: backup
    algorithm: hmac-sha256
    secret: "{secret}"
zone:
    name: example.org
    zonefile: example.org.zone
    provide-xfr: 0.0.0.0/0 backup
""",
    "/etc/powerdns/pdns.conf": "launch=bind\nbind-config={folder}/named.conf\n",
}


@contextmanager
def nothing(stage: Stage, require: Require) -> Iterator[None]:
    """An empty folder."""
    require("git")
    yield


@contextmanager
def served(stage: Stage, require: Require) -> Iterator[None]:
    """A clone in `zones`, a primary that serves its remote at 192.0.2.53, and a key for updates beside it."""
    for program in ("git", "dig"):
        require(program)
    repository = BareRepository(stage.folder / "zones.git")
    zone = stage.played(ZONE)
    repository.commit({"example.org": zone.encode(), "example.org._keys": KEY_LINE.encode()})
    (stage.folder / "laptop.key").write_text(KEY_LINE)
    git("clone", "--quiet", str(repository.path), str(stage.folder / "zones"))
    stage.serve(f"oakroot primary --remote {repository.path} --listen 192.0.2.53", "zones served: 1, keys: 1")
    stage.go(stage.folder / "zones")
    yield


@contextmanager
def changed(stage: Stage, require: Require) -> Iterator[None]:
    """The same after two changes, of which the first was wrong."""
    with served(stage, require):
        folder, zone = stage.folder / "zones", stage.played(ZONE)
        slip = zone.replace(".2.80 ", ".2.8 ").replace(" 1 1d", " 2 1d")
        later = slip.replace(" 2 1d", " 3 1d") + stage.played("ftp     A     192.0.2.21\n")
        for text, message in ((slip, "Move www"), (later, "Add ftp")):
            (folder / "example.org").write_text(text)
            stage.run(f"git commit --quiet --all --message '{message}'")
        stage.run("git push --quiet origin main")
        stage.run("oakroot notify 192.0.2.53 example.org --key @../laptop.key")
        yield


@contextmanager
def certified(stage: Stage, require: Require) -> Iterator[None]:
    """The same, and a certificate of a private authority for ns1.example.org."""
    with served(stage, require):
        issuer = Authority(stage.folder)
        pair = str(issuer.issue("ns1.example.org"))
        stage.words = {
            "/etc/oakroot/tls/fullchain.pem": pair,
            "/etc/oakroot/tls/privkey.pem": pair,
            "/etc/oakroot/ca.pem": str(issuer.file),
            **stage.words,
        }
        yield


@contextmanager
def authority(stage: Stage, require: Require) -> Iterator[None]:
    """The same, a certificate authority that asks the primary, and a certifier at work."""
    with (
        served(stage, require),
        Pebble(
            require("pebble"),
            stage.folder / "pebble",
            dns=DNS_PORT,
            dns_host=stage.played("192.0.2.53"),
        ) as pebble,
    ):
        stage.environment["OAKROOT_DIRECTORY"] = pebble.directory_url
        stage.environment["OAKROOT_DIRECTORY_CA"] = str(pebble.ca_file)
        stage.words = {
            " --production": "",
            "/var/lib/oakroot/": f"{stage.folder}/",
            "/etc/ssl/": f"{stage.folder}/",
            **stage.words,
        }
        stage.add_program("systemctl", "exit 0")
        stage.go(stage.folder)
        account = "--account-key /var/lib/oakroot/account.pem"
        stage.serve(f"oakroot certifier --server 192.0.2.53 --key @laptop.key {account}", "account ")
        yield


@contextmanager
def lost(stage: Stage, require: Require) -> Iterator[None]:
    """The same, and the remote is gone."""
    with changed(stage, require):
        shutil.rmtree(stage.folder / "zones.git")
        stage.go(stage.folder)
        yield


@contextmanager
def bind(stage: Stage, require: Require) -> Iterator[None]:
    """BIND at 192.0.2.1, with a zone that a key may update."""
    require("dig")
    folder = stage.folder / "bind"
    folder.mkdir()
    configuration, port = folder / "named.conf", free_port()
    configuration.write_text(f"""\
options {{
    directory "{folder}"; pid-file none; session-keyfile none; lock-file none;
    listen-on port {port} {{ {LOOPBACK}; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; allow-transfer {{ any; }}; notify no;
}};
controls {{ }};
key "laptop" {{ algorithm hmac-sha256; secret "{SECRET}"; }};
zone "example.org" {{ type primary; file "db.example.org"; allow-update {{ key "laptop"; }}; }};
zone "2.0.192.in-addr.arpa" {{ type primary; file "db.192.0.2"; }};
""")
    (folder / "db.example.org").write_text(stage.played(ZONE))
    (folder / "db.192.0.2").write_text(REVERSE)
    # BIND listens on addresses of interfaces alone, of which loopback has one.
    old = {
        "@192.0.2.1 ": f"@{LOOPBACK} -p {port} ",
        "axfr 192.0.2.1 ": f"axfr {LOOPBACK}:{port} ",
        "/etc/bind/named.conf": str(configuration),
    }
    stage.words = {**old, **stage.words}
    command = [require("named"), "-g", "-4", "-n", "1", "-c", str(configuration)]
    with Daemon(command, port, stage.folder / "named.log"):
        yield


@contextmanager
def others(stage: Stage, require: Require) -> Iterator[None]:
    """Configurations of Knot DNS, NSD and PowerDNS."""
    require("git")
    folder = stage.folder / "old"
    folder.mkdir()
    (folder / "example.org.zone").write_text(ZONE)
    (folder / "named.conf").write_text(
        f'zone "example.org" {{ type native; file "{folder}/example.org.zone"; }};\n'
    )
    for path, text in OTHERS.items():
        file = folder / Path(path).name
        file.write_text(text.format(folder=folder, secret=SECRET))
        stage.words = {path: str(file), **stage.words}
    yield


@contextmanager
def zone_files(stage: Stage, require: Require) -> Iterator[None]:
    """A folder of zone files, as OctoDNS writes it, and one of its zones in YAML."""
    require("git")
    folder = stage.folder / "zonefiles"
    folder.mkdir()
    for name in ("example.org", "example.net"):
        (folder / f"{name}.zone").write_text(ZONE)
    config = stage.folder / "config"
    config.mkdir()
    (config / "example.org.yaml").write_text("www:\n  type: A\n  value: 192.0.2.80\n")
    yield


@contextmanager
def readme(stage: Stage, require: Require) -> Iterator[None]:
    """BIND at 192.0.2.1, a repository behind ssh, and a primary of it, also in the place of the demo's."""
    with ExitStack() as stack:
        for program in ("git", "ssh", "ssh-keyscan", "dig", "host"):
            require(program)
        stack.enter_context(bind(stage, require))
        repository, reader = _serve_git_over_ssh(stage, require, stack)
        key = KEY_LINE.replace("laptop", "owner")  # the page makes those of the laptop
        repository.commit({"example.org._keys": key.encode()})
        (stage.folder / "laptop.key").write_text(key)
        settings = stage.folder / "oakroot.toml"
        settings.write_text("[check]\nstrict = false\n")
        stage.environment["OAKROOT_CONFIG"] = str(settings)
        stage.environment["OAKROOT_CONTROL"] = str(stage.folder / "control.sock")
        everywhere = "--listen 192.0.2.53 --listen 127.0.0.1:5353"
        stage.serve(f"oakroot primary --remote {repository.path} {everywhere}", "zones served: 0, keys: 1")
        folder, server, secondary = stage.folder, stage.played("192.0.2.53"), stage.played("198.51.100.53")
        remote = f"--remote {repository.path}"
        asked = {f"{verb} ns1.example.org": f"{verb} {server}" for verb in ("notify", "update")}
        stage.words = {
            **asked,
            "https://git.example.org/zones.git": str(repository.path),
            f"clone --quiet {REMOTE}": f"clone --quiet {repository.path}",  # ssh is for the primary alone
            "/etc/oakroot/ssh-key": str(reader),
            "SHA256:…": f"{stage.words[DOCUMENTED_FINGERPRINT]} --listen {server}",
            "--remote …": f"{remote} --listen {server}",
            "1a2b3c4": "HEAD",
            "--at 2h": "--at HEAD~1",
            "--to 2h": "--to HEAD~1",
            "/var/lib/oakroot": f"{folder}/state --control {folder}/2.sock --listen {secondary}",
            **stage.words,
        }
        yield


WORLDS: dict[str, World] = {
    "README.md": readme,
    "docs/tutorial.md": tutorial,
    "docs/certificates.md": authority,
    "docs/howto/from-bind.md": bind,
    "docs/howto/from-knot.md": others,
    "docs/howto/from-octodns.md": zone_files,
    "docs/howto/review.md": nothing,
    "docs/howto/undo.md": changed,
    "docs/howto/merge.md": served,
    "docs/howto/tls.md": certified,
    "docs/howto/keys.md": served,
    "docs/howto/delegate-challenges.md": served,
    "docs/howto/behind-nat.md": served,
    "docs/howto/lost-repository.md": lost,
}
