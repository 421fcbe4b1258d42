"""A planted structure is found again by every method; UMAP is used where it is, and its lack has a sentence."""

import sys
import types

import numpy as np
import pytest

from engine.errors import ConfigError
from engine.explore.latent import mapping


@pytest.fixture
def groups():
    """Three well separated groups of 20 points in 20 dimensions, and which group each belongs to."""
    rng = np.random.default_rng(0)
    centres = np.zeros((3, 20))
    centres[[0, 1, 2], [4, 9, 14]] = 12
    labels = np.repeat(np.arange(3), 20)
    return (centres[labels] + rng.standard_normal((60, 20))).astype(np.float32), labels


def everything(points):
    return np.ones(len(points), np.bool_)


def purity(points, labels):
    """Share of points whose nearest other point is of their own group."""
    distances = ((points[:, None] - points) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    return float(np.mean(labels[distances.argmin(axis=1)] == labels))


def test_components_are_the_planted_directions():
    rng = np.random.default_rng(1)
    axes = np.linalg.qr(rng.standard_normal((6, 2)))[0].T
    points = (rng.standard_normal((2000, 2)) * [5, 2]) @ axes + 3
    found = mapping.components((points + 0.01 * rng.standard_normal(points.shape)).astype(np.float32), 2)
    assert np.abs(found.axes @ axes.T) == pytest.approx(np.eye(2), abs=0.02)
    assert found.shares == pytest.approx([25 / 29, 4 / 29], abs=0.02)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_planted_groups_are_apart_on_the_map(groups, method):
    points, labels = groups
    laid = mapping.lay_out(points, everything(points), method, seed=3)
    assert laid.points.shape == (60, 2)
    assert purity(laid.points, labels) == 1.0


def test_equal_seeds_give_equal_maps(groups):
    points = groups[0][::3]
    first, again = (mapping.lay_out(points, everything(points), "tsne", seed=3).points for _ in range(2))
    assert np.array_equal(first, again)


def test_components_are_those_of_the_training_scans_alone(groups):
    points, labels = groups
    far = points.copy()
    far[labels == 2] += 1000
    chosen = labels != 2
    shown = mapping.lay_out(far, chosen, "pca", 0).points[chosen]
    assert shown == pytest.approx(mapping.lay_out(points, chosen, "pca", 0).points[chosen], abs=1e-3)


def test_points_that_never_differ_are_laid_out_too():
    laid = mapping.lay_out(np.ones((5, 4), np.float32), np.ones(5, np.bool_), "pca", 0)
    assert np.isfinite(laid.points).all()
    assert "0.0%" in laid.axes[0]


def test_lack_of_umap_is_told_with_the_line_that_installs_it(groups, monkeypatch):
    monkeypatch.setattr(mapping, "find_spec", lambda name: None)
    assert "pip install -e '.[umap]'" in mapping.methods()["umap"]
    assert mapping.methods()["pca"] == ""
    with pytest.raises(ConfigError, match=r"umap-learn is not installed.*pip install"):
        mapping.lay_out(groups[0], everything(groups[0]), "umap", 0)


def test_umap_is_used_where_it_is_installed(groups, monkeypatch):
    class Pretended:
        def __init__(self, **settings):
            assert settings == {"n_components": 2, "n_neighbors": 15, "random_state": 5, "n_jobs": 1}

        def fit_transform(self, points):
            assert points.shape == (60, 20)
            return points[:, :2] * 2

    module = types.ModuleType("umap")
    module.UMAP = Pretended
    monkeypatch.setitem(sys.modules, "umap", module)
    monkeypatch.setattr(mapping, "find_spec", lambda name: object())
    laid = mapping.lay_out(groups[0], everything(groups[0]), "umap", 5)
    assert laid.axes == ("UMAP 1", "UMAP 2")
    assert "seed 5" in laid.note
