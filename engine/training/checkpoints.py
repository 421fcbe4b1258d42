"""Checkpoints: everything that the next epoch depends on, written so that no crash can destroy it.

One folder per epoch: `variables.npz` (weights, statistics, seeds of every random layer, optimizer, all by position, so
that another backend can read the file) and `state.json`. It is written under another name, flushed to disk and
renamed; the last two are kept.
"""

import json
import os
import shutil
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from engine.errors import RunDamaged

MAX_TO_KEEP = 2


@dataclass(frozen=True)
class TrainingState:
    """State of the training after `epoch` complete epochs."""

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = float("inf")
    conditions: dict[str, Any] = field(default_factory=dict)


def save(folder: Path, model: keras.Model, state: TrainingState) -> None:
    """Write a checkpoint and remove those older than the last two.

    Args:
        folder: the run's checkpoint folder.
        model: a built and compiled model.
        state: state of the training.
    """
    folder.mkdir(exist_ok=True)
    temporary, final = folder / "new", folder / f"epoch-{state.epoch:05d}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    with open(temporary / "variables.npz", "wb") as file:
        np.savez(file, *_arrays(model))
        file.flush()
        os.fsync(file.fileno())
    (temporary / "state.json").write_text(json.dumps(asdict(state)), encoding="utf-8")
    shutil.rmtree(final, ignore_errors=True)
    os.replace(temporary, final)
    for old in sorted(folder.glob("epoch-*"))[:-MAX_TO_KEEP]:
        shutil.rmtree(old, ignore_errors=True)


def load(folder: Path, model: keras.Model) -> TrainingState:
    """Load the newest readable checkpoint into a built and compiled model.

    Returns:
        The state of the training; `TrainingState()` if there is no checkpoint yet.

    Raises:
        RunDamaged: there are checkpoints, but none can be read into this model.
    """
    found = sorted(folder.glob("epoch-*"), reverse=True)
    for path in found:
        try:
            state = TrainingState(**json.loads((path / "state.json").read_text(encoding="utf-8")))
            with open(path / "variables.npz", "rb") as stored, np.load(stored, allow_pickle=False) as file:
                arrays = [file[f"arr_{number}"] for number in range(len(file.files))]
            _assign(model, arrays)
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            continue
        return state
    if found:
        raise RunDamaged(
            f"No checkpoint in {folder} can be read.", "Train again under another run name; the best model is kept."
        )
    return TrainingState()


def _variables(model: keras.Model) -> list[Any]:
    return [*model.variables, *model.optimizer.variables]


def _arrays(model: keras.Model) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(variable) for variable in _variables(model)]


def _assign(model: keras.Model, arrays: list[np.ndarray]) -> None:
    variables = _variables(model)
    if [tuple(v.shape) for v in variables] != [array.shape for array in arrays]:
        raise ValueError("the checkpoint belongs to another model")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array.astype(variable.dtype, copy=False))
