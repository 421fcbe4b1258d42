"""How a long computation is canceled, and how it reports its progress: one way for all of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final


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
