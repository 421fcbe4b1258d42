"""How unusual an image is for a run: a conformal test by its reconstruction error and the distance of its latent code.

Both are compared with those of the run's validation images, which the weights were not trained on. An image is flagged
if the larger of the two ranks is above that of 95% of them, so one in twenty images like these is flagged by chance, if
they are of other patients than the training images (split conformal testing: Bates, Candès, Lei, Romano, Sesia,
Testing for outliers with conformal p-values, Annals of Statistics 2023).
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray

from engine import data
from engine.arrays import Images, Latents
from engine.data import Split
from engine.data.patient_facts import is_known
from engine.errors import EngramError
from engine.formatting import format_fixed, format_source
from engine.job_context import UNATTENDED, JobContext
from engine.latent.latent_data import LatentData
from engine.latent.space import BATCH
from engine.protocols import EngramModel
from engine.runs import Run

# Share of the validation images that are flagged.
FALSE_ALARMS: Final = 0.05
# Below this, no image could be flagged.
MIN_IMAGES: Final = 20
# Weight of the diagonal in the covariance of the training codes, which are few for the dimensions.
SHRINKAGE: Final = 0.2
# An error that is taken for none.
TINY: Final = 1e-12
Values = Annotated[NDArray[np.float64], "n"]


@dataclass(frozen=True)
class DistributionNote:
    """Position of one image among the validation images of a run.

    Args:
        p_value: share of the validation images that are as unusual or more so, the image itself counted among them.
        flagged: whether that is at most `FALSE_ALARMS`.
        error_ratio: its mean squared error ÷ the median of the validation images.
        error_percentile, distance_percentile: share of the validation images with a smaller error, and with a latent
            code nearer to the training codes, %.
        images, patients: number of validation images, and of their patients (0 if unknown).
        source: where they are from.
    """

    p_value: float
    flagged: bool
    error_ratio: float
    error_percentile: float
    distance_percentile: float
    images: int
    patients: int
    source: str

    @property
    def sentence(self) -> str:
        """Return the note for people."""
        ratio = format_fixed(self.error_ratio, 1)
        share = f"{100 * self.p_value:.0f}%" if self.p_value >= 0.01 else "fewer than 1%"
        of = f" of {self.patients:,} patients" if self.patients else ""
        known = (
            f"Reconstruction error {ratio} times the median of {self.images:,} validation images{of} from "
            f"{self.source}; {share} of them are as unusual."
        )
        if not self.flagged:
            return known
        return f"Unlike the training images. {known} Do not rely on this reconstruction."

    def to_json(self) -> dict[str, Any]:
        """Return the numbers and the sentence."""
        return {**vars(self), "sentence": self.sentence}


class DistributionReference:
    """Validation images of a run, as the reference for other images.

    Args:
        latent: the run's latent space on its own dataset; codes and errors are cached with the run.
    """

    def __init__(self, latent: LatentData) -> None:
        self._space = latent.space
        self.patients = len(set(filter(is_known, latent.images.validation.groups)))
        self.source = format_source(latent.images.source)
        codes = np.asarray(latent.codes("train").means, np.float64)
        covariance = np.atleast_2d(np.cov(codes, rowvar=False))
        # A floor for dimensions that never vary.
        diagonal = np.diag(np.diag(covariance) + 1e-6 * np.trace(covariance) / len(covariance) + TINY)
        self._mean = codes.mean(axis=0)
        self._inverse = np.linalg.inv((1 - SHRINKAGE) * covariance + SHRINKAGE * diagonal)
        self.errors = np.sort(latent.errors("validation").astype(np.float64))
        own = latent.codes("validation").means
        self.distances = np.sort(self.measure_distances(own))
        self._scores = np.sort(self._score(latent.errors("validation"), self.measure_distances(own)))

    def measure_distances(self, codes: Latents) -> Values:
        """Return the squared Mahalanobis distances of codes (n, k) from the training codes."""
        away = np.asarray(codes, np.float64) - self._mean
        return np.einsum("ij,jk,ik->i", away, self._inverse, away)

    def measure(self, images: Images) -> tuple[Values, Values]:
        """Return the reconstruction errors (MSE) and the latent distances of images (n, size, size, 1)."""
        codes = self._space.encode(images)
        return self._space.errors(images, codes).astype(np.float64), self.measure_distances(codes.means)

    def p_values(self, errors: Any, distances: Values) -> Values:
        """Return the conformal p-value of each image."""
        above = len(self._scores) - np.searchsorted(self._scores, self._score(errors, distances), side="left")
        return (above + 1) / (len(self._scores) + 1)

    def judge(self, image: Images) -> DistributionNote:
        """Compare one image (1, size, size, 1) with the validation images."""
        errors, distances = self.measure(image)
        p_value = float(self.p_values(errors, distances)[0])
        return DistributionNote(
            p_value=p_value,
            flagged=p_value <= FALSE_ALARMS,
            error_ratio=float(errors[0]) / max(float(np.median(self.errors)), TINY),
            error_percentile=100 * float(_rank(self.errors, errors)[0]),
            distance_percentile=100 * float(_rank(self.distances, distances)[0]),
            images=len(self.errors),
            patients=self.patients,
            source=self.source,
        )

    def _score(self, errors: Any, distances: Values) -> Values:
        """Return the larger of the two ranks, and beyond all ranks the larger of the two excesses."""
        return np.maximum(_extend_rank(self.errors, errors), _extend_rank(self.distances, distances))


def _rank(known: NDArray[np.float64], values: Any) -> NDArray[np.float64]:
    return np.searchsorted(known, values, side="left") / len(known)


def _extend_rank(known: NDArray[np.float64], values: Any) -> NDArray[np.float64]:
    """Return the ranks, which continue above 1 for values above all that are known."""
    return _rank(known, values) + np.maximum(np.asarray(values, np.float64) / max(float(known[-1]), TINY) - 1, 0)


def is_calibrated_by_patient(latent: LatentData) -> bool:
    """Return whether all validation images are of known patients without training images, and are enough."""
    splits = latent.images.splits
    validation, train = splits["validation"].groups, set(splits["train"].groups)
    return len(validation) >= MIN_IMAGES and all(is_known(group) and group not in train for group in validation)


def load_reference(run: Run, model: EngramModel, context: JobContext = UNATTENDED) -> DistributionReference | None:
    """Return the reference of a run's own validation images; codes and errors are computed once.

    Args:
        run: the run.
        model: its loaded model.
        context: cancellation and progress.

    Returns:
        None if the run's dataset cannot be read, or if its validation images are not of other patients than its
        training images: the share of false alarms would not hold.

    Raises:
        Cancelled: the caller asked to stop.
    """
    if not run.provenance.get("data", {}).get("patients", {}).get("patients"):
        return None
    try:
        latent = LatentData(run, model, data.load(config=run.config.data, context=context), context)
    except EngramError:
        return None
    return DistributionReference(latent) if is_calibrated_by_patient(latent) else None


def count_flagged(
    reference: DistributionReference, split: Split, rows: NDArray[np.int64], context: JobContext = UNATTENDED
) -> dict[str, Any]:
    """Count the images of a split that are unlike the training images.

    Returns:
        {"n", "flagged", "share", "expected", "sentence"}.

    Raises:
        Cancelled: the caller asked to stop.
    """
    flagged = 0
    for first in range(0, len(rows), BATCH):
        context.check()
        p_values = reference.p_values(*reference.measure(split.read(rows[first : first + BATCH])))
        flagged += int(np.count_nonzero(p_values <= FALSE_ALARMS))
        context.report(min(first + BATCH, len(rows)), len(rows))
    share = flagged / max(1, len(rows))
    sentence = (
        f"{flagged:,} of {len(rows):,} images ({share:.1%}) are unlike the training images by reconstruction error or "
        f"latent distance; of images of new patients from the same source {FALSE_ALARMS:.0%} are expected."
    )
    return {"n": len(rows), "flagged": flagged, "share": share, "expected": FALSE_ALARMS, "sentence": sentence}
