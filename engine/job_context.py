"""How a long computation is canceled, reports its progress, and continues later where it was interrupted."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from inspect import GEN_CLOSED, getgeneratorstate
from typing import Final, Generic, TypeAlias, TypeVar


class Cancelled(Exception):
    """Signal that the caller asked to stop. It is no user error: the caller catches it.

    Example:
        >>> context = JobContext(should_stop=lambda: True)
        >>> context.check()
        Traceback (most recent call last):
        ...
        engine.job_context.Cancelled
    """


@dataclass(frozen=True)
class JobContext:
    """Cancellation and progress of one computation.

    Args:
        should_stop: returns True once the computation is no longer wanted; asked between steps, from its thread.
        on_progress: called with what is being done, how many steps are done, and of how many.
        title: what is being done, for `on_progress`; empty where it is understood.

    Example:
        >>> reported = []
        >>> context = JobContext(on_progress=lambda title, done, total: reported.append(f"{title} {done}/{total}"))
        >>> context.with_title("Squaring").report(1, 2)
        >>> reported
        ['Squaring 1/2']
    """

    should_stop: Callable[[], bool] = lambda: False
    on_progress: Callable[[str, int, int], None] = lambda title, done, total: None
    title: str = ""

    def check(self) -> None:
        """Raise Cancelled if the caller asked to stop."""
        if self.should_stop():
            raise Cancelled

    def report(self, done: int, total: int) -> None:
        """Report that `done` of `total` steps are done."""
        self.on_progress(self.title, done, total)

    def with_title(self, title: str) -> "JobContext":
        """Return the context of a part of the computation, reported under another title."""
        return replace(self, title=title)

    def as_part(self, before: int, total: int) -> "JobContext":
        """Return the context of a part of the computation: `before` of the whole's `total` steps come before it."""
        return replace(self, on_progress=lambda title, done, _: self.on_progress(title, before + done, total))


UNATTENDED: Final = JobContext()
_imports: Final[list[None]] = []


@contextmanager
def importing() -> Iterator[None]:
    """Mark a body that imports a library in the main thread.

    A library delays an exception of a signal by seconds, or swallows it. Nothing can be lost meanwhile, so that Ctrl-C
    may end the process at once.

    Example:
        >>> with importing():
        ...     is_importing()
        True
        >>> is_importing()
        False
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _imports.append(None)
    try:
        yield
    finally:
        _imports.pop()


def is_importing() -> bool:
    """Return whether the main thread imports a library, so that the process may end at once."""
    return bool(_imports)


T = TypeVar("T")
# A step: how many are done, and of how many. None is a place to stop without progress.
Step: TypeAlias = tuple[int, int] | None
Steps: TypeAlias = Generator[Step, None, T]


def run_steps(steps: Steps[T], context: JobContext = UNATTENDED) -> T:
    """Advance a generator until it has finished; check before each step and report after each.

    Args:
        steps: the generator, new or interrupted before.
        context: cancellation and progress.

    Returns:
        The value that the generator returns.

    Raises:
        Cancelled: the caller asked to stop; the generator can continue.

    Example:
        >>> def add(numbers):
        ...     total = 0
        ...     for done, number in enumerate(numbers, start=1):
        ...         total += number
        ...         yield done, len(numbers)
        ...     return total
        >>> run_steps(add([1, 2, 3]))
        6
    """
    while True:
        context.check()
        try:
            step = next(steps)
        except StopIteration as finished:
            value: T = finished.value
            return value
        if step is not None:
            context.report(*step)


class ResumableJob(Generic[T]):
    """A computation that continues where it was interrupted; its result is kept, and one that failed starts over.

    Args:
        start: returns a new generator. Its argument is the context of whichever `run` advances the generator, for
            steps that can be interrupted inside: such a step yields None and is then repeated.
    """

    def __init__(self, start: Callable[[JobContext], Steps[T]]) -> None:
        self._start: Callable[[JobContext], Steps[T]] | None = start
        self._steps: Steps[T] | None = None
        self._current = _CurrentContext()
        self._result: list[T] = []

    def run(self, context: JobContext = UNATTENDED) -> T:
        """Continue until the computation has finished, and return its result; if it has, return that at once.

        Raises:
            Cancelled: the caller asked to stop; the next call continues.
        """
        if self._start is not None:
            if self._steps is None or getgeneratorstate(self._steps) == GEN_CLOSED:
                self._steps = self._start(JobContext(self._current.should_stop))
            self._current.context = context
            self._result.append(run_steps(self._steps, context))
            # They hold the model and the images.
            self._start = self._steps = None
        return self._result[0]


class _CurrentContext:
    """The context of the present run of a job; apart from the job, so that a generator does not hold its job."""

    context = UNATTENDED

    def should_stop(self) -> bool:
        return self.context.should_stop()
