"""Which plot a metric belongs to: quantities of one unit share axes, others never do."""

from dataclasses import dataclass

from engine.config import MODELS
from gui.run_record import RunRecord

VALIDATION = "val_"


@dataclass(frozen=True)
class Quantity:
    """One plot: its name, and how its axis is called."""

    name: str
    title: str


SQUARED = Quantity("mse", "mean squared error per image")
TOTAL = Quantity("loss", "loss, nats per image")
RECONSTRUCTION = Quantity("reconstruction", "reconstruction, nats per image")
DIVERGENCE = Quantity("kl", "KL, nats per image")
QUANTITIES = (SQUARED, TOTAL, RECONSTRUCTION, DIVERGENCE)


def loss_unit(record: RunRecord) -> str:
    """Unit of a run's loss, empty when it is a plain mean squared error."""
    return record.config.model.loss_unit if record.config else MODELS["ae"].loss_unit


def metric_of(record: RunRecord, quantity: Quantity) -> str:
    """Return the name under which a run keeps a quantity; a plain loss is the squared error."""
    return "loss" if quantity is SQUARED and not loss_unit(record) else quantity.name


def curves(record: RunRecord, quantity: Quantity) -> dict[str, tuple[list[int], list[float]]]:
    """Return the run's curves of a quantity, 'train' and 'validation', those it has."""
    if quantity is TOTAL and not loss_unit(record):
        return {}
    metric = metric_of(record, quantity)
    found = {"train": record.curve(metric), "validation": record.curve(VALIDATION + metric)}
    return {name: curve for name, curve in found.items() if curve[0]}


def needed(records: list[RunRecord]) -> list[Quantity]:
    """Return the quantities to plot: the squared error of a variational run only beside a run trained on it."""
    units = {loss_unit(record) for record in records}
    wanted = [SQUARED] if "" in units or not units else []
    others = [quantity for quantity in QUANTITIES[1:] if any(curves(record, quantity) for record in records)]
    if units - {""} and not others:
        others = [TOTAL]
    return wanted + others
