"""What an explorer holds ready for those who look into models."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine import data, runs
from engine.config import DataConfig
from engine.messages import Emit, ImagesRequest, Request, RequestProgress

Images = NDArray[np.float32]


class ExplorerContext(Protocol):
    """Loaded models, data sets, and a place for arrays."""

    emit: Emit
    should_stop: Callable[[], bool]

    def load_images(self, request: ImagesRequest, side: int | None = None) -> tuple[Images, list[str]]:
        """The images of a request at a side, and their names."""
        ...

    def model(self, name: str) -> tuple[Any, runs.Run]:
        """The loaded model of a run, and the run."""
        ...

    def dataset(self, config: DataConfig, progress: Callable[[int, int], None] | None = None) -> data.Dataset:
        """A data set, loaded when it is first asked for."""
        ...

    def save_array(self, array: NDArray[Any]) -> str:
        """Put an array into a file; its path."""
        ...


def progress_callback(warm: ExplorerContext, request: Request) -> Callable[[int, int], None]:
    """Tells how far a request is: a function of how much is done and how much there is."""

    def emit_progress(done: int, total: int) -> None:
        warm.emit(RequestProgress(number=request.number, panel=request.panel, done=done, total=total))

    return emit_progress
