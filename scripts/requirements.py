"""Prints requirements out of pyproject.toml, so that versions are said once and old pips can read them."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def requirements(kind: str) -> list[str]:
    """What to install for `build` (the build tool) or for one of the extras (`dev`)."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    if kind == "build":
        return list(project["build-system"]["requires"])
    return list(project["project"]["optional-dependencies"][kind])


if __name__ == "__main__":
    print(*(line for kind in sys.argv[1:] for line in requirements(kind)), sep="\n")
