"""Latent dimensions in order of their information, and which of them are inactive.

A variational model ignores a latent dimension that is not worth its nats: posterior collapse (Bowman et al.: Generating
sentences from a continuous space, 2016). Such a dimension has less than 0.01 nats of KL, averaged over images
(`engine.metrics.active_units`; Burda, Grosse, Salakhutdinov: Importance weighted autoencoders, 2016, count by the
variance of the means instead). A dimension of an autoencoder is inactive if it is the same for every image.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine import metrics
from engine.latent.space import Codes

# Variance as a share of the largest: a thousandth of its standard deviation.
COLLAPSED_NATS: Final = 1e-6


@dataclass(frozen=True, eq=False)
class DimensionStatistics:
    """Statistics of every latent dimension over some images.

    Args:
        order: (k,) the dimensions, the most informative first.
        values: (k,) sort key, in the order of the latent code: KL in nats, or variance.
        measure: 'KL, nats' or 'variance'.
        active: bool (k,), which of them are active.
        mean, spread: (k,) mean and SD over the images.
        low, high: (k,) 1st and 99th percentile over the images.
    """

    order: NDArray[np.int64]
    values: NDArray[np.float64]
    measure: str
    active: NDArray[np.bool_]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def count_for_half(self) -> int:
        """Return the number of dimensions, in order, that hold half of the sum of the values."""
        sums = np.cumsum(self.values[self.order])
        return int(np.searchsorted(sums, sums[-1] / 2)) + 1

    def sentence(self) -> str | None:
        """Describe a collapse. Returns None if every dimension is active."""
        count, unused = len(self.active), int((~self.active).sum())
        if not unused:
            return None
        verb = "is" if unused == 1 else "are"
        if self.measure == "variance":
            return f"{unused} of {count} latent dimensions {verb} inactive (constant over all images)."
        if unused == count:
            return (
                f"Posterior collapse: no latent dimension of {count} carries more than {metrics.ACTIVE_NATS:g} "
                "nats of KL, so every reconstruction is the same. Lower β (--beta) or use KL warm-up (--kl-warm-up)."
            )
        return (
            f"Partial posterior collapse: {unused} of {count} latent dimensions ({100 * unused / count:.0f}%) {verb} "
            f"inactive (below {metrics.ACTIVE_NATS:g} nats of KL each, so they carry no information about the "
            f"image); {count - unused} are active."
        )


def dimension_statistics(codes: Codes) -> DimensionStatistics:
    """Order the latent dimensions over some images (at least one), by KL if there is a posterior, else by variance."""
    means = codes.means.astype(np.float64)
    variance = means.var(axis=0)
    if codes.log_vars is None:
        values, measure, active = variance, "variance", variance > COLLAPSED_NATS * variance.max()
    else:
        values, measure = metrics.divergences_nats(codes.means, codes.log_vars).mean(axis=0), "KL, nats"
        active = values > metrics.ACTIVE_NATS
    low, high = np.percentile(means, [1, 99], axis=0)
    order = np.argsort(-values, kind="stable")
    return DimensionStatistics(order, values, measure, active, means.mean(axis=0), np.sqrt(variance), low, high)
