"""The best linear VAE in closed form: better than its neighbors, and where the residual VAE begins."""

import keras
import numpy as np
import pytest

from engine import models
from engine.evaluation import scoring
from engine.job_context import Cancelled, JobContext
from engine.models.reconstructor import AdaptContext
from engine.models.residual_variational import LEAST_EIGENVALUE, fit_linear_vae

PIXELS, AREA = 30, 4


@pytest.fixture
def pictures():
    """Images (n, m) about a bright and dark mean, along three axes."""

    def make(count):
        rng = np.random.default_rng(0)
        mean = rng.uniform(0.2, 0.8, PIXELS)
        axes = rng.standard_normal((3, PIXELS)) * [[0.12], [0.1], [0.08]]
        return np.clip(mean + rng.standard_normal((count, 3)) @ axes, 0, 1).astype(np.float32)

    return make


def excess_nats(pictures, start, log_var):
    """The quadratic excess over the entropy, and KL, of a linear VAE, nats per image, in expectation over z."""
    centre = np.clip(pictures.mean(axis=0), 0.03, 0.97)
    variance = centre * (1 - centre)
    means = pictures @ start.encoder + start.encoder_bias
    spread = np.exp(log_var)
    slope = start.decoder * variance  # logits to intensities, near the mean
    error = np.square(pictures - centre - means @ slope) + spread @ np.square(slope)
    kl = 0.5 * (np.square(means) + spread - 1 - log_var).sum(axis=1)
    return float((AREA * error / (2 * variance)).sum(axis=1).mean() + kl.mean())


@pytest.mark.parametrize("count", [20, 400])
def test_it_costs_what_theory_says_and_no_neighbor_costs_less(pictures, count):
    images = pictures(count)
    start = fit_linear_vae(images, 8, AREA)
    centre = images.mean(axis=0)
    scaled = (images - centre) * np.sqrt(AREA / (centre * (1 - centre)))
    values = np.linalg.eigvalsh(scaled.T @ scaled / count)
    coded = values > LEAST_EIGENVALUE
    wanted = 0.5 * (1 + np.log(values[coded])).sum() + 0.5 * values[~coded].sum()
    assert excess_nats(images, start, start.log_var) == pytest.approx(wanted, rel=1e-3)
    for step in (-0.2, 0.2):
        assert excess_nats(images, start, start.log_var + step) > wanted


def test_numbers_that_no_component_is_worth_stay_at_the_prior(pictures):
    start = fit_linear_vae(pictures(400), 8, AREA)
    assert start.decoder[:3].any(axis=1).all()
    assert not start.decoder[3:].any()
    assert not start.log_var[3:].any()
    assert not start.encoder[:, 3:].any()


def test_the_residual_vae_begins_far_better_than_untrained(tiny, blobs):
    keras.utils.set_random_seed(0)
    images = blobs(64)
    model = models.build(tiny(model="residual-vae", latent=16))
    before = scoring.score(model, Split(images))
    model.adapt(sight(images))
    after = scoring.score(model, Split(images))
    assert after["loss"].mean() < before["loss"].mean() - 100
    assert after["kl"].mean() > 1


def test_a_stop_leaves_the_weights_as_they_were(tiny, blobs):
    model = models.build(tiny(model="residual-vae"))
    before = model.get_weights()
    with pytest.raises(Cancelled):
        model.adapt(sight(blobs(4), stopped=True))
    assert all(map(np.array_equal, model.get_weights(), before))


def sight(images, stopped=False):
    return AdaptContext(len(images), 0, lambda number: iter([images]), JobContext(lambda: stopped), lambda text: None)


class Split:
    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def read(self, which):
        return self.images[which]
