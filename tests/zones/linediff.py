"""Shows what two texts do not have in common, as `git diff -U0` does, without its headers."""

from __future__ import annotations

import difflib


def line_diff(before: str, after: str) -> list[str]:
    """Lines that went and came, `- ` or `+ ` before them; odd line ends are shown."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    lines = []
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind != "equal":
            lines += ["-" + shown(line) for line in old[old_from:old_to]]
            lines += ["+" + shown(line) for line in new[new_from:new_to]]
    return lines


def shown(line: str) -> str:
    """A line without its end, unless that is an odd one."""
    if line.endswith("\r\n"):
        return line[:-2] + "␍"
    return line[:-1] if line.endswith("\n") else line + "␄"
