"""Steps of a run on random images, timed: training, validation, saving. Needs Keras; see `engine.training.estimate`."""

import gc
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from engine import models, pairs
from engine.arrays import Images
from engine.config import RunConfig
from engine.evaluation import scoring
from engine.job_context import JobContext
from engine.messages import Emit, RunEstimated
from engine.protocols import Indices
from engine.training import checkpoints
from engine.training.callbacks import EpochSequence, ProgressCallback, free_memory_mb, measure_memory, reset_peak_memory
from engine.training.checkpoints import TrainingState
from engine.training.trainer import PREVIEWS

WARM_UP_STEPS = 2
MIN_STEPS, MAX_STEPS = 5, 64
STEPS_S = 3.0
# Values that a step keeps for each value that a layer puts out: itself, its gradient, and a working copy.
COPIES = 3
FLOAT_BYTES, ADAM_COPIES, MAX_MEMORY_SHARE = 4, 5, 0.8


class RandomImages:
    """A number of random images, made by repeating a few different ones."""

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._images = np.random.default_rng(0).random((min(count, scoring.BATCH), size, size, 1), np.float32)

    def __len__(self) -> int:
        return self._count

    def read(self, which: Indices = slice(None)) -> Images:
        """Return images: float32 (k, height, width, 1) in [0, 1]."""
        rows = np.arange(self._count)[which]
        return self._images[rows % len(self._images)]


class StepClock(keras.callbacks.Callback):
    """Callback that notes when each step ends, s."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the time."""
        self.ends.append(time.perf_counter())


def measure(config: RunConfig, token: str, emit: Emit, context: JobContext) -> None:
    """Emit what is known of a run once its model is built, and again after a few steps.

    Raises:
        Cancelled: the caller asked to stop.
    """
    keras.utils.set_random_seed(config.training.seed)
    reset_peak_memory()
    begun = time.perf_counter()
    model = models.build_compiled(config, 1)
    known = RunEstimated(token=token, parameters=model.count_params())
    emit(known)
    needed, free = _estimate_memory_mb(model, config.training.batch_size), free_memory_mb()
    if free is not None and needed > MAX_MEMORY_SHARE * free:
        emit(known.model_copy(update={"memory_mb": needed, "free_mb": free, "is_complete": True}))
        return
    _fit(model, config, WARM_UP_STEPS, context)
    start_s = time.perf_counter() - begun
    images_per_s, fit_s = _time_training(model, config, context)
    facts = {"start_s": start_s, "images_per_s": images_per_s, "epoch_s": fit_s + _time_saving(model, config)}
    facts |= {"validation_s": _time_validation(model, config, context), **measure_memory()}
    emit(known.model_copy(update={**facts, "is_complete": True}))
    del model
    gc.collect()


def _time_training(model: Any, config: RunConfig, context: JobContext) -> tuple[float, float]:
    """Return images per second, and the seconds that an epoch takes beside its steps."""
    begun = time.perf_counter()
    first = _fit(model, config, WARM_UP_STEPS, context)
    overhead = max(time.perf_counter() - begun - first.seconds, 0.0)
    step_s = first.seconds / WARM_UP_STEPS
    steps = math.ceil(min(max(STEPS_S / max(step_s, 1e-6), MIN_STEPS), MAX_STEPS))
    clock = StepClock()
    _fit(model, config, steps, context, clock)
    # The median leaves out the steps that another program has slowed down.
    return config.training.batch_size / float(np.median(np.diff(clock.ends))), overhead


def _fit(
    model: Any, config: RunConfig, steps: int, context: JobContext, clock: keras.callbacks.Callback | None = None
) -> ProgressCallback:
    """Train for some steps, as a run does. Raises Cancelled."""
    batch = config.training.batch_size
    images = RandomImages(batch * steps, config.data.size)
    batches = EpochSequence(images, batch, config.training.seed, 0, pairs.BatchMaker(config))
    reporter = ProgressCallback("", 1, batches, lambda event: None, context.should_stop)
    model.begin_epoch(0)
    model.fit(batches, epochs=1, shuffle=False, verbose=0, callbacks=[reporter, *filter(None, [clock])])
    context.check()
    return reporter


def _time_validation(model: Any, config: RunConfig, context: JobContext) -> float:
    """Return the seconds that the validation of one image takes."""
    images = pairs.make_validation_view(RandomImages(scoring.BATCH, config.data.size), config.noise)
    scoring.score(model, images, context)
    begun = time.perf_counter()
    scoring.score(model, images, context)
    return (time.perf_counter() - begun) / scoring.BATCH


def _time_saving(model: Any, config: RunConfig) -> float:
    """Return the seconds that previews, checkpoint and model of an epoch take."""
    scoring.reconstruct(model, RandomImages(PREVIEWS, config.data.size).read())
    begun = time.perf_counter()
    scoring.reconstruct(model, RandomImages(PREVIEWS, config.data.size).read())
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.save(Path(folder) / "checkpoint", model, TrainingState(epoch=1))
        models.build(config).save(Path(folder) / "model.keras")
    return time.perf_counter() - begun


def _estimate_memory_mb(model: Any, batch: int) -> float:
    """Return a rough estimate of the memory that training needs, without computing a step."""
    layers = [layer for part in (model.encoder, model.decoder) for layer in part.layers]
    values = sum(math.prod(layer.output.shape[1:]) for layer in layers if hasattr(layer.output, "shape"))
    return FLOAT_BYTES * (ADAM_COPIES * model.count_params() + COPIES * batch * values) / 1e6
