"""Progress reports of long work."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]


def make_subtask(progress: Progress | None, title: str) -> Callable[[int, int], None] | None:
    """Return a progress function for one subtask, with its title; None if there is no receiver."""
    if progress is None:
        return None
    return lambda done, total: progress(title, done, total)
