"""Slerp keeps its ends and its lengths, and is an arc; a walk changes one number alone."""

import numpy as np
import pytest

from engine.latent import interpolation


@pytest.fixture
def ends():
    rng = np.random.default_rng(0)
    return rng.standard_normal(12).astype(np.float32) * 2, rng.standard_normal(12).astype(np.float32)


@pytest.mark.parametrize("way", [interpolation.linear, interpolation.spherical])
def test_a_way_begins_and_ends_where_it_should(ends, way):
    points = way(*ends, 7)
    assert points.shape == (7, 12)
    assert np.array_equal(points[[0, -1]], np.stack(ends))


def test_lengths_on_the_arc_go_evenly(ends):
    lengths = np.linalg.norm(interpolation.spherical(*ends, 9), axis=1)
    assert lengths == pytest.approx(np.linspace(lengths[0], lengths[-1], 9), rel=1e-5)
    middle = np.linalg.norm(interpolation.linear(*ends, 9), axis=1)[4]
    assert middle < 0.9 * lengths[4]


def test_angles_on_the_arc_go_evenly_and_stay_in_the_plane(ends):
    points = interpolation.spherical(*ends, 6).astype(np.float64)
    units = points / np.linalg.norm(points, axis=1, keepdims=True)
    steps = np.arccos(np.clip((units[1:] * units[:-1]).sum(axis=1), -1, 1))
    assert steps == pytest.approx(np.full(5, steps.mean()), rel=1e-4)
    assert np.linalg.matrix_rank(points, tol=1e-4) == 2


def test_quarter_of_a_circle():
    points = interpolation.spherical(np.array([1, 0], np.float32), np.array([0, 1], np.float32), 3)
    assert points[1] == pytest.approx([np.sqrt(0.5)] * 2)


@pytest.mark.parametrize(
    ("first", "second"),
    [([1, 2, 3], [2, 4, 6]), ([0, 0, 0], [1, 0, 0]), ([1, 0, 0], [-2, 0, 0]), ([1, 1, 1], [1, 1, 1])],
)
def test_ends_without_an_angle_of_their_own_give_finite_points(first, second):
    points = interpolation.spherical(np.array(first, np.float32), np.array(second, np.float32), 5)
    assert np.isfinite(points).all()
    assert points[[0, -1]] == pytest.approx(np.array([first, second], np.float32))
    lengths = np.linalg.norm(points, axis=1)
    assert lengths == pytest.approx(np.linspace(lengths[0], lengths[-1], 5), abs=1e-5)


def test_walk_changes_one_number_alone(ends):
    points = interpolation.vary_dimension(ends[0], 3, np.array([-1.0, 0.0, 2.0]))
    assert points[:, 3].tolist() == [-1.0, 0.0, 2.0]
    assert np.array_equal(np.delete(points, 3, axis=1), np.delete(np.stack([ends[0]] * 3), 3, axis=1))
