"""`oakroot primary` with a stopwatch on its parts: a file for the times, then the arguments of the command.

When it ends it writes, as JSON, how many seconds each part took, what is called inside of a part not counted
in it. The stopwatch costs a few microseconds for each update.
"""

from __future__ import annotations

import functools
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from oakroot.cli import main
from oakroot.git import local, repository, smart
from oakroot.git.copy import Copy
from oakroot.primary import core, texts, worker, writing
from oakroot.zones import edits

# Part -> functions, each as where it is looked up and its name there.
PARTS: dict[str, list[tuple[Any, str]]] = {
    "requests": [(core, "handle")],
    "reading": [(texts, "read_zone_text")],
    "judging": [(worker, "write_group")],
    "engine": [(writing._Group, "make_all")],  # noqa: SLF001 - a stopwatch looks inside
    "edit": [(edits.ZoneText, "changed"), (writing._Group, "contents")],  # noqa: SLF001
    "hash": [(repository, "replace_files")],
    "objects": [(local, "write_object"), (Copy, "add"), (repository, "make_delta")],
    "push": [(local.LocalRemote, "push"), (smart.SmartRemote, "push")],
    "loading": [(worker.GitWorker, "_taken")],
}

_seconds: defaultdict[str, float] = defaultdict(float)
_inside = threading.local()


def timed(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, its own time added to that of its part."""

    @functools.wraps(function)
    def wrapper(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the function takes and gives
        before, _inside.spent = getattr(_inside, "spent", 0.0), 0.0
        started = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            took = time.perf_counter() - started
            _seconds[part] += took - _inside.spent
            _inside.spent = before + took

    return wrapper


def run(file: Path, arguments: list[str]) -> int:
    """Runs the primary to its end."""
    for part, functions in PARTS.items():
        for place, name in functions:
            setattr(place, name, timed(part, getattr(place, name)))
    try:
        return main.main(["primary", *arguments])
    finally:
        file.write_text(json.dumps(_seconds))


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))
