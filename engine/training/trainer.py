"""The epochs of a run: train, validate, preview, save, report. Needs Keras; start it with `engine.training.job`."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import keras
import numpy as np

from engine import backend, models, pairs, runs
from engine.config import RunConfig
from engine.data import Dataset, quality
from engine.durable import flush_file, make_folder, name_failures, open_new, replace_durably
from engine.errors import ConfigError, RunDamaged, TrainingError
from engine.evaluation import scoring
from engine.formatting import format_source
from engine.job_context import Cancelled, JobContext
from engine.messages import Emit, EpochEnded, JobEnded, JobStarted, Log
from engine.models.reconstructor import AdaptContext, Reconstructor
from engine.runs import Run
from engine.training import checkpoints
from engine.training.callbacks import (
    EpochSequence,
    Point,
    ProgressCallback,
    measure_memory,
    reset_peak_memory,
    thin_points,
)
from engine.training.checkpoints import TrainingState

PREVIEWS = 8


class Trainer:
    """Trainer of one run.

    Args:
        run: folder that everything is saved in.
        config: its settings.
        images: the dataset.
        emit: called with each event.
        context: asked after every batch whether to stop.
    """

    def __init__(self, run: Run, config: RunConfig, images: Dataset, emit: Emit, context: JobContext) -> None:
        self.run, self.config, self.images = run, config, images
        self.emit, self.context = emit, context
        self.validation = pairs.make_validation_view(images.validation, config.noise)
        backend.set_seed(config.training.seed)
        steps = math.ceil(len(images.train) / config.training.batch_size)
        self.model, self.best = models.build_compiled(config, steps), models.build(config)
        self.state = self._restore()
        self._batch_losses: tuple[Point, ...] = ()

    def _restore(self) -> TrainingState:
        now = backend.describe_environment(self.config.training)
        state = checkpoints.load(self.run.checkpoints, self.model, self.run.history())
        before = {"precision": "float32", **state.conditions}  # an earlier version had no other
        if state.conditions and before != now:
            pairs_by_key = {key: (before.get(key), now[key]) for key in now}
            changed = ", ".join(_format_change(key, *pair) for key, pair in pairs_by_key.items() if pair[0] != pair[1])
            text = f"Changed since the checkpoint: {changed}. Results will not be bit-identical."
            self.emit(Log(text=text, level="warning"))
        return replace(state, conditions=now)

    def start(self) -> None:
        """Report the start of the training, and save its conditions."""
        reset_peak_memory()
        training, splits = self.config.training, self.images
        if not len(splits.train) or not len(splits.validation):
            raise ConfigError(
                "There are too few images for a training and a validation set.", "Choose a source with more images."
            )
        fingerprint = self.images.fingerprint
        known = _read_provenance(self.run).get("data", {}).get("fingerprint", fingerprint)
        if known != fingerprint:
            self.emit(Log(text="The images have changed since this run began.", level="warning"))
        split_by, patients = self.config.data.split_by, self.images.patients
        data: dict[str, Any] = {
            "source": format_source(self.images.source),
            "fingerprint": fingerprint,
            "split_by": split_by,
        }
        data |= {"patients": patients.to_json(), "patients_from": dict(patients.origins)}
        data |= {"plane": self.images.plane, **quality.describe_use(self.images)}
        written = {**self.state.conditions, "seed": training.seed, "data": data, "backends": self._backends()}
        self.run.write_json("provenance.json", written)
        self._log_warnings()
        given, originals = scoring.fix_sample(self.validation, PREVIEWS)
        self._preview("originals", originals)
        if given is not originals:
            self._preview("noisy", given)
        self.emit(
            JobStarted(
                run=self.run.name,
                path=str(self.run.path),
                first_epoch=self.state.epoch,
                epochs=training.epochs,
                train_images=len(splits.train),
                validation_images=len(splits.validation),
                parameters=self.model.count_params(),
                backend=training.backend,
                device=self.state.conditions["device"],
                **self._entropy_floors(),
            )
        )
        self._complete_record()

    def _complete_record(self) -> None:
        """Do what a kill left undone after a checkpoint: remove older ones, report the epoch, write history.csv."""
        checkpoints.remove_old(self.run.checkpoints)
        state, known = self.state, self.run.history()
        if state.metrics and state.epoch not in {row["epoch"] for row in known}:
            self._report_epoch()
        elif known:
            runs.write_history(self.run)

    def _report_epoch(self) -> None:
        state = self.state
        self.emit(
            EpochEnded(
                run=self.run.name,
                epoch=state.epoch,
                metrics=state.metrics,
                best=state.best_epoch == state.epoch,
                preview=state.preview,
                batch_losses=self._batch_losses,
            )
        )
        runs.write_history(self.run)

    def _entropy_floors(self) -> dict[str, float]:
        """Return the entropy floors of the images, for a loss in nats."""
        if self.config.model.loss_unit != "nats":
            return {}
        splits = {"train_floor_nats": self.images.train, "validation_floor_nats": self.images.validation}
        return {name: scoring.entropy_floor_nats(images) for name, images in splits.items()}

    def prepare(self) -> None:
        """Let the model adapt to its images before the first step.

        Raises:
            Cancelled: the caller asked to stop; the model is unchanged.
        """
        if self.state.epoch:
            return
        training, made = self.config.training, pairs.BatchMaker(self.config)

        def draw(number: int) -> Iterator[np.ndarray]:
            epoch = training.epochs + number  # copies that no epoch uses again
            batches = EpochSequence(self.images.train, training.batch_size, training.seed, epoch, made)
            return (batches[place][1] for place in range(len(batches)))

        def log(text: str) -> None:
            self.emit(Log(text=text))

        self.model.adapt(AdaptContext(len(self.images.train), training.seed, draw, self.context, log))

    def _log_warnings(self) -> None:
        if self.config.training.precision != "float32":
            self.emit(Log(text=backend.choose_precision(self.config.training)[1]))
        if self.config.warning:
            self.emit(Log(text=self.config.warning, level="warning"))
        noise = self.config.noise
        if noise.noise != "none":
            given = f"{noise.noise} noise of level {noise.noise_low:g} to {noise.noise_high:g}, drawn for each image"
            always = "Each validation image always gets the same noise."
            self.emit(Log(text=f"The model input has {given}; the target is the noise-free image. {always}"))

    def _backends(self) -> list[dict[str, Any]]:
        """Return which backend trained from which epoch on, counted from 0: a run may resume on another one."""
        before, now = _read_provenance(self.run), self.config.training.backend
        recorded = before.get("backends") or [{"backend": before.get("backend", now), "first_epoch": 0}]
        kept = [entry for entry in recorded if entry["first_epoch"] < self.state.epoch]
        if kept and kept[-1]["backend"] == now:
            return kept
        return [*kept, {"backend": now, "first_epoch": self.state.epoch}]

    def run_epoch(self) -> None:
        """Train, validate and save one epoch.

        Raises:
            Cancelled: the caller asked to stop; nothing is saved.
            TrainingError: the loss is no longer finite.
        """
        training = self.config.training
        number = self.state.epoch
        made = pairs.BatchMaker(self.config)
        batches = EpochSequence(self.images.train, training.batch_size, training.seed, number, made)
        reporter = ProgressCallback(self.run.name, training.epochs, batches, self.emit, self.context.should_stop)
        self.model.begin_epoch(number)
        fitted = self.model.fit(
            batches, initial_epoch=number, epochs=number + 1, shuffle=False, verbose=0, callbacks=[reporter]
        )
        if reporter.diverged:
            raise TrainingError(
                f"The loss is no longer a finite number in epoch {number + 1}.",
                f"Lower the learning rate (now {training.learning_rate:g}) and resume: completed epochs are saved.",
            )
        if reporter.stopped:
            raise Cancelled
        scores = scoring.score(self.evaluation_model(), self.validation, self.context)
        metrics = {name: float(values[-1]) for name, values in fitted.history.items()}
        metrics |= {f"val_{name}": float(values.mean()) for name, values in scores.items()}
        metrics |= {"learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))}
        self._batch_losses = thin_points(reporter.batch_losses)
        machine = {"images_per_s": reporter.images_per_s, "train_s": reporter.seconds, **measure_memory()}
        self._finish_epoch(metrics | machine)

    def _finish_epoch(self, metrics: dict[str, float]) -> None:
        number = self.state.epoch + 1
        self.state = replace(self.state, epoch=number, metrics=metrics)
        if metrics["val_loss"] < self.state.best_loss:
            self.state = replace(self.state, best_epoch=number, best_loss=metrics["val_loss"])
            self.save_model()
        given, _ = scoring.fix_sample(self.validation, PREVIEWS)
        preview = self._preview(f"epoch-{number:05d}", scoring.reconstruct(self.evaluation_model(), given))
        self.state = replace(self.state, preview=preview)
        checkpoints.save(self.run.checkpoints, self.model, self.state)
        self._report_epoch()

    def evaluation_model(self) -> Reconstructor:
        """Return the model to validate, preview and save: the trained one, or one with averaged or exact weights."""
        if not self.config.training.ema and self.state.conditions["precision"] == "float32":
            return self.model
        self.best.set_weights(models.evaluation_weights(self.model))
        return self.best

    def save_model(self) -> None:
        """Write model.keras, weights only, under another name, flush it to disk, then rename it."""
        temporary = self.run.path / "new.keras"
        self.best.set_weights(models.evaluation_weights(self.model))
        with name_failures(temporary):
            temporary.unlink(missing_ok=True)
            self.best.save(temporary)
            flush_file(temporary)
            replace_durably(temporary, self.run.model_path)

    def _preview(self, name: str, images: np.ndarray) -> str:
        make_folder(self.run.previews)
        with open_new(self.run.previews / f"{name}.npy") as file:
            np.save(file, np.round(images[..., 0] * 255).astype(np.uint8))
        return f"previews/{name}.npy"


def _read_provenance(run: Run) -> dict[str, Any]:
    """Return the provenance of a run so far; empty if it is damaged, since it is written again."""
    try:
        found = run.provenance
    except RunDamaged:
        return {}
    backends = found.get("backends", [])
    entries = backends if isinstance(backends, list) else [None]
    is_whole = isinstance(found.get("data", {}), dict) and all(
        isinstance(entry, dict) and isinstance(entry.get("first_epoch"), int) and "backend" in entry
        for entry in entries
    )
    return found if is_whole else {}


def _format_change(key: str, before: Any, now: Any) -> str:
    """Return a short text on a changed condition."""
    return f"{key} (from {before} to {now})" if key == "backend" else key


def fit(run: Run, config: RunConfig, images: Dataset, emit: Emit, context: JobContext) -> None:
    """Train a run from its current epoch to its last, or until a stop request.

    Raises:
        TrainingError: the loss is no longer finite.
        RunDamaged: its checkpoints cannot be read.
        Cancelled: the caller asked to stop before the first step.
    """
    work = Trainer(run, config, images, emit, context)
    work.start()
    # The first step takes a second or more to compile.
    context.check()
    state: Literal["finished", "stopped"] = "finished"
    try:
        work.prepare()
        while work.state.epoch < config.training.epochs:
            work.run_epoch()
    except Cancelled:
        state = "stopped"
    if not run.model_path.exists():
        work.save_model()
    emit(JobEnded(run=run.name, state=state, epoch=work.state.epoch))
