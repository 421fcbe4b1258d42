"""Jobs that were interrupted by other requests, kept so that they continue where they were."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

CACHE_SIZE = 6


class ResumableJobs:
    """The jobs that were requested last; finished ones stay too, so that the same request is answered at once."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[Hashable, Any] = OrderedDict()

    def get_or_start(self, key: Hashable, start: Callable[[], Any]) -> Any:
        """Return the job of a key; start it if it is new."""
        if key not in self._jobs:
            self._jobs[key] = start()
        self._jobs.move_to_end(key)
        while len(self._jobs) > CACHE_SIZE:
            self._jobs.popitem(last=False)
        return self._jobs[key]
