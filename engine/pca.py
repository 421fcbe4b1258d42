"""Principal components: scikit-learn's where the rows fit in memory, subspace iteration where they do not.

Jolliffe: Principal Component Analysis, 2nd ed. (2002). Halko, Martinsson, Tropp: Finding structure with randomness:
probabilistic algorithms for constructing approximate matrix decompositions. SIAM Review 53 (2011), algorithm 4.4.

scikit-learn has no out-of-core PCA that converges to the exact components: `IncrementalPCA` drops what the first
components of each batch do not span, and it needs batches of at least as many rows as components. Subspace iteration
reads the rows a few times, in blocks of any size, and converges to the components of all rows.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
import scipy
from numpy.typing import NDArray

# More passes change the reconstruction by less than 0.01 dB.
PASSES: Final = 6
# Axes that are iterated along and dropped at the end, so that the last wanted ones converge.
SPARE: Final = 64
Floats = NDArray[np.float32]


def fit_in_memory(rows: NDArray[Any], count: int) -> Any:
    """Fit scikit-learn's PCA to rows, by the eigenvectors of their covariance.

    Args:
        rows: (n, k); float64 where the components of smallest variance matter.
        count: number of components, at most n and k.

    Returns:
        The fitted `sklearn.decomposition.PCA`. The largest entry of each component is positive.

    Example:
        >>> rows = np.random.default_rng(0).normal(size=(20, 5))
        >>> fit_in_memory(rows, 2).components_.shape
        (2, 5)
    """
    from sklearn.decomposition import PCA

    solver = PCA(count, svd_solver="covariance_eigh")
    # Rows that are all equal have no variance to divide by.
    with np.errstate(invalid="ignore", divide="ignore"):
        return solver.fit(rows)


def compute_axes(rows: Floats, count: int) -> Floats:
    """Compute the axes of largest variance of centered rows that fit in memory.

    With fewer rows than columns the axes come from the Gram matrix: kernel PCA with a linear kernel is PCA
    (Schölkopf, Smola, Müller: Nonlinear component analysis as a kernel eigenvalue problem. Neural Computation 10
    (1998)), and many times faster there than the singular value decomposition of `sklearn.decomposition.PCA`.

    Args:
        rows: (n, k) float32, centered.
        count: number of axes, less than n and at most k.

    Returns:
        (k, count) float32, orthonormal columns, largest variance first.
    """
    if len(rows) >= rows.shape[1]:
        return _orthonormal(fit_in_memory(rows, count).components_.T)
    from sklearn.decomposition import KernelPCA

    fitted = KernelPCA(count, kernel="linear", eigen_solver="dense", copy_X=False).fit(rows)
    return _orthonormal(rows.T @ fitted.eigenvectors_.astype(np.float32))


def iterate_subspace(
    read_blocks: Callable[[], Iterable[Floats]], shape: tuple[int, int], count: int, rng: np.random.Generator
) -> Floats:
    """Compute the axes of largest variance of centered rows that do not fit in memory, by subspace iteration.

    Args:
        read_blocks: reads all rows once, as blocks (m, k) float32, centered; may raise Cancelled.
        shape: (n, k) of all rows together.
        count: number of axes, at most n and k.
        rng: draws the start; equal ones give equal axes.

    Returns:
        (k, count) float32, orthonormal columns, largest variance first.
    """

    def multiply(axes: Floats) -> Floats:
        product = np.zeros_like(axes)
        for rows in read_blocks():
            product += rows.T @ (rows @ axes)
        return product

    return iterate(multiply, (shape[1], count), rng)[1]


def iterate_gram(rows: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Compute the axes of largest variance of centered rows that fit in memory, fewer than their columns.

    Subspace iteration on the Gram matrix, which is read once per pass where `iterate_subspace` reads all rows.

    Args:
        rows: (n, k) float32, centered.
        count: number of axes, at most n.
        rng: draws the start; equal ones give equal axes.

    Returns:
        (k, count) float32, orthonormal columns, largest variance first.
    """
    gram = rows @ rows.T
    return _orthonormal(rows.T @ iterate(gram.__matmul__, (len(rows), count), rng)[1])


def iterate(
    multiply: Callable[[Floats], Floats], shape: tuple[int, int], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Compute the largest eigenvalues of a symmetric matrix by subspace iteration.

    Args:
        multiply: multiplies the matrix by a block of vectors (n, m).
        shape: (n, count): size of the matrix, and number of eigenvalues.
        rng: draws the start.

    Returns:
        Eigenvalues (count,), largest first, and eigenvectors (n, count), float32.
    """
    axes = rng.standard_normal((shape[0], min(shape[1] + SPARE, shape[0])), np.float32)
    for _ in range(PASSES):
        last = _orthonormal(axes)
        axes = multiply(last)
    values, rotation = np.linalg.eigh((last.T @ axes).astype(np.float64))
    kept = np.argsort(-values)[: shape[1]]
    return values[kept].astype(np.float32), (last @ rotation[:, kept]).astype(np.float32)


def _orthonormal(columns: Floats) -> Floats:
    """Orthonormalize columns: by the Cholesky factor of their products, twice, or by reflections if they depend.

    Yamamoto, Nakatsukasa, Yanagisawa, Fukaya: Roundoff error analysis of the CholeskyQR2 algorithm. ETNA 44 (2015).
    """
    found = columns.astype(np.float64)
    try:
        for _ in range(2):
            factor = np.linalg.cholesky(found.T @ found)
            found = scipy.linalg.solve_triangular(factor, found.T, lower=True, check_finite=False).T
    except np.linalg.LinAlgError:
        return np.linalg.qr(columns)[0].astype(np.float32, copy=False)
    return found.astype(np.float32)
