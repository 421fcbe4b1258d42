"""Jobs that were interrupted by other requests, kept so that they continue where they were."""

from collections.abc import Callable, Hashable
from typing import Any

from engine.lru_cache import LRUCache

CACHE_SIZE = 6


class ResumableJobs:
    """The jobs that were requested last; finished ones stay too, so that the same request is answered at once."""

    def __init__(self) -> None:
        self._jobs: LRUCache[Hashable, Any] = LRUCache(CACHE_SIZE)

    def get_or_start(self, key: Hashable, start: Callable[[], Any]) -> Any:
        """Return the job of a key; start it if it is new."""
        return self._jobs.get_or_create(key, start)
