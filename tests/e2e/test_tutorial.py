"""The tutorial, from the first zone file to authenticated updates of the data: real git over real ssh."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.e2e.conftest import SSH_KEY, SSH_PUBLIC, GitServer, Operator
from tests.peers.commands import Primary, oakroot
from tests.peers.git_servers import BareRepository, HostKeys, login_name, sshd
from tests.peers.ports import LOOPBACK

ZONE = """\
$ORIGIN mirage.
$TTL 3600
@\tSOA\tns1\thostmaster\t1\t86400\t7200\t1048576\t3600
@\tNS\tns1
ns1     A       127.0.0.1
www\tA\t1.1.1.1
"""
SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
KEY = f"personal._update.mirage:SHA256:{SECRET}"


def run(*command: str) -> str:
    """What a tool prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def dig(primary: Primary, *arguments: str) -> str:
    return run("dig", f"@{LOOPBACK}", "-p", str(primary.port), *arguments)


def notify(primary: Primary, zone: str = "mirage") -> tuple[int, str]:
    outcome = oakroot("notify", primary.server, zone, f"--key={KEY}")
    return outcome.code, outcome.output + outcome.errors


def test_the_tutorial(
    operator: Operator,
    git_server: GitServer,
    primary_of: Callable[[], Primary],
    require: Callable[[str], str],
) -> None:
    require("dig")
    require("host")
    prepare_the_data(operator)
    with primary_of() as primary:
        look_at_the_answers(primary)
        add_the_key(operator, primary)
    assert primary.code == 0
    with primary_of() as primary:
        update_the_zone(operator, primary)
        forget_the_serial(operator, primary)
        update_by_dns(operator, primary)
        break_the_zone(operator, primary)
    assert primary.code == 0
    assert SECRET not in primary.log
    assert SSH_KEY.partition(":")[2] not in primary.log
    git_server.repository.fsck()


def prepare_the_data(operator: Operator) -> None:
    (operator.folder / "mirage").write_text(ZONE)
    checked = oakroot("check", operator.folder / "mirage")
    assert (checked.code, checked.output) == (0, "1 zone checked: no errors\n")
    operator.write("mirage", ZONE)


def look_at_the_answers(primary: Primary) -> None:
    primary.said("zones served: 1")
    told = run("host", "-p", str(primary.port), "ns1.mirage", LOOPBACK)
    assert "ns1.mirage has address 127.0.0.1" in told
    everything = dig(primary, "any", "mirage", "+tcp")
    assert "flags: qr aa" in everything
    assert "hostmaster.mirage. 1 86400 7200 1048576 3600" in everything
    assert "ns1.mirage." in everything


def add_the_key(operator: Operator, primary: Primary) -> None:
    """Before the key is in the repository and loaded, a NOTIFY is refused."""
    operator.write("mirage._keys", f"personal._update.mirage. DNSKEY 0 3 163 {SECRET}\n")
    assert oakroot("check", operator.folder).code == 0
    code, told = notify(primary)
    assert code == 1
    assert "NOTAUTH" in told


def update_the_zone(operator: Operator, primary: Primary) -> None:
    primary.said("keys: 1")
    operator.write("mirage", operator.read("mirage").replace("\t1\t", "\t2\t") + "foo A 127.0.0.1\n")
    code, told = notify(primary)
    assert code == 0, told
    assert "serial 2" in told
    assert dig(primary, "foo.mirage", "+short") == "127.0.0.1\n"
    signed = dig(primary, "foo.mirage", "-y", f"hmac-sha256:personal._update.mirage:{SECRET}")
    assert "TSIG" in signed
    assert "verify failure" not in signed


def forget_the_serial(operator: Operator, primary: Primary) -> None:
    """The primary raises it, and its commit comes back with a pull."""
    operator.write("mirage", operator.read("mirage") + "bar A 127.0.0.2 ; forgot the serial\n")
    code, told = notify(primary)
    assert code == 0, told
    assert dig(primary, "bar.mirage", "+short") == "127.0.0.2\n"
    primary.said("serial 2 in the repository raised to 3")
    before = operator.git("rev-parse", "HEAD")
    operator.git("pull", "--quiet", "--ff-only", "origin", "main")
    changed = operator.git("diff", "--unified=0", before).splitlines()
    assert [line for line in changed if line[0] in "+-" and line[:3] not in {"+++", "---"}] == [
        "-@\tSOA\tns1\thostmaster\t2\t86400\t7200\t1048576\t3600",
        "+@\tSOA\tns1\thostmaster\t3\t86400\t7200\t1048576\t3600",
    ]
    assert operator.git("log", "-1", "--format=%an: %s") == "Oakroot: mirage: raise serial 2 to 3"


def update_by_dns(operator: Operator, primary: Primary) -> None:
    """An UPDATE becomes a commit of the key's, as somebody would have typed it."""
    updated = oakroot("update", primary.server, "my-other.mirage", "1.2.3.4", f"--key={KEY}")
    assert updated.code == 0, updated.errors
    assert dig(primary, "my-other.mirage", "+short") == "1.2.3.4\n"
    before = operator.git("rev-parse", "HEAD")
    operator.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert operator.git("log", "-1", "--format=%an: %B").splitlines() == [
        "personal._update.mirage: mirage: add my-other A 1.2.3.4",
        "",
        "DNS-Key: personal._update.mirage",
        "DNS-Client: 127.0.0.1",
        "DNS-Serial: 4",
    ]
    changed = operator.git("diff", "--unified=0", before).splitlines()
    assert [line for line in changed if line[0] in "+-" and line[:3] not in {"+++", "---"}] == [
        "-@\tSOA\tns1\thostmaster\t3\t86400\t7200\t1048576\t3600",
        "+@\tSOA\tns1\thostmaster\t4\t86400\t7200\t1048576\t3600",
        "+my-other\t60\tA\t1.2.3.4",
    ]


def break_the_zone(operator: Operator, primary: Primary) -> None:
    """The last good version stays, and the NOTIFY is answered with the place and the cause."""
    operator.write("mirage", operator.read("mirage") + "broken A 127.0.0.256\n")
    code, told = notify(primary)
    assert code == 1
    assert "mirage:10:10: " in told
    assert dig(primary, "bar.mirage", "+short") == "127.0.0.2\n"
    checked = oakroot("check", "mirage", cwd=operator.folder)
    assert checked.code == 1
    assert checked.output.startswith("mirage:10:10: error: ")


def test_a_git_server_with_another_host_key_is_not_trusted(git_server: GitServer, tmp_path: Path) -> None:
    pinned = "SHA256:" + base64.b64encode(bytes(32)).decode().rstrip("=")
    arguments = [f"--authenticator={pinned}", f"--ssh-key={SSH_KEY}", f"--remote={git_server.url}"]
    with Primary(arguments, tmp_path / "primary.log") as primary:
        primary.said("nothing is served yet")
    assert pinned in primary.log
    assert git_server.fingerprint in primary.log
    assert "Traceback" not in primary.log


def test_the_ssh_key_of_the_tutorial_has_the_public_key_printed_there() -> None:
    made = oakroot("keygen", "ssh", "--from", SSH_KEY)
    assert SSH_PUBLIC in made.output


def test_a_new_ssh_key_opens_the_repository(tmp_path: Path, require: Callable[[str], str]) -> None:
    require("git")
    made = oakroot("keygen", "ssh").output.splitlines()
    private = next(line for line in made if line.startswith("ed25519:"))
    public = next(line for line in made if line.startswith("ssh-ed25519 "))
    (tmp_path / "key").write_text(private)
    host_keys = HostKeys(tmp_path)
    files = host_keys.make("ed25519")
    repository = BareRepository(tmp_path / "zones.git")
    repository.commit({"mirage": ZONE.encode()})
    with sshd(require("sshd"), tmp_path, files, public) as daemon:
        url = f"ssh://{login_name()}@{LOOPBACK}:{daemon.port}{repository.path}"
        arguments = [
            f"--authenticator={host_keys.fingerprints['ed25519']}",
            f"--ssh-key=@{tmp_path / 'key'}",
            f"--remote={url}",
        ]
        with Primary(arguments, tmp_path / "primary.log") as primary:
            primary.said("zones served: 1")
