"""What BIND, Knot DNS and NSD have in their configuration files whatever they do here: where they live.

Each is in a directory of its own, listens at one address, and does nothing that it was not asked to. What
must not live here: zones, keys and roles.
"""

from __future__ import annotations

from pathlib import Path

from tests.peers.ports import Address

PATIENT_KNOT = "tcp-io-timeout: 20000"
"""A line of the server's: by itself Knot DNS leaves a peer that is slow for half a second."""


def bind_options(directory: Path, address: Address, more: str) -> str:
    """The options of named.conf, with `more` of them; there is no control channel."""
    host, port = address
    return f"""
options {{
  directory "{directory}"; pid-file none; session-keyfile "{directory}/session.key"; lock-file none;
  listen-on port {port} {{ {host}; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; empty-zones-enable no; memstatistics no;
  {more}
}};
controls {{ }};
"""


def knot_server(
    directory: Path, address: Address, *more: str, workers: int = 1, loglevel: str = "info"
) -> str:
    """The sections of knot.conf up to the keys; `more` are lines of the server's own."""
    host, port = address
    lines = "".join(f"    {line}\n" for line in more)
    return f"""
server:
    rundir: {directory}
    listen: {host}@{port}
    udp-workers: {workers}
    tcp-workers: {workers}
    background-workers: 1
{lines}log:
  - target: stderr
    any: {loglevel}
database:
    storage: {directory}
control:
    listen: {directory}/knot.sock
"""


def nsd_server(directory: Path, address: Address, *more: str, workers: int = 1) -> str:
    """The section `server` of nsd.conf; `more` are lines of it."""
    host, port = address
    lines = "".join(f"    {line}\n" for line in more)
    return f"""
server:
    ip-address: {host}@{port}
    username: ""
    chroot: ""
    zonesdir: "{directory}"
    database: ""
    zonelistfile: "{directory}/zone.list"
    xfrdfile: "{directory}/xfrd.state"
    xfrdir: "{directory}"
    pidfile: "{directory}/nsd.pid"
    server-count: {workers}
{lines}"""
