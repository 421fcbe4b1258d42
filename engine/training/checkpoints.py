"""Checkpoints: everything that the next epoch depends on, written so that no crash or power cut can destroy it.

One folder per epoch: `variables.npz` (weights, statistics, seeds of every random layer, optimizer, all by position, so
that another backend can read the file) and `state.json`. It is written under another name, flushed to disk and
renamed; the last two are kept.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import keras
import numpy as np
from pydantic import Field, TypeAdapter

from engine.archives import DAMAGE, read_arrays, write_arrays
from engine.durable import flush_folder, make_folder, open_new, remove_folder, replace_durably
from engine.errors import RunDamaged
from engine.run_damage import read_record

MAX_TO_KEEP = 2


@dataclass(frozen=True)
class TrainingState:
    """State of the training after `epoch` complete epochs.

    Args:
        epoch: number of complete epochs.
        best_epoch: the epoch of the best model so far.
        best_loss: its validation loss.
        conditions: see `engine.backend.describe_environment`.
        metrics: those of the last epoch, in case the run's record lacks it; empty in checkpoints of version 0.1.0.
        preview: path of the last epoch's preview; None if unknown.
    """

    epoch: Annotated[int, Field(ge=0)] = 0
    best_epoch: Annotated[int, Field(ge=0)] = 0
    best_loss: float = float("inf")
    conditions: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    preview: str | None = None


_STATES: Final = TypeAdapter(TrainingState)


def save(folder: Path, model: keras.Model, state: TrainingState) -> None:
    """Write a checkpoint and remove those older than the last two; it is on the disk when this returns.

    Args:
        folder: the run's checkpoint folder.
        model: a built and compiled model.
        state: state of the training.

    Raises:
        OSError: it cannot be written; those before are kept.
    """
    make_folder(folder)
    temporary, final = folder / "new", folder / f"epoch-{state.epoch:05d}"
    remove_folder(temporary)
    temporary.mkdir()
    with open_new(temporary / "variables.npz") as file:
        write_arrays(file, _arrays(model))
    with open_new(temporary / "state.json") as file:
        file.write(json.dumps(asdict(state)).encode())
    flush_folder(temporary)
    remove_folder(final)
    replace_durably(temporary, final)
    remove_old(folder)


def remove_old(folder: Path) -> None:
    """Remove the checkpoints older than the last two, and one that a kill left unfinished."""
    for old in [*sorted(folder.glob("epoch-*"))[:-MAX_TO_KEEP], folder / "new"]:
        remove_folder(old)


def load(folder: Path, model: keras.Model, history: Sequence[Mapping[str, float]] = ()) -> TrainingState:
    """Load the newest readable checkpoint into a built and compiled model.

    A checkpoint whose state is lost is used too: its name tells the epoch, and the history tells the best one. One
    with a state is preferred to one whose state neither it nor the history can tell completely.

    Args:
        folder: the run's checkpoint folder.
        model: a built and compiled model.
        history: the metrics of each epoch that the run's record holds.

    Returns:
        The state of the training; `TrainingState()` if there is no checkpoint yet.

    Raises:
        RunDamaged: there are checkpoints, but none can be read into this model.
    """
    found = sorted(folder.glob("epoch-*"), reverse=True)
    candidates = [(path, *_read_state(path, history)) for path in found]
    for path, state, _ in sorted(candidates, key=lambda candidate: not candidate[2]):
        try:
            _assign(model, path / "variables.npz")
        except DAMAGE:
            continue
        return state
    if found:
        raise RunDamaged(
            f"No checkpoint in {folder} can be read.", "Train again under another run name; the best model is kept."
        )
    return TrainingState()


def _read_state(path: Path, history: Sequence[Mapping[str, float]]) -> tuple[TrainingState, bool]:
    """Return the state of a checkpoint, and whether it is complete.

    If `state.json` cannot be read, the name of the folder and the history tell the state, completely if the history
    holds every epoch.
    """
    name = re.fullmatch(r"epoch-(\d{1,9})", path.name)
    epoch = int(name[1]) if name else 0
    try:
        state: TrainingState = _STATES.validate_json(read_record(path / "state.json"), strict=True)
        if state.epoch == epoch:
            return state, True
    except (OSError, ValueError):
        pass
    losses = {row["epoch"]: row.get("val_loss", math.inf) for row in history if row["epoch"] <= epoch}
    best = min(losses, key=lambda each: (not losses[each] < math.inf, losses[each]), default=0)
    rebuilt = TrainingState(epoch=epoch, best_epoch=int(best), best_loss=losses.get(best, math.inf))
    return rebuilt, len(losses) == epoch > 0


def _variables(model: keras.Model) -> list[Any]:
    return [*model.variables, *model.optimizer.variables]


def _arrays(model: keras.Model) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(variable) for variable in _variables(model)]


def _assign(model: keras.Model, path: Path) -> None:
    """Assign the arrays of a checkpoint; all are read before the first is assigned."""
    variables = _variables(model)
    arrays = read_arrays(path, [tuple(variable.shape) for variable in variables])
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array.astype(variable.dtype, copy=False))
