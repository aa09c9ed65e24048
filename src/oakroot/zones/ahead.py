"""Reads the files of many zones: while the engine reads some, the contents of the next are fetched.

Fetching contents is Python's work and reading zone text the engine's, which does it in a thread of its own:
so a start with ten thousand zones has two processors at work. What comes of it is the same, and in the same
order, whichever of both is quicker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from oakroot._engine import ReadingZones
from oakroot.zones.loaded import Marked
from oakroot.zones.reading import Reading, read_zone_file, reading_of
from oakroot.zones.tree import Tree

# So many octets of text are fetched at a time, in whole files: enough that the processor's caches are not
# filled by turns with what git and what zone text needs. What is much longer is not kept beside the next.
STRETCH_OCTETS = 128 * 1024
LONG_OCTETS = 4 * STRETCH_OCTETS


@dataclass(slots=True)
class ReadingAhead:
    """Gives readings of zone files to whoever asks for them once each, in the order of their coming."""

    tree: Tree
    coming: Iterator[tuple[str, str]]
    """Path and apex."""
    _begun: _Begun | None = None
    _done: dict[str, Reading | None] = field(default_factory=dict)
    """By path; None for a file that has to be read by itself."""

    @classmethod
    def of(cls, tree: Tree, files: Sequence[tuple[str, str]]) -> Self:
        """`files`: path and apex of zones of which no earlier version helps to read them."""
        # One alone has nothing to be read beside.
        return cls(tree, iter(files if len(files) > 1 else ()))

    def read(self, path: str, apex: str, before: Marked | None) -> Reading:
        """As `read_zone_file`."""
        if before is None:
            if path not in self._done:
                self._go_on()
            if (reading := self._done.pop(path, None)) is not None:
                return reading
        return read_zone_file(self.tree, path, apex, before)

    def _go_on(self) -> None:
        begun = self._begun or self._begin()
        if begun is None:
            return
        self._begun = None if begun.is_long else self._begin()
        for path, read in zip(begun.paths, begun.reading.take(), strict=True):
            self._done[path] = None if read is None else reading_of(self.tree, path, read)

    def _begin(self) -> _Begun | None:
        files = []
        octets = 0
        for path, apex in self.coming:
            try:
                text = self.tree.content(path)
            except ValueError:  # told to whoever asks for it
                self._done[path] = None
                continue
            files.append((text, apex, path))
            octets += len(text)
            if octets >= STRETCH_OCTETS:
                break
        paths = [path for _, _, path in files]
        try:
            return _Begun(paths, octets > LONG_OCTETS, ReadingZones(files)) if files else None
        except OSError:  # there may be no more threads
            self._done.update(dict.fromkeys(paths))
            return None


class _Begun(NamedTuple):
    """What the engine is reading."""

    paths: list[str]
    is_long: bool
    reading: ReadingZones
