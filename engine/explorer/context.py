"""The context that the handlers of the explorer share: its loaded models and datasets."""

from typing import Any, Protocol

from numpy.typing import NDArray

from engine import data, runs
from engine.arrays import Images
from engine.config import DataConfig
from engine.job_context import JobContext
from engine.messages import Emit, ImagesRequest, Request, RequestProgress, ShouldStop


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
