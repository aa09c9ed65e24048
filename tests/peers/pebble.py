"""pebble, the ACME server of Let's Encrypt for tests: strict, and rejecting good nonces now and then.

It validates with the name server it is given. What must not live here: accounts, orders, DNS.
"""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.peers.authority import Authority
from tests.peers.git_servers import Daemon
from tests.peers.ports import LOOPBACK, free_port

REJECTED_NONCES = 15
"""Per cent: pebble's own measure is 5, of which a short test would hardly see one."""
LIFETIME = 90 * 86400


class Pebble:
    """A certificate authority between `__enter__` and `__exit__`, known by a private authority's certificate.

    `dns`: port of the name server that it asks, on loopback. `lifetime`: of certificates, in seconds.
    """

    def __init__(
        self,
        program: str,
        directory: Path,
        *,
        dns: int,
        dns_host: str = LOOPBACK,
        lifetime: int = LIFETIME,
        rejected_nonces: int = REJECTED_NONCES,
        external_accounts: Mapping[str, str] | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._management_port = free_port()
        authority = Authority(directory)
        self.ca_file = authority.file
        """What its clients must trust to reach it; not the root of the certificates it issues."""
        pair = str(authority.issue(LOOPBACK))
        port = free_port()
        settings = {
            "listenAddress": f"{LOOPBACK}:{port}",
            "managementListenAddress": f"{LOOPBACK}:{self._management_port}",
            "certificate": pair,
            "privateKey": pair,
            "httpPort": free_port(),
            "tlsPort": free_port(),
            "externalAccountBindingRequired": bool(external_accounts),
            "externalAccountMACKeys": dict(external_accounts or {}),
            "certificateValidityPeriod": lifetime,
        }
        config = directory / "pebble.json"
        config.write_text(json.dumps({"pebble": settings}))
        self._log = directory / "pebble.log"
        command: list[str | Path] = [program, "-config", config, "-strict", "-dnsserver", f"{dns_host}:{dns}"]
        odds = {"PEBBLE_WFE_NONCEREJECT": str(rejected_nonces), "PEBBLE_AUTHZREUSE": "0"}
        self._daemon = Daemon(command, port, self._log, {"PEBBLE_VA_NOSLEEP": "1", **odds})

    def __enter__(self) -> Self:
        self._daemon.__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        self._daemon.__exit__(*reason)

    @property
    def directory_url(self) -> str:
        """Where an ACME client begins."""
        return f"https://{LOOPBACK}:{self._daemon.port}/dir"

    @property
    def log(self) -> str:
        """What it said so far."""
        return self._log.read_text(errors="replace")

    def root(self) -> Path:
        """The root certificate that its chains end in, as a file; made anew by each pebble that starts."""
        return self._fetch("roots/0", "root.pem")

    def intermediate(self) -> Path:
        """The certificate that signs those it issues."""
        return self._fetch("intermediates/0", "intermediate.pem")

    def set_renewal_window(self, certificate: str, start: str, end: str) -> None:
        """Has the newest pebble suggest when to renew this certificate, in PEM."""
        window = json.dumps({"suggestedWindow": {"start": start, "end": end}})
        body = json.dumps({"Certificate": certificate, "ARIResponse": window}).encode()
        context = ssl.create_default_context(cafile=str(self.ca_file))
        url = f"https://{LOOPBACK}:{self._management_port}/set-renewal-info/"
        with urllib.request.urlopen(url, body, timeout=10, context=context):
            pass

    def _fetch(self, path: str, name: str) -> Path:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        url = f"https://{LOOPBACK}:{self._management_port}/{path}"
        with urllib.request.urlopen(url, timeout=10, context=context) as answer:
            file = self._directory / name
            file.write_bytes(answer.read())
        return file
