"""Files of another server in memory, for tests of those who read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from oakroot.importing.setup import ReadFile, Setup

SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
ZONE = "$TTL 1h\n@ SOA ns1 hostmaster 1 1d 2h 2w 1h\n  NS ns1\nns1 A 192.0.2.53\n"


def reading(files: Mapping[str, str]) -> ReadFile:
    """A reader of these files."""

    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return files[path].encode()

    return read


def set_up(reader: Callable[[str, ReadFile], Setup], path: str, files: Mapping[str, str]) -> Setup:
    """What a reader makes of the file at `path`."""
    return reader(path, reading(files))


def told(setup: Setup) -> list[str]:
    """The notes as text."""
    return [str(note) for note in setup.notes]


def granted(setup: Setup) -> set[tuple[str, str, str]]:
    """(key, operation, zone) of all permissions; behind the zone stand the limits of updates, if any."""
    return {
        (each.key, each.operation.name.lower(), f"{each.zone} {each.limits}".strip())
        for each in setup.permissions
    }
