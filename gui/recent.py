"""Cache of the most recently used entries."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Cache that evicts the least recently used entries; it keeps the newest, however large.

    Args:
        count: maximum number of entries.
        limit_bytes: maximum memory of the entries.
        size: function that returns the bytes of an entry.
    """

    def __init__(self, count: int, limit_bytes: int, size: Callable[[Value], int]) -> None:
        self._count, self._limit, self._size = count, limit_bytes, size
        self._entries: OrderedDict[Key, Value] = OrderedDict()
        self._bytes = 0

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """Return an entry and mark it as used now; None if it is not cached."""
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Store an entry, and evict others until all fit."""
        if key in self._entries:
            self._bytes -= self._size(self._entries.pop(key))
        self._entries[key] = value
        self._bytes += self._size(value)
        while len(self._entries) > 1 and (len(self._entries) > self._count or self._bytes > self._limit):
            self._bytes -= self._size(self._entries.popitem(last=False)[1])
