"""What the handlers of the explorer share: loaded models and datasets, regions as pixels, interrupted computations."""

from collections.abc import Callable, Hashable
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from engine import data, lesions, runs
from engine.arrays import Images, Mask
from engine.config import DataConfig
from engine.job_context import JobContext, ResumableJob, Steps
from engine.lru_cache import LRUCache
from engine.messages import Emit, ImagesRequest, RegionSpec, Request, RequestProgress, ShouldStop


class ExplorerContext(Protocol):
    """The loaded models and datasets, and the folder for arrays."""

    def job_context(self, request: Request) -> JobContext:
        """Return the cancellation of a request, and its progress as events."""
        ...

    def load_images(self, request: ImagesRequest, side: int | None = None) -> tuple[Images, list[str]]:
        """Return the images of a request, (n, side, side, 1) float32 in [0, 1], and their names."""
        ...

    def model(self, name: str) -> tuple[Any, runs.Run]:
        """Return the loaded model of a run, and the run."""
        ...

    def reconstructor(self, name: str, config: DataConfig) -> tuple[Any, int]:
        """Return the model of a run, or the baseline of that name, and the side of its images."""
        ...

    def dataset(self, config: DataConfig) -> data.Dataset:
        """Return a dataset; it is loaded with the first request for it."""
        ...

    def save_array(self, array: NDArray[Any]) -> str:
        """Write an array to a file and return its path."""
        ...


def make_job_context(request: Request, emit: Emit, should_stop: ShouldStop) -> JobContext:
    """Return the context of a request: its progress becomes events."""

    def emit_progress(title: str, done: int, total: int) -> None:
        emit(RequestProgress(number=request.number, panel=request.panel, done=done, total=total))

    return JobContext(should_stop, emit_progress)


def region_mask(region: RegionSpec, shape: tuple[int, int]) -> Mask:
    """Return the pixels of a region, a boolean mask of the shape.

    Raises:
        RegionError: too few pixels are inside, or all of them.
    """
    points = [(x * shape[1], y * shape[0]) for x, y in region.points]
    if region.kind == "polygon":
        return lesions.require_measurable(lesions.polygon(shape, points))
    (left, right), (top, bottom) = (sorted(ends) for ends in zip(*points, strict=True))
    draw = lesions.ellipse if region.kind == "ellipse" else lesions.rectangle
    return lesions.require_measurable(draw(shape, left, top, right - left, bottom - top))


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
