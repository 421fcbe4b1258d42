"""Planted clusters are found again by the held-out likelihood, and samples lie in them."""

import numpy as np
import pytest

from engine.errors import DataError
from engine.job_context import Cancelled, JobContext
from engine.latent import mixture


def clustered(count, seed):
    rng = np.random.default_rng(seed)
    centres = np.zeros((4, 10))
    centres[[0, 1, 2, 3], [0, 3, 6, 9]] = 20
    which = rng.integers(0, 4, count)
    return (centres[which] + rng.standard_normal((count, 10))).astype(np.float32), centres


def test_planted_clusters_are_found_and_sampled():
    latents, centres = clustered(600, 0)
    found = mixture.fit(latents, clustered(100, 1)[0])
    assert found.to_dict()["components"] == 4
    assert found.to_dict()["variance_share"] > 0.99
    drawn = found.sample(400, seed=2)
    distances = np.sqrt(((drawn[:, None] - centres) ** 2).sum(axis=2))
    assert distances.min(axis=1).max() < 8
    assert set(distances.argmin(axis=1)) == {0, 1, 2, 3}
    assert drawn.std(axis=0) == pytest.approx(latents.std(axis=0), rel=0.2)


def test_one_gaussian_is_one_component_of_its_own_covariance():
    rng = np.random.default_rng(3)
    root = rng.standard_normal((5, 5))
    latents = (rng.standard_normal((1500, 5)) @ root.T + 4).astype(np.float32)
    found = mixture.fit(latents[:1300], latents[1300:])
    assert found.to_dict()["components"] == 1
    assert np.cov(found.sample(20_000, 1).T) == pytest.approx(root @ root.T, abs=0.25 * np.abs(root @ root.T).max())


def test_samples_follow_their_seed_and_stay_in_the_fitted_axes():
    latents = np.zeros((300, 40), np.float32)
    latents[:, :3] = np.random.default_rng(4).standard_normal((300, 3))
    found = mixture.fit(latents, latents[:30])
    assert np.array_equal(found.sample(5, 1), found.sample(5, 1))
    assert not np.array_equal(found.sample(5, 1), found.sample(5, 2))
    assert np.abs(found.sample(50, 1)[:, 3:]).max() < 1e-5
    assert found.to_dict()["axes"] == 3


def test_what_is_beside_the_mixture_varies_as_much_as_it_did(monkeypatch):
    monkeypatch.setattr(mixture, "COUNTS", (1, 2))  # more take seconds in 64 dimensions
    latents = np.random.default_rng(6).standard_normal((900, 90)).astype(np.float32)
    found = mixture.fit(latents, latents[:60])
    assert found.to_dict()["axes"] == 64
    assert found.sample(3000, 0).std(axis=0) == pytest.approx(latents.std(axis=0), rel=0.15)


def test_more_dimensions_than_images_are_cut_down():
    latents = np.random.default_rng(5).standard_normal((60, 200)).astype(np.float32)
    found = mixture.fit(latents, latents[:0])
    assert found.to_dict()["axes"] == 5
    assert np.isfinite(found.sample(10, 0)).all()


def test_too_few_images_get_a_sentence_and_a_stop_no_mixture():
    with pytest.raises(DataError, match="At least 20"):
        mixture.fit(np.zeros((5, 3), np.float32), np.zeros((0, 3), np.float32))
    with pytest.raises(Cancelled):
        mixture.fit(clustered(100, 0)[0], clustered(30, 1)[0], context=JobContext(lambda: True))
