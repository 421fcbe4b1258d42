"""Latents laid out in a plane: by principal components, t-SNE, or UMAP where it is installed.

Jolliffe: Principal Component Analysis, 2nd ed. (2002). van der Maaten, Hinton: Visualizing data using t-SNE. JMLR 9
(2008), here on 50 principal components, as they do. McInnes, Healy, Melville: UMAP. arXiv:1802.03426 (2018). Distances
between groups in the two last ones mean nothing, and neither does a group's size (Wattenberg, Viégas, Johnson: How to
use t-SNE effectively. Distill (2016)).
"""

import importlib
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.errors import ConfigError

BEFORE_TSNE: Final = 50
PERPLEXITY: Final = 30.0
MOST_POINTS: Final = 20_000
INSTALL_UMAP: Final = "pip install -e '.[umap]' -c constraints.txt"
METHODS: Final = ("pca", "tsne", "umap")
Points = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of some points.

    Args:
        mean: (k,).
        axes: (count, k), orthonormal rows, largest variance first, each with its largest entry positive.
        shares: (count,) share of the points' variance along each.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    shares: NDArray[np.float64]

    def along(self, points: Points) -> Points:
        """Coordinates along the axes: (n, k) -> (n, count)."""
        return np.asarray((points - self.mean) @ self.axes.T, np.float32)


@dataclass(frozen=True, eq=False)
class Map:
    """Points in a plane, (n, 2) float32, the titles of its axes, and a sentence on how to read it."""

    points: Points
    axes: tuple[str, str]
    note: str


def components(points: Points, count: int) -> Components:
    """The first principal components of points (n, k); fewer where there are fewer points or coordinates."""
    mean: NDArray[np.float64] = points.astype(np.float64).mean(axis=0)
    centred = points - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / max(1, len(points)))
    values, axes = np.maximum(values[::-1], 0.0), vectors[:, ::-1].T[:count]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    axes = axes * np.where(largest < 0, -1.0, 1.0)
    total = values.sum()
    return Components(mean, axes, values[: len(axes)] / total if total > 0 else np.zeros(len(axes)))


def methods() -> dict[str, str]:
    """Every method, and why it is not at hand; '' where it is."""
    missing = "" if find_spec("umap") else f"umap-learn is not installed. Install it: {INSTALL_UMAP}"
    return {"pca": "", "tsne": "", "umap": missing}


def lay_out(points: Points, fitted_on: NDArray[np.bool_], method: str, seed: int) -> Map:
    """Lay points out in a plane.

    Args:
        points: (n, k) float32.
        fitted_on: bool (n,), the points whose principal components are taken (training scans); all where there are
            fewer than three.
        method: one of `METHODS`.
        seed: of t-SNE and UMAP.

    Returns:
        The map. Equal arguments give equal maps on one machine.

    Raises:
        ConfigError: the method is not installed, or there are too many points for it.
    """
    if reason := methods()[method]:
        raise ConfigError(reason.split(". ")[0] + ".", reason.split(". ", 1)[1])
    known = points[fitted_on] if fitted_on.sum() >= 3 else points
    found = components(known, 2 if method == "pca" else BEFORE_TSNE)
    along = found.along(points)
    if method == "pca":
        return _of_components(along, found)
    if len(points) > MOST_POINTS:
        advice = "Map fewer splits, or by principal components."
        raise ConfigError(f"{len(points):,} scans are too many for this map ({MOST_POINTS:,} at most).", advice)
    laid = _tsne(along, seed) if method == "tsne" else _umap(along, seed)
    kept = f"of the first {len(found.axes)} principal components ({found.shares.sum():.0%} of the variance)"
    title = {"tsne": "t-SNE", "umap": "UMAP"}[method]
    note = f"{title} {kept}, seed {seed}. Neighbourhoods mean something; distances between groups and sizes do not."
    return Map(laid, (f"{title} 1", f"{title} 2"), note)


def _of_components(along: Points, found: Components) -> Map:
    points = np.zeros((len(along), 2), np.float32)
    points[:, : along.shape[1]] = along
    shares = [*found.shares, 0.0, 0.0]
    axes = tuple(f"component {number + 1} ({shares[number]:.1%} of the variance)" for number in range(2))
    note = f"The plane holds {shares[0] + shares[1]:.1%} of the variance; what is near in it may lie far apart."
    return Map(points, (axes[0], axes[1]), note)


def _tsne(points: Points, seed: int) -> Points:
    if len(points) < 4:
        return _spread(points)
    tsne = importlib.import_module("sklearn.manifold").TSNE
    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    found = tsne(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(points)
    return np.asarray(found, np.float32)


def _umap(points: Points, seed: int) -> Points:
    if len(points) < 4:
        return _spread(points)
    umap = importlib.import_module("umap").UMAP
    found = umap(n_components=2, n_neighbors=min(15, len(points) - 1), random_state=seed, n_jobs=1)
    return np.asarray(found.fit_transform(points), np.float32)


def _spread(points: Points) -> Points:
    """A handful of points has no neighbourhoods to keep: their first two components."""
    laid = np.zeros((len(points), 2), np.float32)
    laid[:, : min(2, points.shape[1])] = points[:, :2]
    return laid
