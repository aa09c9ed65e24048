"""Signs generated zones with the tools of ldns and BIND, cheaply: one ECDSA key per zone.

What must not live here: which zones are signed (`worlds`).
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from tests.interop.zones import Zone

ALGORITHM = "ECDSAP256SHA256"


@dataclass(frozen=True)
class Denial:
    """How a signed zone proves that something is not there."""

    name: str
    is_nsec3: bool = False
    salt: str = ""
    iterations: int = 0
    opt_out: bool = False


DENIALS = (
    Denial("NSEC"),
    Denial("NSEC3", is_nsec3=True),
    Denial("NSEC3 salted", is_nsec3=True, salt="a1b2c3d4", iterations=5),
    Denial("NSEC3 opt-out", is_nsec3=True, opt_out=True),
)


class SigningError(Exception):
    """A signing tool refused a zone; the text is what it said."""


def sign(zone: Zone, denial: Denial, tool: str, directory: Path) -> Zone:
    """The signed zone; `tool` is `dnssec-signzone` or `ldns-signzone`, `directory` one to make."""
    directory.mkdir(parents=True)
    unsigned = directory / "unsigned"
    unsigned.write_text(zone.text)
    signed = directory / "signed"
    (_sign_with_bind if tool == "dnssec-signzone" else _sign_with_ldns)(zone, denial, directory)
    added = ["DNSKEY", "RRSIG", *(["NSEC3PARAM"] if denial.is_nsec3 else ["NSEC"])]
    owners = zone.owners + tuple((zone.apex_wire, type_) for type_ in added)
    probes = zone.probes
    if denial.is_nsec3:
        hashed = [hashed_owner(owner, zone.apex_wire, denial) for owner, _ in zone.owners[:4]]
        probes += tuple((owner, type_) for owner in hashed for type_ in ("NSEC3", "A"))
    return replace(
        zone, theme=f"{zone.theme}, {denial.name}", text=signed.read_text(), owners=owners, probes=probes
    )


def hashed_owner(name: bytes, apex: bytes, denial: Denial) -> bytes:
    """The owner of the NSEC3 record that matches a name (RFC 5155 §5)."""
    salt = bytes.fromhex(denial.salt)
    digest = hashlib.sha1(name.lower() + salt).digest()  # noqa: S324 - the one algorithm NSEC3 has
    for _ in range(denial.iterations):
        digest = hashlib.sha1(digest + salt).digest()  # noqa: S324 - the same
    label = base64.b32hexencode(digest)
    return bytes([len(label)]) + label + apex


def _sign_with_bind(zone: Zone, denial: Denial, directory: Path) -> None:
    key = _run(directory, "dnssec-keygen", "-q", "-a", ALGORITHM, "-f", "KSK", zone.apex).strip()
    with (directory / "unsigned").open("a") as unsigned:
        unsigned.write((directory / f"{key}.key").read_text())
    options = ["-q", "-z", "-P", "-N", "keep", "-o", zone.apex, "-f", "signed"]
    if denial.is_nsec3:
        options += ["-3", denial.salt or "-", "-H", str(denial.iterations)]
    if denial.opt_out:
        options.append("-A")
    _run(directory, "dnssec-signzone", *options, "unsigned", key)


def _sign_with_ldns(zone: Zone, denial: Denial, directory: Path) -> None:
    key = _run(directory, "ldns-keygen", "-a", ALGORITHM, zone.apex).strip()
    options = ["-o", zone.apex, "-f", "signed"]
    if denial.is_nsec3:
        options += ["-n", "-t", str(denial.iterations)]
        options += ["-s", denial.salt] if denial.salt else []
    if denial.opt_out:
        options.append("-p")
    _run(directory, "ldns-signzone", *options, "unsigned", key)


def _run(directory: Path, program: str, *arguments: str) -> str:
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        message = f"{program} is not installed"
        raise SigningError(message)
    done = subprocess.run([path, *arguments], cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"{program} {' '.join(arguments)} in {directory}: {done.stderr}"
        raise SigningError(message)
    return done.stdout
