"""Quantities that the plots of runs show: their curves, levels and places on an axis."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.config import MODELS
from gui.formatting import format_number
from gui.run_record import RunRecord
from gui.widgets.labels import elide_middle

VALIDATION = "val_"
MERGE_TOLERANCE = 0.02
MOST_LETTERS = 20
AHEAD, LEAST_REACH = 3, 10


@dataclass(frozen=True)
class PlotSpec:
    """One plot: its name, and the title of its axis."""

    name: str
    title: str


SQUARED = PlotSpec("mse", "MSE")
TOTAL = PlotSpec("loss", "loss (nats per image)")
RECONSTRUCTION = PlotSpec("reconstruction", "reconstruction term (nats per image)")
DIVERGENCE = PlotSpec("kl", "KL divergence (nats per image)")
QUANTITIES = (SQUARED, TOTAL, RECONSTRUCTION, DIVERGENCE)
LEARNING_RATE = PlotSpec("learning_rate", "learning rate")
SPEED = PlotSpec("images_per_s", "images per second")
MEMORY = PlotSpec("memory_mb", "peak memory (MB)")
MACHINE = (LEARNING_RATE, SPEED, MEMORY)


def loss_unit(record: RunRecord) -> str:
    """Return the unit of a run's loss, empty for a plain mean squared error."""
    return record.config.model.loss_unit if record.config else MODELS["ae"].loss_unit


def metric_of(record: RunRecord, quantity: PlotSpec) -> str:
    """Return the metric name of a quantity in a run's record; a plain loss is the squared error."""
    return "loss" if quantity is SQUARED and not loss_unit(record) else quantity.name


def curves(record: RunRecord, quantity: PlotSpec) -> dict[str, tuple[list[int], list[float]]]:
    """Return the run's curves of a quantity, 'training' and 'validation', as far as they exist.

    A quantity of the machine has one curve without a name.
    """
    if quantity is TOTAL and not loss_unit(record):
        return {}
    if quantity in MACHINE:
        values = record.curve(quantity.name)
        return {"": values} if values[0] else {}
    metric = metric_of(record, quantity)
    found = {"training": record.curve(metric), "validation": record.curve(VALIDATION + metric)}
    return {name: curve for name, curve in found.items() if curve[0]}


def entropy_floors(records: Sequence[RunRecord], quantity: PlotSpec) -> dict[str, tuple[float, str]]:
    """Return the entropy floors: name -> nats and their text; runs on the same images share theirs.

    Only the loss and the reconstruction have one, and only if the record of a run holds it. The floors of training and
    validation become one line if they would coincide. If the runs have different floors, each names a run.
    """
    found: dict[str, tuple[float, str]] = {}
    pairs: dict[tuple[float, float], str] = {}
    for record in records if quantity in (TOTAL, RECONSTRUCTION) else ():
        started = record.started
        if started is not None and started.train_floor_nats is not None and started.validation_floor_nats is not None:
            pairs.setdefault((started.train_floor_nats, started.validation_floor_nats), record.name)
    for (train, validation), run in pairs.items():
        floors = {"training entropy floor": train, "validation entropy floor": validation}
        if abs(train - validation) < MERGE_TOLERANCE * validation:
            floors = {"entropy floor": validation}
        owner = f"{elide_middle(run, MOST_LETTERS)}: " if len(pairs) > 1 else ""
        for name, floor in floors.items():
            found[f"{name} {floor:.6g}"] = floor, f"{owner}{name} {format_number(floor)}"
    return found


def plots_for(records: Sequence[RunRecord]) -> list[PlotSpec]:
    """Return the quantities to plot: the squared error of a VAE only next to a run trained on it."""
    units = {loss_unit(record) for record in records}
    wanted = [SQUARED] if "" in units or not units else []
    others = [quantity for quantity in QUANTITIES[1:] if any(curves(record, quantity) for record in records)]
    if units - {""} and not others:
        others = [TOTAL]
    return wanted + others


def x_limit(record: RunRecord) -> int:
    """Return the last epoch of a run's axis: its target, or a nearer epoch while the target is far away."""
    return min(record.target_epochs, max(AHEAD * record.last_epoch, LEAST_REACH))
