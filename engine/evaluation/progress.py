"""Telling how far a long piece of work is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]


def make_subtask(progress: Progress | None, title: str) -> Callable[[int, int], None] | None:
    """One stretch of a long piece of work, under its title; None where nobody listens."""
    if progress is None:
        return None
    return lambda done, total: progress(title, done, total)
