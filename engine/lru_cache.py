"""The one cache in memory: bounded by a number of entries, by their bytes, or by both."""

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LRUCache(Generic[Key, Value]):
    """Cache that evicts the least recently used entries; it keeps the newest, however large. Threads may share it.

    Args:
        max_entries: maximum number of entries.
        max_bytes: maximum memory of the entries.
        count_bytes: function that returns the bytes of a value.

    Example:
        >>> cache = LRUCache(max_entries=2)
        >>> for word in ("a", "bb", "a", "ccc"):
        ...     length = cache.get_or_create(word, lambda: len(word))
        >>> [word in cache for word in ("a", "bb", "ccc")]
        [True, False, True]
    """

    def __init__(
        self,
        max_entries: int = sys.maxsize,
        max_bytes: int = sys.maxsize,
        count_bytes: Callable[[Value], int] = lambda value: 0,
    ) -> None:
        self._max_entries, self._max_bytes, self._count_bytes = max_entries, max_bytes, count_bytes
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """Return the size of all values, in bytes."""
        return self._size

    def get(self, key: Key) -> Value | None:
        """Return a value and mark it as used now. Returns None if it is not cached."""
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def put(self, key: Key, value: Value) -> None:
        """Store a value, and evict others until all fit."""
        with self._lock:
            self._remove(key)
            self._entries[key] = value, self._count_bytes(value)
            self._size += self._entries[key][1]
            while len(self._entries) > 1 and (len(self._entries) > self._max_entries or self._size > self._max_bytes):
                self._remove(next(iter(self._entries)))

    def get_or_create(self, key: Key, create: Callable[[], Value]) -> Value:
        """Return a value; create and store it if it is not cached, which keeps no other thread waiting."""
        value = self.get(key)
        if value is None:
            value = create()
            self.put(key, value)
        return value

    def pop(self, key: Key) -> None:
        """Remove an entry, if there is one."""
        with self._lock:
            self._remove(key)

    def _remove(self, key: Key) -> None:
        if key in self._entries:
            self._size -= self._entries.pop(key)[1]
