"""Gaussian mixture of the training images' latent codes: a source of samples that needs no prior.

The prior of a variational model is not the distribution of its latent codes: the aggregate posterior is (Makhzani et
al.: Adversarial autoencoders, 2015; Tomczak, Welling: VAE with a VampPrior, 2018). A mixture fitted to the latent codes
of an autoencoder makes it a generator after the fact (Ghosh et al.: From variational to deterministic autoencoders,
ICLR 2020).

The number of components and their covariance are chosen by the mean log-likelihood of the validation images' latent
codes (of a tenth of the training images', if too few are held out): the smallest mixture within one standard error of
the best is taken. Unlike the BIC (Schwarz 1978) that rests on no large-sample argument, which fails if parameters are
nearly as many as images. There are too many dimensions for so few images: the mixture is fitted in the first principal
components, as many as hold 99% of the variance, at most 64 or a tenth of the number of images; along each of the others
samples come from a normal distribution of its own variance.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Latents, PerImage
from engine.errors import DataError
from engine.job_context import UNATTENDED, JobContext
from engine.latent import embedding
from engine.latent.embedding import PCA

COUNTS: Final = (1, 2, 4, 8, 16)
COVARIANCES: Final = ("full", "diag")
VARIANCE: Final = 0.99
MOST_AXES: Final = 64
HELD_OUT: Final = 10
FEWEST: Final = 20
MIN_VARIANCE: Final = 1e-6

HeldOut = Annotated[NDArray[np.float32], "m latent"]
Coordinates = Annotated[NDArray[np.float64], "n axes"]


@dataclass(frozen=True, eq=False)
class MixtureCandidate:
    """A fitted mixture, and the log-likelihood of each held-out image in it, (m,) nats."""

    components: int
    covariance: str
    fitted: Any
    nats: PerImage

    def to_dict(self) -> dict[str, Any]:
        """Convert the candidate to JSON types."""
        facts = {"components": self.components, "covariance": self.covariance}
        return {**facts, "held_out_nats": float(self.nats.mean())}


@dataclass(frozen=True, eq=False)
class Mixture:
    """A Gaussian mixture in the first principal components of some latent codes, and one Gaussian in the others.

    Args:
        fitted: scikit-learn's GaussianMixture, of coordinates in units of their standard deviation.
        found: all principal components.
        scale: standard deviation along each of them.
        tried: [{components, covariance, held_out_nats}], nats per image.
    """

    fitted: Any
    found: PCA
    scale: NDArray[np.float64]
    tried: tuple[dict[str, Any], ...]

    @property
    def axes(self) -> int:
        """Return the number of principal components in the mixture."""
        return int(self.fitted.means_.shape[1])

    def sample(self, count: int, seed: int) -> Latents:
        """Draw latent codes: (count, k) float32. Equal seeds give equal ones."""
        rng = np.random.default_rng(seed)
        weights, means = self.fitted.weights_, self.fitted.means_
        which = rng.choice(len(weights), count, p=weights / weights.sum())
        drawn = rng.standard_normal((count, len(self.scale)))
        first = [
            means[one] + self._cholesky_factor(one) @ each[: self.axes] for one, each in zip(which, drawn, strict=True)
        ]
        drawn[:, : self.axes] = first
        return np.asarray((drawn * self.scale) @ self.found.axes + self.found.mean, np.float32)

    def _cholesky_factor(self, number: int) -> NDArray[np.float64]:
        covariance = self.fitted.covariances_[number]
        return np.asarray(np.linalg.cholesky(covariance) if covariance.ndim == 2 else np.diag(np.sqrt(covariance)))

    def to_dict(self) -> dict[str, Any]:
        """Convert the mixture to JSON types."""
        best = {"components": len(self.fitted.weights_), "covariance": self.fitted.covariance_type}
        facts = {"axes": self.axes, "variance_share": float(self.found.shares[: self.axes].sum())}
        return {**best, **facts, "tried": list(self.tried)}


def fit(latents: Latents, held_out: HeldOut, seed: int = 0, context: JobContext = UNATTENDED) -> Mixture:
    """Fit mixtures to latent codes and choose the one with the best held-out likelihood.

    Args:
        latents: (n, k) of training images.
        held_out: (m, k) of validation images; if they are fewer than 20, a tenth of `latents` is held out.
        seed: seed of the split and of the fits.
        context: checked between fits.

    Returns:
        The mixture.

    Raises:
        DataError: there are too few images.
        Cancelled: the caller asked to stop.
    """
    if len(latents) < FEWEST:
        raise DataError(f"{len(latents)} images are too few to fit a mixture.", f"At least {FEWEST} are needed.")
    if len(held_out) < FEWEST:
        order = np.random.default_rng(seed).permutation(len(latents))
        held_out, latents = latents[order[: len(order) // HELD_OUT]], latents[order[len(order) // HELD_OUT :]]
    found = embedding.components(latents, latents.shape[1])
    along, judged = (found.project(each).astype(np.float64) for each in (latents, held_out))
    scale = along.std(axis=0)
    axes = _axes(found, len(latents))
    points, judged = (each[:, :axes] / np.maximum(scale[:axes], 1e-12) for each in (along, judged))
    tried: list[MixtureCandidate] = []
    for count, covariance in _candidates(points):
        context.check()
        fitted = _fitted(points, count, covariance, seed)
        tried.append(MixtureCandidate(count, covariance, fitted, fitted.score_samples(judged)))
    best = _chosen(tried, axes)
    return Mixture(best.fitted, found, scale, tuple(each.to_dict() for each in tried))


def _chosen(tried: Sequence[MixtureCandidate], axes: int) -> MixtureCandidate:
    """Return the smallest mixture within one standard error, over held-out images, of the best likelihood."""
    best = max(tried, key=lambda each: float(each.nats.mean()))
    for each in sorted(tried, key=lambda each: _parameters(each.components, each.covariance, axes)):
        behind = best.nats - each.nats
        if behind.mean() <= behind.std() / np.sqrt(len(behind)):
            return each
    return best


def _axes(found: PCA, count: int) -> int:
    """Return the number of principal components in the mixture."""
    enough = int(np.searchsorted(np.cumsum(found.shares), VARIANCE)) + 1
    return min(enough, MOST_AXES, max(1, count // 10), len(found.axes))


def _candidates(points: Coordinates) -> list[tuple[int, str]]:
    """Return the mixtures to fit: at most half as many parameters as values in the data; at least one diagonal one."""
    count, axes = points.shape
    every = [(components, covariance) for covariance in COVARIANCES for components in COUNTS if components < count]
    few = [each for each in every if _parameters(*each, axes) <= count * axes / 2]
    return few or [(1, "diag")]


def _fitted(points: Coordinates, count: int, covariance: str, seed: int) -> Any:
    from sklearn.mixture import GaussianMixture

    with warnings.catch_warnings():
        # A fit that has not converged is judged by its held-out likelihood like any other.
        warnings.simplefilter("ignore")
        return GaussianMixture(count, covariance_type=covariance, reg_covar=MIN_VARIANCE, random_state=seed).fit(points)


def _parameters(count: int, covariance: str, axes: int) -> int:
    """Count the parameters of a mixture."""
    return count * (1 + axes + (axes * (axes + 1) // 2 if covariance == "full" else axes))
