"""Embedding of latent codes in two dimensions: by principal components, t-SNE, or UMAP if it is installed.

Jolliffe: Principal Component Analysis, 2nd ed. (2002). van der Maaten, Hinton: Visualizing data using t-SNE. JMLR 9
(2008), here on 50 principal components, as they do. McInnes, Healy, Melville: UMAP. arXiv:1802.03426 (2018). Distances
between groups in the last two mean nothing, and neither does a group's size (Wattenberg, Viégas, Johnson: How to use
t-SNE effectively. Distill (2016)).
"""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.errors import ConfigError
from engine.latent.embedding_process import EmbeddingProcess
from engine.messages import ShouldStop, never_stop
from engine.pca import fit_in_memory

BEFORE_TSNE: Final = 50
# Fewer points have no neighborhoods to preserve.
MIN_POINTS: Final = 4
MOST_POINTS: Final = 20_000
INSTALL_UMAP: Final = 'pip install -e ".[umap]" -c constraints.txt'
METHODS: Final = ("pca", "tsne", "umap")
TITLES: Final = {"tsne": "t-SNE", "umap": "UMAP"}
Points = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class PCA:
    """Principal components of some points.

    Args:
        mean: (k,).
        axes: (count, k), orthonormal rows, largest variance first, each with its largest entry positive; zero beyond
            as many as there are points.
        shares: (count,) share of the points' variance along each.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    shares: NDArray[np.float64]

    def project(self, points: Points) -> Points:
        """Compute coordinates along the axes: (n, k) -> (n, count)."""
        return np.asarray((points - self.mean) @ self.axes.T, np.float32)


@dataclass(frozen=True, eq=False)
class Embedding:
    """Points of an embedding.

    Args:
        points: (n, 2) float32.
        axes: titles of the axes.
        note: a sentence on its interpretation.
        components: the components of the axes; None if other points cannot be embedded.
    """

    points: Points
    axes: tuple[str, str]
    note: str
    components: PCA | None = None

    def transform(self, points: Points) -> Points | None:
        """Embed other points (m, k) in the same map: (m, 2). Returns None if the method cannot."""
        return None if self.components is None else _spread(self.components.project(points))


def components(points: Points, count: int) -> PCA:
    """Fit the first principal components of points (n, k): `count` of them, or k if there are fewer."""
    mean: NDArray[np.float64] = points.astype(np.float64).mean(axis=0)
    centered = points - mean
    rank = min(count, *points.shape)
    axes, shares = np.zeros((min(count, points.shape[1]), points.shape[1])), np.zeros(min(count, points.shape[1]))
    if centered.any():
        fitted = fit_in_memory(centered, rank)
        axes[:rank], shares[:rank] = fitted.components_, fitted.explained_variance_ratio_
    return PCA(mean, axes, shares)


def methods() -> dict[str, str]:
    """Return every method with the reason why it is unavailable; '' if it is available."""
    missing = "" if find_spec("umap") else f"umap-learn is not installed. Install it: {INSTALL_UMAP}"
    return {"pca": "", "tsne": "", "umap": missing}


class EmbeddingJob:
    """Computation of an embedding. t-SNE and UMAP run in a process of their own.

    Args:
        points: (n, k) float32.
        fitted_on: bool (n,), the points to fit the principal components to (training images); all if there are fewer
            than three.
        method: one of `METHODS`.
        seed: seed of t-SNE and UMAP.

    Raises:
        ConfigError: the method is not installed, or there are too many points for it.
    """

    def __init__(self, points: Points, fitted_on: NDArray[np.bool_], method: str, seed: int) -> None:
        if reason := methods()[method]:
            raise ConfigError(reason.split(". ")[0] + ".", reason.split(". ", 1)[1])
        if method != "pca" and len(points) > MOST_POINTS:
            advice = "Map fewer splits, or use PCA."
            raise ConfigError(f"{len(points):,} images are too many for this map (maximum {MOST_POINTS:,}).", advice)
        known = points[fitted_on] if fitted_on.sum() >= 3 else points
        self.components = components(known, 2 if method == "pca" else BEFORE_TSNE)
        self.method, self.seed = method, seed
        self._along = self.components.project(points)
        self._process: EmbeddingProcess | None = None

    def go_on(self, should_stop: ShouldStop = never_stop) -> Embedding | None:
        """Return the embedding. Returns None if stopped, while the process continues until the next call.

        Raises:
            EngramError: the process failed.
        """
        if self.method == "pca" or len(self._along) < MIN_POINTS:
            return self._finished(self._along)
        if self._process is None:
            self._process = EmbeddingProcess(self._along, self.method, self.seed)
        laid = self._process.wait(should_stop)
        return None if laid is None else self._finished(laid)

    def close(self) -> None:
        """Cancel the process, if there is one."""
        if self._process is not None:
            self._process.close()

    def _finished(self, laid: Points) -> Embedding:
        found = self.components
        if self.method == "pca":
            return _of_components(laid, found)
        kept = f"of the first {len(found.axes)} principal components ({100 * found.shares.sum():.0f}% of the variance)"
        title = TITLES[self.method]
        meaning = "Neighborhoods are meaningful; distances between groups and group sizes are not."
        note = f"{title} {kept}, seed {self.seed}. {meaning}"
        return Embedding(_spread(laid), (f"{title} 1", f"{title} 2"), note)


def compute_embedding(points: Points, fitted_on: NDArray[np.bool_], method: str, seed: int) -> Embedding:
    """Embed points in two dimensions: arguments and errors of `EmbeddingJob`; reproducible on one machine."""
    laid = EmbeddingJob(points, fitted_on, method, seed).go_on()
    assert laid is not None
    return laid


def _of_components(along: Points, found: PCA) -> Embedding:
    shares = [*found.shares, 0.0, 0.0]
    axes = tuple(f"component {number + 1} ({100 * shares[number]:.1f}% of the variance)" for number in range(2))
    note = (
        f"These two components explain {100 * (shares[0] + shares[1]):.1f}% of the variance; points that look "
        "close here may be far apart in the full latent space."
    )
    return Embedding(_spread(along), (axes[0], axes[1]), note, found)


def _spread(points: Points) -> Points:
    """Return the first two coordinates, with zeros if there are fewer."""
    laid = np.zeros((len(points), 2), np.float32)
    laid[:, : min(2, points.shape[1])] = points[:, :2]
    return laid
