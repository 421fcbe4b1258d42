"""What can be compared: runs, and the linear map with as many numbers that a run has to beat."""

from dataclasses import dataclass

from gui.run_record import RunRecord

YARDSTICK = "pca:"
MEAN = f"{YARDSTICK}0"


@dataclass(frozen=True)
class ImageSource:
    """One row of pictures: what the explorer knows their maker by, its name, and which model of a run it is."""

    ref: str
    name: str
    epoch: int = 0


def from_run(record: RunRecord) -> ImageSource:
    """A run, by its path, with its best model."""
    return ImageSource(str(record.run.path), record.name, record.best.epoch if record.best else 0)


def from_reference(ref: str) -> ImageSource:
    """A linear map, or the mean image, which is one of no components."""
    return ImageSource(ref, "mean image" if ref == MEAN else f"PCA-{ref.removeprefix(YARDSTICK)}")


def is_yardstick(ref: str) -> bool:
    return ref.startswith(YARDSTICK)


def yardstick_of(record: RunRecord) -> str | None:
    """Return the linear map with as many numbers as a run's latent; None for a model without one."""
    size = record.config.model.latent_size if record.config else None
    return f"{YARDSTICK}{size}" if size else None
