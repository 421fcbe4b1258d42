"""Interface of Keras' training loop: batches in, progress out, stop requests."""

import math
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np

from engine.messages import Emit, Progress, ShouldStop
from engine.pairs import BatchMaker
from engine.protocols import ImageSequence

if sys.platform != "win32":
    import resource

REPORT_INTERVAL_S = 0.2
MAX_BATCH_POINTS = 16
Point = tuple[float, float]


class EpochSequence(keras.utils.PyDataset):
    """Training images of one epoch, in an order that depends on the seed and the epoch alone.

    Args:
        images: the training images.
        batch_size: images per step; the last batch may be smaller.
        seed: seed of the order.
        epoch: number of the epoch, from 0; each has its own order.
        pairs: makes the model's inputs and targets; if None, both are the images themselves.
    """

    def __init__(
        self, images: ImageSequence, batch_size: int, seed: int, epoch: int, pairs: BatchMaker | None = None
    ) -> None:
        super().__init__()
        self.images, self.batch_size, self.epoch, self.pairs = images, batch_size, epoch, pairs
        self.order = np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(len(images))

    def __len__(self) -> int:
        return math.ceil(len(self.order) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        images = self.images.read(rows)
        return self.pairs.make(images, rows, self.epoch) if self.pairs else (images, images)


class ProgressCallback(keras.callbacks.Callback):
    """Callback that reports the progress of an epoch, and ends it on a stop request.

    Args:
        run: name of the run.
        epochs: number of epochs in all.
        batches: the epoch's images.
        emit: called with each event.
        should_stop: called after every batch; True ends the epoch; it may block, which pauses training.
    """

    def __init__(self, run: str, epochs: int, batches: EpochSequence, emit: Emit, should_stop: ShouldStop) -> None:
        super().__init__()
        self.run, self.epochs, self.batches = run, epochs, batches
        self.emit, self.should_stop = emit, should_stop
        self.stopped, self.diverged = False, False
        self.images, self.seconds = 0, 0.0
        self.batch_losses: list[Point] = []
        self._epoch, self._spoke = 0, 0.0
        self._reported = 0, 0.0

    @property
    def images_per_s(self) -> float:
        """Return the training images per second, without pauses."""
        return self.images / self.seconds if self.seconds else 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the clock."""
        self._epoch, self._mark = epoch, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count images, report at intervals, and stop on request."""
        done = min((batch + 1) * self.batches.batch_size, len(self.batches.order))
        self.seconds += time.perf_counter() - self._mark
        self.images = done
        if time.perf_counter() - self._spoke >= REPORT_INTERVAL_S or batch + 1 == len(self.batches):
            self._emit_progress(batch, float((logs or {})["loss"]))
        if self.should_stop():
            self.stopped = self.model.stop_training = True
        self._mark = time.perf_counter()

    def _emit_progress(self, batch: int, loss: float) -> None:
        self._spoke = time.perf_counter()
        if not math.isfinite(loss):
            self.diverged = self.model.stop_training = True
            return
        total = len(self.batches.order)
        recent = self._mean_since_report(loss)
        self.batch_losses.append((self.images / total, recent))
        left = (self.epochs - self._epoch) * total - self.images
        self.emit(
            Progress(
                run=self.run,
                epoch=self._epoch + 1,
                epochs=self.epochs,
                batch=batch + 1,
                batches=len(self.batches),
                loss=loss,
                images_per_s=self.images_per_s,
                left_s=left / max(self.images_per_s, 1e-9),
                batch_loss=recent,
            )
        )

    def _mean_since_report(self, loss: float) -> float:
        """Return the mean loss of the images since the last report, from the mean of the epoch so far."""
        images, total = self._reported
        self._reported = self.images, loss * self.images
        return (loss * self.images - total) / max(self.images - images, 1)


def thin_points(points: Sequence[Point], most: int = MAX_BATCH_POINTS) -> tuple[Point, ...]:
    """Return at most `most` points, each the mean of neighbors, at the place of the last of them.

    Example:
        >>> thin_points([(0.25, 4.0), (0.5, 2.0), (0.75, 2.0), (1.0, 1.0)], 2)
        ((0.5, 3.0), (1.0, 1.5))
    """
    groups = np.array_split(np.asarray(points, np.float64), min(most, len(points))) if points else []
    return tuple((float(group[-1, 0]), float(group[:, 1].mean())) for group in groups)


def reset_peak_memory() -> None:
    """Reset the peak that `measure_memory` returns, where the system can do that."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def measure_memory() -> dict[str, float]:
    """Return the peak memory of this process by name, in MB; empty where the system does not tell it."""
    peak = _read_kilobytes("/proc/self/status", "VmHWM")
    if peak is not None:
        return {"memory_mb": peak / 1e3 * 1.024}
    if sys.platform == "win32":
        return {}
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"memory_mb": used / (1e6 if sys.platform == "darwin" else 1e6 / 1024)}


def free_memory_mb() -> float | None:
    """Return the memory that the system can still give, in MB. Returns None where it does not tell it."""
    free = _read_kilobytes("/proc/meminfo", "MemAvailable")
    return None if free is None else free / 1e3 * 1.024


def _read_kilobytes(file: str, name: str) -> float | None:
    try:
        lines = Path(file).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((float(line.split()[1]) for line in lines if line.startswith(f"{name}:")), None)
