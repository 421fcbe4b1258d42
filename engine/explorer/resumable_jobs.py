"""Long work that gave way to other requests, kept so that it goes on where it was."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

WORKS_KEPT = 6


class ResumableJobs:
    """The works that were asked for last, finished ones too: who asks again for one is answered at once."""

    def __init__(self) -> None:
        self._works: OrderedDict[Hashable, Any] = OrderedDict()

    def get_or_start(self, key: Hashable, begin: Callable[[], Any]) -> Any:
        """The work of a key, begun where it is new."""
        if key not in self._works:
            self._works[key] = begin()
        self._works.move_to_end(key)
        while len(self._works) > WORKS_KEPT:
            self._works.popitem(last=False)
        return self._works[key]
