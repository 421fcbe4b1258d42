"""The sources of compared images: runs, and the PCA baselines of their latent sizes."""

from dataclasses import dataclass

from gui.run_record import RunRecord

BASELINE = "pca:"
MEAN = f"{BASELINE}0"


@dataclass(frozen=True)
class ImageSource:
    """One row of images: the explorer's key of its source, its name, and the epoch of a run's best model."""

    ref: str
    name: str
    epoch: int = 0


def from_run(record: RunRecord) -> ImageSource:
    """Return the source of a run, keyed by its path, with its best model."""
    return ImageSource(str(record.run.path), record.name, record.best.epoch if record.best else 0)


def from_reference(ref: str) -> ImageSource:
    """Return the source of a PCA baseline, or of the mean image, a PCA without components."""
    return ImageSource(ref, "mean image" if ref == MEAN else f"PCA-{ref.removeprefix(BASELINE)}")


def is_baseline(ref: str) -> bool:
    return ref.startswith(BASELINE)


def baseline_of(record: RunRecord) -> str | None:
    """Return the PCA baseline of a run's latent size. Returns None if its model has none."""
    size = record.config.model.latent_size if record.config else None
    return f"{BASELINE}{size}" if size else None
