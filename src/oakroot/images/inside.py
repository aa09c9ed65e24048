"""The first process of a container: what the engine left is given up too, then the server begins."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import NoReturn

from oakroot.images.extensions import find_extensions
from oakroot.images.init import run_confined


def main(role: str) -> NoReturn:
    """Is the server, with the arguments of this process."""
    find_extensions()
    run_confined(import_module("oakroot.cli.main").main, (role, *sys.argv[1:]))
