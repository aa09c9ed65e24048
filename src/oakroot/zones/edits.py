"""Layout-keeping edits: the files of a zone as they are written, with only the lines of some records changed.

What of a line changes and how a new one is written is the engine's business (`Document`). Here stands which
file of the tree that is, and which files must not change for one zone because others read them too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import dns.name

from oakroot._engine import Document, EditError
from oakroot.frozen import frozen
from oakroot.zones.tree import Includes, Tree, resolve

__all__ = ["EditError", "TextRecord", "ZoneText", "canonical_order", "read_zone_text"]

TextRecord = tuple[str, int, str, str]
"""(owner, ttl, type, rdata), names absolute."""


@frozen
class ZoneText:
    """The files of one zone at one version, the zone file first."""

    document: Document
    paths: tuple[str, ...]
    """Where in the tree each file of the document is."""
    shared: tuple[int, ...]
    """The files that are read in more than one place: a change there would change more than this zone."""

    def changed(self, remove: Sequence[TextRecord], add: Sequence[TextRecord]) -> ZoneText:
        """The files without some records and with others; of a SOA only what is added counts.

        Raises EditError, whose `args` are a kind and words for the client, where that cannot be written.
        """
        return replace(self, document=self.document.changed(remove, add, shared=self.shared))

    def contents_since(self, older: ZoneText) -> Mapping[str, bytes]:
        """The new content of each file that differs from an older version's, by path."""
        numbers = self.document.changed_files(older.document)
        return {self.paths[number]: self.document.content(number) for number in numbers}


def canonical_order(owner: str, rtype: str) -> tuple[list[bytes], bool, str]:
    """What to sort RRsets by (RFC 4034 §6.1), the SOA first: differences of zones come in no order."""
    if "\\" in owner:
        labels = [*dns.name.from_text(owner).canonicalize().labels[-2::-1]]
    else:
        labels = owner.lower().encode().split(b".")[-2::-1]
    return labels, rtype != "SOA", rtype


def read_zone_text(tree: Tree, path: str, apex: str, read_elsewhere: Collection[str] = ()) -> ZoneText:
    """The files of the zone that is read from `path`; ValueError where they have errors.

    `read_elsewhere`: paths that other zones of the tree read. Raises also what `tree.read` raises.
    """
    document = Document.read(tree.content(path), apex, path, Includes(tree))
    paths = (path, *map(resolve, document.files[1:]))
    times = Counter(paths)
    shared = tuple(number for number, file in enumerate(paths) if times[file] > 1 or file in read_elsewhere)
    return ZoneText(document, paths, shared)
