"""Serves zone files with the engine alone, so that what git and Python's roles add can be told apart.

`engine_only.py FILE`: the first line of FILE is the port, each further line an apex and the path of its
zone file.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from oakroot._engine import Catalogue, Server, Zone, read_zone


def main() -> int:
    """Serves until SIGTERM."""
    port, *lines = Path(sys.argv[1]).read_text().splitlines()
    server = Server([("127.0.0.1", int(port))], workers=1)
    zones: list[Zone] = []
    for line in lines:
        apex, path = line.split("\t")
        zone, diagnostics = read_zone(Path(path).read_bytes(), apex, path)
        if zone is None:
            print(f"{path}: {diagnostics[0].message}", file=sys.stderr)
            return 1
        zones.append(zone)
    server.publish(Catalogue().with_zones(zones))
    server.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.stop()
    return 0


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    sys.exit(main())
