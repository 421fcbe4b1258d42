"""The training job: a plain function from settings to a run folder, independent of the receiver of its events.

This module does not import Keras; `engine.training.trainer`, which does the work, is imported once the backend is
configured.
"""

import time
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path

from engine import data, runs, tracking
from engine.backend import configure as use_backend
from engine.backend import describe_failure, import_on_backend
from engine.config import RunConfig, from_flat, to_record
from engine.data import loading, quality
from engine.durable import detach_file
from engine.errors import (
    ConfigError,
    DataError,
    EngramError,
    RunDamaged,
    TrainingError,
    describe_os_error,
    is_framework_error,
    translate_os_errors,
)
from engine.formatting import format_source
from engine.job_context import Cancelled, JobContext
from engine.job_control import watch_stop_file
from engine.messages import Emit, Event, JobEnded, JobStarted, Log, Progress, ShouldStop, discard_event, never_stop
from engine.runs import Run
from engine.training.backend_choice import resolve_backend

LAST_YEAR = 2107  # of a zip archive
SCHEDULE_STRETCHED = (
    "The learning-rate schedule is recomputed for {epochs} epochs and continues from the current epoch."
)


def train(
    config: RunConfig | None = None,
    *,
    run: Run | str | None = None,
    root: Path | str | None = None,
    emit: Emit = discard_event,
    should_stop: ShouldStop = never_stop,
) -> Run:
    """Train a model and save everything in a run folder.

    Args:
        config: the settings; those of `run` if it is an opened run, else the defaults.
        run: a new run's name (chosen automatically if None), or a run made by `runs.create_run`.
        root: folder of the runs; `runs.default_root()` if None.
        emit: called with each event as it happens.
        should_stop: called after every batch; True ends the job soon and keeps the model; it may block, which pauses.

    Returns:
        The run; its `state()` tells how the job ended, its `model_path` is the best model by validation.

    Raises:
        EngramError: the settings, the data or the backend cannot be used. The run folder, if created, records the
            error; none is created for a source that cannot be opened or has no image.

    Example:
        data = {"source": "phantom", "phantom_count": 24, "size": 32}
        config = engine.config.from_flat({**data, "filters": (4, 8), "epochs": 1})
        trained = engine.train(config, emit=lambda event: print(event.event))
    """
    if not isinstance(run, Run):
        config = config or RunConfig()
        tracking.check(config)
        loading.check_source(config.data)  # before a run name is taken
        run = runs.create_run(config, run, root)
    with translate_os_errors(), EventRecorder(run, tracking.with_tracking(run, run.config, emit)) as recorder:
        _run(run, run.config, recorder, should_stop)
    return run


def resume(
    run: Run | str,
    *,
    epochs: int | None = None,
    backend: str | None = None,
    emit: Emit = discard_event,
    should_stop: ShouldStop = never_stop,
) -> Run:
    """Resume a run from its last complete epoch, after a stop, a crash or a `kill -9`.

    On TensorFlow's CPU in deterministic mode the weights are bit-identical to those of an uninterrupted run. On another
    backend than before, weights, statistics and optimizer start bit-identical and then evolve similarly, not
    identically.

    Args:
        run: the run, its name in the default folder of runs, or the path of its folder.
        epochs: new total number of epochs; unchanged if None. A cosine or a warm-up is then that of a run of this
            total: beyond the end of the old cosine the rate is not zero but follows the longer cosine, which falls
            to zero at the new total.
        backend: resume on 'tensorflow', 'torch' or 'jax'; as before if None.
        emit: called with each event as it happens.
        should_stop: as in `train`.

    Returns:
        The run.

    Raises:
        EngramError: the run cannot be found, read or trained.

    Example:
        resumed = engine.resume(run, epochs=2)
        assert len(resumed.history()) == 2
    """
    if not isinstance(run, Run):
        run = runs.open_run(run)
    with translate_os_errors(), EventRecorder(run, tracking.with_tracking(run, run.config, emit)) as recorder:
        before = run.config.training
        config = _resume_config(run, {"epochs": epochs, "backend": backend})
        if config.training.epochs != before.epochs and (before.schedule == "cosine" or before.warm_up):
            recorder(Log(text=SCHEDULE_STRETCHED.format(epochs=config.training.epochs)))
        _run(run, config, recorder, should_stop)
    return run


def _resume_config(run: Run, changes: Mapping[str, int | str | None]) -> RunConfig:
    """Return the settings to resume with; changes are saved once the backend has proved usable."""
    config = run.config
    if run.history() and not any(run.checkpoints.glob("epoch-*")):
        advice = "Train a new run with the same settings; the saved model is kept."
        raise RunDamaged(f"Run '{run.name}' has no checkpoint to resume from.", advice)
    wanted = from_flat({name: value for name, value in changes.items() if value is not None}, config)
    if wanted == config:
        return config
    done = max((row["epoch"] for row in run.history()), default=0)
    if wanted.training.epochs < done:
        raise ConfigError(
            f"Run '{run.name}' already has {done:,.0f} epochs.", f"Use --epochs with a number above {done:.0f}."
        )
    use_backend(wanted.training)
    run.write_json("config.json", to_record(wanted))
    return wanted


def _run(run: Run, config: RunConfig, recorder: "EventRecorder", should_stop: ShouldStop) -> None:
    with watch_stop_file(run.path, should_stop) as is_stop_requested:
        _run_epochs(run, config, recorder, JobContext(is_stop_requested))


def _run_epochs(run: Run, config: RunConfig, recorder: "EventRecorder", context: JobContext) -> None:
    try:
        _check_clock()
        _check_source(run, config)  # takes no time, while importing a backend takes seconds
        config = _choose_backend(run, config, recorder, context)
        fitting = import_on_backend("engine.training.trainer", config.training)
        context.check()  # a stop that came meanwhile waits for nothing more
        recorder(Log(text=f"Reading {format_source(config.data.source)}."))
        images = data.load(config=config.data, context=context)
        _report_images(images, recorder)
        fitting.fit(run, config, images, recorder, context)
    except Cancelled:
        recorder(JobEnded(run=run.name, state="stopped"))
    except EngramError as error:
        recorder(JobEnded(run=run.name, state="failed", reason=error.what, advice=error.advice))
        raise
    except Exception as error:
        failure = _translate_failure(error, config)
        if failure is None:
            raise
        recorder(JobEnded(run=run.name, state="failed", reason=failure.what, advice=failure.advice))
        raise failure from error


def _choose_backend(run: Run, config: RunConfig, emit: Emit, context: JobContext) -> RunConfig:
    """Replace the backend 'auto' by the fastest one, also in the run's settings. Raises Cancelled."""
    chosen, reason = resolve_backend(config, context)
    if reason:
        run.write_json("config.json", to_record(chosen))
        emit(Log(text=reason))
    return chosen


def _report_images(images: data.Dataset, emit: Emit) -> None:
    """Report what was left out of the dataset, and the notes on it."""
    use = quality.describe_use(images)
    if use["left_out"]:
        emit(Log(text=use["left_out"], level="warning"))
    for note in use["notes"]:
        emit(Log(text=note))


def _translate_failure(error: Exception, config: RunConfig) -> EngramError | None:
    """Return the error of a disk, a memory or a framework as a readable one. Returns None for any other."""
    if isinstance(error, OSError):
        return describe_os_error(error)
    if isinstance(error, MemoryError | RuntimeError) or is_framework_error(error):
        return describe_failure(error, config.training.batch_size)
    return None


def _check_clock() -> None:
    """Raise TrainingError if the clock says a year that a zip archive, and so a Keras file, cannot hold."""
    year = time.gmtime(time.time() - 24 * 3600).tm_year
    if not zipfile.ZipInfo().date_time[0] <= year < LAST_YEAR:
        raise TrainingError(f"The clock of this computer says {year}.", "Set the clock, then resume the run.")


def _check_source(run: Run, config: RunConfig) -> None:
    try:
        loading.check_source(config.data)
    except DataError as error:
        if run.history():
            raise
        advice = f"{error.advice} No epoch is complete yet: a new run may take the name '{run.name}'."
        raise type(error)(error.what, advice.strip()) from None


class EventRecorder:
    """Recorder that locks a run, numbers its events, saves all but progress, and passes on all of them.

    The end of the job is passed on after the run is unlocked, so that its receiver finds the run free.
    """

    def __init__(self, run: Run, emit: Emit) -> None:
        self.run, self.emit = run, emit
        self._held, self._ending = ExitStack(), ExitStack()
        self._last = 0

    def __enter__(self) -> "EventRecorder":
        self._held.enter_context(self.run.lock())
        detach_file(self.run.path / "events.jsonl")
        self._last = runs.last_sequence(self.run)
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()
        self._ending.close()

    def __call__(self, event: Event) -> None:
        """Record and pass on one event."""
        if not isinstance(event, Progress):
            self._last += 1
            event = event.model_copy(update={"sequence": self._last})
            # The failure may be that the disk is full: it is passed on all the same.
            with suppress(OSError) if getattr(event, "state", "") == "failed" else nullcontext():
                is_start = isinstance(event, JobStarted)
                self.run.append(event.model_copy(update={"path": ""}) if is_start else event)
        if isinstance(event, JobEnded):
            self._ending.callback(self.emit, event)
        else:
            self.emit(event)
