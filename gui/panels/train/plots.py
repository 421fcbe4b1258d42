"""Plots of the metrics: quantities of one unit share axes, others never do."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.config import MODELS
from gui.formatting import format_number
from gui.run_record import RunRecord

VALIDATION = "val_"
MERGE_TOLERANCE = 0.02


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


def loss_unit(record: RunRecord) -> str:
    """Return the unit of a run's loss, empty for a plain mean squared error."""
    return record.config.model.loss_unit if record.config else MODELS["ae"].loss_unit


def metric_of(record: RunRecord, quantity: PlotSpec) -> str:
    """Return the metric name of a quantity in a run's record; a plain loss is the squared error."""
    return "loss" if quantity is SQUARED and not loss_unit(record) else quantity.name


def curves(record: RunRecord, quantity: PlotSpec) -> dict[str, tuple[list[int], list[float]]]:
    """Return the run's curves of a quantity, 'training' and 'validation', as far as they exist."""
    if quantity is TOTAL and not loss_unit(record):
        return {}
    metric = metric_of(record, quantity)
    found = {"training": record.curve(metric), "validation": record.curve(VALIDATION + metric)}
    return {name: curve for name, curve in found.items() if curve[0]}


def entropy_floors(records: Sequence[RunRecord], quantity: PlotSpec) -> dict[str, tuple[float, str]]:
    """Return the entropy floors: name -> nats and their text; runs on the same images share theirs.

    Only the loss and the reconstruction have one, and only if the record of a run holds it. The floors of training and
    validation become one line if they would coincide.
    """
    found: dict[str, tuple[float, str]] = {}
    for started in (record.started for record in records if quantity in (TOTAL, RECONSTRUCTION)):
        if started is None or started.train_floor_nats is None or started.validation_floor_nats is None:
            continue
        train, validation = started.train_floor_nats, started.validation_floor_nats
        floors = {"training entropy floor": train, "validation entropy floor": validation}
        if abs(train - validation) < MERGE_TOLERANCE * validation:
            floors = {"entropy floor": validation}
        for name, floor in floors.items():
            found[f"{name} {floor:.6g}"] = floor, f"{name} {format_number(floor)}"
    return found


def plots_for(records: list[RunRecord]) -> list[PlotSpec]:
    """Return the quantities to plot: the squared error of a VAE only next to a run trained on it."""
    units = {loss_unit(record) for record in records}
    wanted = [SQUARED] if "" in units or not units else []
    others = [quantity for quantity in QUANTITIES[1:] if any(curves(record, quantity) for record in records)]
    if units - {""} and not others:
        others = [TOTAL]
    return wanted + others
