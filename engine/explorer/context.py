"""What the handlers of the explorer share: its loaded models and datasets."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine import data, runs
from engine.config import DataConfig
from engine.messages import Emit, ImagesRequest, Request, RequestProgress

Images = NDArray[np.float32]


class ExplorerContext(Protocol):
    """Loaded models, datasets, and a place for arrays."""

    emit: Emit
    should_stop: Callable[[], bool]

    def load_images(self, request: ImagesRequest, side: int | None = None) -> tuple[Images, list[str]]:
        """Return the images of a request, (n, side, side, 1) float32 in [0, 1], and their names."""
        ...

    def model(self, name: str) -> tuple[Any, runs.Run]:
        """Return the loaded model of a run, and the run."""
        ...

    def reconstructor(self, name: str, config: DataConfig) -> tuple[Any, int]:
        """Return the model of a run, or the baseline of that name, and the side of its images."""
        ...

    def dataset(self, config: DataConfig, progress: Callable[[int, int], None] | None = None) -> data.Dataset:
        """Return a dataset; it is loaded with the first request for it."""
        ...

    def save_array(self, array: NDArray[Any]) -> str:
        """Write an array to a file and return its path."""
        ...


def progress_callback(warm: ExplorerContext, request: Request) -> Callable[[int, int], None]:
    """Return a function that reports the progress of a request: how much is done, and how much there is."""

    def emit_progress(done: int, total: int) -> None:
        warm.emit(RequestProgress(number=request.number, panel=request.panel, done=done, total=total))

    return emit_progress
