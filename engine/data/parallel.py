"""Work on many files in threads, which ends soon after the caller asks to stop."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from engine.job_context import UNATTENDED, JobContext

CHECK_S: Final = 0.2  # between two questions whether to stop
WORKERS: Final = min(os.cpu_count() or 1, 8)
_AHEAD: Final = 4 * WORKERS  # results that may wait for the caller, so that memory stays flat
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_local: Final = threading.local()


def map_in_threads(
    function: Callable[[_Item], _Result],
    items: Iterable[_Item],
    context: JobContext = UNATTENDED,
    threads: int = WORKERS,
) -> Iterator[_Result]:
    """Yield the results of a function in the order of the items; threads work a few items ahead.

    Raises:
        Cancelled: the caller asked to stop. Files that are being parsed then are given up.

    Examples:
        >>> list(map_in_threads(abs, [-1, 2, -3]))
        [1, 2, 3]
    """
    abandoned = threading.Event()
    pool = ThreadPoolExecutor(threads, "data", _set_abandoned, (abandoned,))
    waiting: deque[Future[_Result]] = deque()
    try:
        for item in items:
            context.check()
            waiting.append(pool.submit(function, item))
            if len(waiting) == _AHEAD:
                yield _get_result(waiting.popleft(), context)
        while waiting:
            yield _get_result(waiting.popleft(), context)
    finally:
        abandoned.set()
        pool.shutdown(cancel_futures=True)


def is_abandoned() -> Callable[[], bool]:
    """Return a function that says whether the results of the work of this thread are no longer wanted."""
    event: threading.Event | None = getattr(_local, "abandoned", None)
    return event.is_set if event else lambda: False


def _set_abandoned(event: threading.Event) -> None:
    _local.abandoned = event


def _get_result(future: Future[_Result], context: JobContext) -> _Result:
    while True:
        try:
            return future.result(CHECK_S)
        except TimeoutError:
            if future.done():  # the function raised it, or has ended just now
                return future.result()
            context.check()
