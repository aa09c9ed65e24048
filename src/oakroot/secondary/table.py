"""A frozen mapping from names of zones, of which changed copies are cheap also with ten thousand of them.

It is a tuple of small dicts: a change copies one of these and the tuple. With a single dict each step of each
zone would cost the number of all zones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar
from zlib import crc32

T = TypeVar("T")

_SHARDS = 256


class Table(Mapping[str, T]):
    """The mapping; not in the order in which anything was added."""

    __slots__ = ("_length", "_shards")

    def __init__(self, shards: tuple[dict[str, T], ...] = ({},) * _SHARDS, length: int = 0) -> None:
        """The empty one; with arguments it is made by `with_item` and `without`."""
        self._shards = shards
        self._length = length

    def with_item(self, key: str, value: T) -> Table[T]:
        """The same with this item, in place of what the key meant."""
        number = _shard_of(key)
        shard = self._shards[number]
        return Table(
            (*self._shards[:number], {**shard, key: value}, *self._shards[number + 1 :]),
            self._length + (key not in shard),
        )

    def without(self, key: str) -> Table[T]:
        """The same without this key, which must be there."""
        number = _shard_of(key)
        shard = {other: value for other, value in self._shards[number].items() if other != key}
        return Table((*self._shards[:number], shard, *self._shards[number + 1 :]), self._length - 1)

    def __getitem__(self, key: str) -> T:
        return self._shards[_shard_of(key)][key]

    def __iter__(self) -> Iterator[str]:
        for shard in self._shards:
            yield from shard

    def __len__(self) -> int:
        return self._length


def _shard_of(key: str) -> int:
    # Python's own hash differs from process to process, and with it the order of what is done.
    return crc32(key.encode()) % _SHARDS
