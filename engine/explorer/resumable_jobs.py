"""Computations that were interrupted by other requests, kept so that they continue where they were."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from engine.job_context import JobContext, ResumableJob, Steps
from engine.lru_cache import LRUCache

T = TypeVar("T")
CACHE_SIZE = 6


class ResumableJobs:
    """The jobs that were requested last; finished ones stay too, so that the same request is answered at once.

    Args:
        max_jobs: how many jobs are kept; one that is evicted is canceled.
    """

    def __init__(self, max_jobs: int = CACHE_SIZE) -> None:
        self._jobs: LRUCache[Hashable, ResumableJob[Any]] = LRUCache(max_jobs)

    def run(self, key: Hashable, start: Callable[[JobContext], Steps[T]], context: JobContext) -> T:
        """Start the job of a key, or continue it, and return its result.

        Args:
            key: identifies the job: its model, its images and its settings.
            start: see `ResumableJob`; called if the job is new.
            context: cancellation and progress of the present request.

        Raises:
            Cancelled: the request was canceled; the next one of this key continues.
        """
        job: ResumableJob[T] = self._jobs.get_or_create(key, lambda: ResumableJob(start))
        return job.run(context)
