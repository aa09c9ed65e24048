"""The package in a Debian that boots: `make test-boot` runs these, and names both in the environment."""

from __future__ import annotations

import os

PACKAGE, BASE = "OAKROOT_PACKAGE", "OAKROOT_BASE"

collect_ignore_glob = [] if PACKAGE in os.environ and BASE in os.environ else ["test_*.py"]
