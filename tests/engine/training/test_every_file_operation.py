"""A run that is killed before any of its file operations, resumed: nothing may differ from the unbroken run."""

import csv
import hashlib
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import engine
from engine import models, runs
from engine.evaluation import scoring
from engine.messages import EpochEnded
from engine.runs import Run
from engine.training import trainer
from tests.trained_runs import tiny_config

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Snapshots:
    """Copies of a run folder as a kill would leave it, one before each of its file operations.

    Args:
        run: the run.
        folder: where the copies go; equal ones are made once.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.run, self.folder = run, folder
        self.copies: dict[str, Path] = {}
        self.operations = 0
        self._is_copying = False

    def watch(self, event: str, arguments: tuple) -> None:
        """Copy the run before an operation on its files; an audit hook of Python."""
        if self._is_copying or not self._changes_run(event, arguments):
            return
        self._is_copying = True
        try:
            self.operations += 1
            self._copy()
        finally:
            self._is_copying = False

    def _changes_run(self, event: str, arguments: tuple) -> bool:
        if event == "open":
            path, _, flags = arguments
            return bool(flags & WRITING) and self._is_inside(path)
        return event in CHANGES and (self._is_inside(arguments[0]) or arguments[-1] not in (-1, arguments[0]))

    def _is_inside(self, path: object) -> bool:
        text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        return text.startswith(f"{self.run.path}{os.sep}") and not text.endswith("lock")

    def _copy(self) -> None:
        files = sorted(path for path in self.run.path.rglob("*") if path.name != "lock")
        content = repr([(str(path), path.read_bytes() if path.is_file() else None) for path in files])
        if content not in self.copies:
            self.copies[content] = self.folder / str(self.operations)
            shutil.copytree(self.run.path, self.copies[content] / self.run.name, ignore=shutil.ignore_patterns("lock"))


LOSSES = (0.5, 0.3, 0.4)


class Fitted:
    """What the training loop returns of one epoch."""

    def __init__(self, epoch: int) -> None:
        self.history = {"loss": [LOSSES[epoch] - 0.1]}


def fit(model, batches, *, initial_epoch, **_):
    """Change every weight, as a function of its value and the epoch alone, in place of a training."""
    for variable in [*model.trainable_variables, *model.optimizer.variables]:
        value = keras.ops.convert_to_numpy(variable)
        variable.assign((value * 3 + initial_epoch + 1) % 7 if value.dtype.kind == "f" else value + 1)
    model.epoch = initial_epoch
    return Fitted(initial_epoch)


class BuiltOnce:
    """A function that builds a model, at its first call; later calls give that model back with its first values."""

    def __init__(self, build) -> None:
        self._build, self._model, self._values = build, None, []

    def __call__(self, *settings):
        """Return the model."""
        if self._model is None:
            self._model = self._build(*settings)
            self._values = [keras.ops.convert_to_numpy(each) for each in self._list_variables()]
        for variable, value in zip(self._list_variables(), self._values, strict=True):
            variable.assign(value)
        return self._model

    def _list_variables(self) -> list:
        return [*self._model.variables, *getattr(getattr(self._model, "optimizer", None), "variables", ())]


@pytest.fixture(scope="module")
def quick_epochs():
    """Replace what takes long, to build a model and to compute an epoch, by what does not; the files are as ever."""
    with pytest.MonkeyPatch.context() as patch:
        built = {name: BuiltOnce(getattr(models, name)) for name in ("build", "build_compiled")}
        patch.setattr(trainer, "models", SimpleNamespace(**{**vars(models), **built}))
        patch.setattr(keras.Model, "fit", fit)
        patch.setattr(scoring, "score", lambda model, *_: {"loss": np.array([LOSSES[model.epoch]])})
        patch.setattr(scoring, "reconstruct", lambda model, given: given)
        yield


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory, quick_epochs):
    """Train a run of three epochs, copied before every operation on its files."""
    folder = tmp_path_factory.mktemp("whole")
    run = runs.create_run(tiny_config(epochs=3, filters=(4,)), "one", folder)
    made = Snapshots(run, tmp_path_factory.mktemp("killed"))
    watchers = [made]
    # An audit hook cannot be taken out again.
    sys.addaudithook(lambda event, arguments: [each.watch(event, arguments) for each in watchers])
    engine.train(run=run)
    watchers.clear()
    return made


def contents(run):
    """Return everything of a finished run that a kill must not change, times and speeds left out."""
    epochs = {event.epoch: event for event in run.events() if isinstance(event, EpochEnded)}
    with (run.path / "history.csv").open(newline="") as file:
        rows = [{name: row[name] for name in ("epoch", "loss", "val_loss")} for row in csv.DictReader(file)]
    checkpoint = max(run.checkpoints.glob("epoch-*"))
    state = json.loads((checkpoint / "state.json").read_text())
    return {
        "state": run.state(),
        "best epoch": run.best_epoch(),
        "epochs": [(number, epochs[number].best, epochs[number].preview) for number in sorted(epochs)],
        "history": rows,
        "checkpoint": [state[name] for name in ("epoch", "best_epoch", "best_loss")],
        "weights": hash_arrays(np.load(checkpoint / "variables.npz")),
        "model": zipfile.ZipFile(run.model_path).read("model.weights.h5"),
        "files": sorted(str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.name != "lock"),
    }


def hash_arrays(arrays):
    """Return a hash of the bits of named arrays."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


@pytest.mark.slow
def test_a_kill_before_any_file_operation_changes_nothing_of_the_run(snapshots):
    assert snapshots.operations > 50
    wanted = contents(snapshots.run)
    assert wanted["best epoch"] == 2
    assert [row["val_loss"] for row in wanted["history"]] == [str(loss) for loss in LOSSES]
    different = []
    for copy in snapshots.copies.values():
        run = Run(copy / "one")
        engine.resume(run)
        different += [(copy.name, name) for name, found in contents(run).items() if found != wanted[name]]
    assert not different
