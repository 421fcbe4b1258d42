"""Embedding of latent codes in two dimensions: by principal components, t-SNE, or UMAP if it is installed.

Jolliffe: Principal Component Analysis, 2nd ed. (2002). van der Maaten, Hinton: Visualizing data using t-SNE. JMLR 9
(2008), here on 50 principal components, as they do. McInnes, Healy, Melville: UMAP. arXiv:1802.03426 (2018). Distances
between groups in the last two mean nothing, and neither does a group's size (Wattenberg, Viégas, Johnson: How to use
t-SNE effectively. Distill (2016)).
"""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Places, Points
from engine.child_process import module_command, start_process
from engine.errors import ConfigError, EngramError
from engine.job_context import UNATTENDED, JobContext, Steps, run_steps
from engine.pca import fit_in_memory

# Longest delay of a request to stop.
TIMEOUT_S: Final = 0.05
PROGRAM: Final = "engine.latent.embedding_child"
INSTEAD: Final = "Use PCA for the map."


class EmbeddingProcess:
    """Process of an embedding; canceled by `close` or garbage collection, and ends with this process.

    Args:
        points: (n, k) float32, n at least 4.
        method: 'tsne' or 'umap'.
        seed: seed of the method.
    """

    def __init__(self, points: Points, method: str, seed: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="engram-map-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        source, self._target, self._words = folder / "points.npy", folder / "laid.npy", folder / "words.txt"
        np.save(source, points)
        with self._words.open("wb") as words:
            self._process = start_process(
                module_command(PROGRAM, method, str(seed), str(source), str(self._target), ignore_warnings=True),
                stdin=subprocess.PIPE,
                stdout=words,
                stderr=words,
            )

    def wait(self) -> Places | None:
        """Wait a moment for the points, (n, 2) float32. Returns None if the process has not finished yet.

        Raises:
            EngramError: the process failed.
        """
        try:
            self._process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return None
        try:
            laid: Places = np.load(self._target, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            raise EngramError(f"The map could not be computed: {self._last_stderr_line()}", INSTEAD) from None
        finally:
            self.close()
        return laid

    def close(self) -> None:
        """Kill the process if it still runs, and delete its files."""
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def _last_stderr_line(self) -> str:
        said = self._words.read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [line for line in said if re.match(r"\w+(Error|Exception)\b", line)]
        return errors[-1] if errors else f"its process ended with status {self._process.returncode}."


BEFORE_TSNE: Final = 50
# Fewer points have no neighborhoods to preserve.
MIN_POINTS: Final = 4
MOST_POINTS: Final = 20_000
INSTALL_UMAP: Final = 'pip install -e ".[umap]" -c constraints.txt'
METHODS: Final = ("pca", "tsne", "umap")
TITLES: Final = {"tsne": "t-SNE", "umap": "UMAP"}

Chosen = Annotated[NDArray[np.bool_], "n"]


@dataclass(frozen=True, eq=False)
class PCA:
    """Principal components of some points.

    Args:
        mean: (k,).
        axes: (count, k), orthonormal rows, largest variance first, each with its largest entry positive; zero beyond
            as many as there are points.
        shares: (count,) share of the points' variance along each.
    """

    mean: Annotated[NDArray[np.float64], "dimension"]
    axes: Annotated[NDArray[np.float64], "axes dimension"]
    shares: Annotated[NDArray[np.float64], "axes"]

    def project(self, points: Points) -> Annotated[NDArray[np.float32], "n axes"]:
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

    points: Places
    axes: tuple[str, str]
    note: str
    components: PCA | None = None

    def transform(self, points: Points) -> Places | None:
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


def compute_embedding(
    points: Points,
    fitted_on: Chosen,
    method: str,
    seed: int,
    context: JobContext = UNATTENDED,
) -> Embedding:
    """Embed points in two dimensions; reproducible on one machine.

    Args:
        points: (n, k) float32.
        fitted_on: bool (n,), the points to fit the principal components to (training images); all if there are fewer
            than three.
        method: one of `METHODS`.
        seed: seed of t-SNE and UMAP.
        context: checked while t-SNE or UMAP runs.

    Raises:
        ConfigError: the method is not installed, or there are too many points for it.
        EngramError: its process failed.
        Cancelled: the caller asked to stop.

    Example:
        >>> points = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
        >>> embedding = compute_embedding(points, np.ones(20, bool), "pca", seed=0)
        >>> embedding.points.shape
        (20, 2)
    """
    return run_steps(compute_embedding_in_steps(points, fitted_on, method, seed), context)


def compute_embedding_in_steps(points: Points, fitted_on: Chosen, method: str, seed: int) -> Steps[Embedding]:
    """Compute what `compute_embedding` returns, with its arguments.

    t-SNE and UMAP run in a process of their own, also between the steps; it is canceled when the generator is closed.
    """
    _check_method(method, len(points))
    known = points[fitted_on] if fitted_on.sum() >= 3 else points
    found = components(known, 2 if method == "pca" else BEFORE_TSNE)
    along = found.project(points)
    if method == "pca":
        return _of_components(along, found)
    if len(along) >= MIN_POINTS:
        along = yield from _run_process(along, method, seed)
    kept = f"of the first {len(found.axes)} principal components ({100 * found.shares.sum():.0f}% of the variance)"
    title = TITLES[method]
    meaning = "Neighborhoods are meaningful; distances between groups and group sizes are not."
    return Embedding(_spread(along), (f"{title} 1", f"{title} 2"), f"{title} {kept}, seed {seed}. {meaning}")


def _check_method(method: str, count: int) -> None:
    """Raise ConfigError if a method is not installed, or there are too many points for it."""
    if reason := methods()[method]:
        raise ConfigError(reason.split(". ")[0] + ".", reason.split(". ", 1)[1])
    if method != "pca" and count > MOST_POINTS:
        advice = "Map fewer splits, or use PCA."
        raise ConfigError(f"{count:,} images are too many for this map (maximum {MOST_POINTS:,}).", advice)


def _run_process(points: Points, method: str, seed: int) -> Steps[Places]:
    """Embed points (n, k) in a process of their own: (n, 2)."""
    process = EmbeddingProcess(points, method, seed)
    try:
        while (laid := process.wait()) is None:
            yield None
        return laid
    finally:
        process.close()


def _of_components(along: Points, found: PCA) -> Embedding:
    shares = [*found.shares, 0.0, 0.0]
    axes = tuple(f"component {number + 1} ({100 * shares[number]:.1f}% of the variance)" for number in range(2))
    note = (
        f"These two components explain {100 * (shares[0] + shares[1]):.1f}% of the variance; points that look "
        "close here may be far apart in the full latent space."
    )
    return Embedding(_spread(along), (axes[0], axes[1]), note, found)


def _spread(points: Points) -> Places:
    """Return the first two coordinates, with zeros if there are fewer."""
    laid = np.zeros((len(points), 2), np.float32)
    laid[:, : min(2, points.shape[1])] = points[:, :2]
    return laid
