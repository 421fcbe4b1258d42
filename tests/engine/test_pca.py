"""Both ways to principal components find those of the singular value decomposition."""

import numpy as np
import pytest

from engine import pca
from engine.job_context import Cancelled

SHAPES = pytest.mark.parametrize("shape", [(40, 90), (300, 30)], ids=["fewer rows than columns", "more rows"])


@pytest.fixture
def make_rows():
    def make(shape, strength=1.0):
        """Centered rows with variances that fall by a factor of four from axis to axis."""
        rng = np.random.default_rng(0)
        axes = np.linalg.qr(rng.standard_normal((shape[1], 6)))[0]
        rows = rng.standard_normal((shape[0], 6)) * 2.0 ** -np.arange(6) @ axes.T
        return (strength * (rows - rows.mean(axis=0))).astype(np.float32)

    return make


def right_singular_vectors(rows, count):
    return np.linalg.svd(rows.astype(np.float64), full_matrices=False)[2][:count].T


def read_in_blocks(rows, size=16):
    return lambda: (rows[first : first + size] for first in range(0, len(rows), size))


def assert_same_axes(found, wanted):
    assert found.dtype == np.float32
    assert found.shape == wanted.shape
    assert found.T @ found == pytest.approx(np.eye(found.shape[1]), abs=1e-5)
    assert np.abs(np.sum(found * wanted, axis=0)) == pytest.approx(np.ones(found.shape[1]), abs=1e-4)


@SHAPES
def test_axes_in_memory_are_the_right_singular_vectors(make_rows, shape):
    rows = make_rows(shape)
    assert_same_axes(pca.compute_axes(rows.copy(), 4), right_singular_vectors(rows, 4))


@SHAPES
def test_axes_of_blocks_are_the_right_singular_vectors(make_rows, shape):
    rows = make_rows(shape)
    found = pca.iterate_subspace(read_in_blocks(rows), rows.shape, 4, np.random.default_rng(1))
    assert_same_axes(found, right_singular_vectors(rows, 4))


def test_axes_of_the_gram_matrix_are_the_right_singular_vectors(make_rows):
    rows = make_rows((40, 90))
    assert_same_axes(pca.iterate_gram(rows, 4, np.random.default_rng(1)), right_singular_vectors(rows, 4))


def test_rows_that_depend_on_each_other_have_orthonormal_axes_all_the_same(make_rows):
    """Six axes of variance, but ten are asked for: the Cholesky factor does not exist, reflections take its place."""
    rows = make_rows((40, 90))
    for found in (
        pca.iterate_gram(rows, 10, np.random.default_rng(1)),
        pca.iterate_subspace(read_in_blocks(rows), rows.shape, 10, np.random.default_rng(1)),
    ):
        assert found.T @ found == pytest.approx(np.eye(10), abs=1e-5)
        assert_same_axes(found[:, :4], right_singular_vectors(rows, 4))


def test_spare_axes_let_the_last_wanted_one_converge():
    """More columns than are iterated along, and variances so close that a few passes alone do not part them."""
    rng = np.random.default_rng(2)
    rows = (rng.standard_normal((200, 150)) * np.geomspace(1, 0.3, 150)).astype(np.float32)
    rows -= rows.mean(axis=0)
    wanted = right_singular_vectors(rows, 5)
    found = pca.iterate_subspace(read_in_blocks(rows), rows.shape, 5, np.random.default_rng(3))
    kept, best = (float(np.square(rows @ axes).sum()) for axes in (found, wanted))
    assert kept == pytest.approx(best, rel=1e-3)


@SHAPES
def test_equal_rows_have_some_orthonormal_axes(make_rows, shape):
    found = pca.compute_axes(make_rows(shape, strength=0.0), 3)
    assert found.T @ found == pytest.approx(np.eye(3), abs=1e-5)


def test_equal_starts_give_equal_axes(make_rows):
    rows = make_rows((300, 200))
    first, again = (
        pca.iterate_subspace(read_in_blocks(rows), rows.shape, 4, np.random.default_rng(5)) for _ in range(2)
    )
    assert np.array_equal(first, again)


@pytest.mark.parametrize("passes", [0, 1, pca.PASSES - 1])
def test_iteration_ends_with_a_pass_that_was_stopped(make_rows, passes):
    rows, begun = make_rows((40, 90)), []

    def read_blocks():
        begun.append(len(begun))
        yield from read_in_blocks(rows if len(begun) <= passes else rows[:20])()
        if len(begun) > passes:
            raise Cancelled

    with pytest.raises(Cancelled):
        pca.iterate_subspace(read_blocks, rows.shape, 4, np.random.default_rng(0))
    assert len(begun) == passes + 1


def test_components_and_shares_are_those_of_the_covariance(make_rows):
    rows = make_rows((300, 30)).astype(np.float64)
    fitted = pca.fit_in_memory(rows, 3)
    values, vectors = np.linalg.eigh(np.cov(rows.T))
    assert fitted.explained_variance_ratio_ == pytest.approx(values[::-1][:3] / values.sum(), rel=1e-9)
    assert np.abs(fitted.components_ @ vectors[:, ::-1][:, :3]) == pytest.approx(np.eye(3), abs=1e-9)
    largest = np.take_along_axis(fitted.components_, np.abs(fitted.components_).argmax(axis=1)[:, None], axis=1)
    assert (largest > 0).all()
