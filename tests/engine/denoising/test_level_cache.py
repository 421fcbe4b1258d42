"""What lies between two levels: exact for a straight network, near for others, and nothing where it cannot be told."""

import gc

import numpy as np
import pytest

from engine import metrics, noise
from engine.denoising.level_cache import NoiseLevelCache

RNG = np.random.default_rng(0)
ORIGINALS = RNG.uniform(0.4, 0.6, (1, 16, 16, 1)).astype(np.float32)


class Halving:
    """A model whose image is half of what it is given."""

    def __init__(self):
        self.seen = 0

    def predict_on_batch(self, images):
        self.seen += 1
        return images / 2


@pytest.fixture
def model():
    return Halving()


def ladder(model, kind="gaussian", levels=(0.0, 0.02, 0.05)):
    made = NoiseLevelCache(model, ORIGINALS, kind, 3)
    for level in levels:
        made.rung(level)
    return made


def test_a_level_is_computed_once_and_has_its_errors(model):
    made = ladder(model)
    noisy = noise.add_noise(ORIGINALS, "gaussian", 0.05, 3)
    assert made.rung(0.05).made == pytest.approx(noisy / 2)
    assert made.rung(0.05).mse == pytest.approx(metrics.mse(ORIGINALS, noisy / 2)[0])
    assert made.rung(0.05).noisy_mse == pytest.approx(metrics.mse(ORIGINALS, noisy)[0])
    assert model.seen == 3
    assert (made.has(0.05), made.has(0.04)) == (True, False)


@pytest.mark.parametrize("level", [0.0, 0.005, 0.02, 0.03, 0.05])
def test_what_a_straight_network_makes_lies_on_the_line(model, level):
    between = ladder(model).between(level)
    assert between == pytest.approx(noise.add_noise(ORIGINALS, "gaussian", level, 3) / 2, abs=1e-6)
    assert between.dtype == np.float32


@pytest.mark.parametrize("levels", [(), (0.02,), (0.02, 0.06), (0.05, 0.06)])
def test_levels_too_far_away_tell_nothing(model, levels):
    assert ladder(model, levels=levels).between(0.04) is None


@pytest.mark.parametrize("kind", sorted(set(noise.KINDS) - noise.SCALABLE_KINDS))
def test_a_noise_with_other_grains_at_every_level_tells_nothing(model, kind):
    assert ladder(model, kind).between(0.03) is None


@pytest.mark.parametrize("kind", sorted(noise.KINDS))
def test_a_level_that_is_known_is_reported_of_any_noise(model, kind):
    made = ladder(model, kind, levels=(0.05,))
    assert np.array_equal(made.between(0.05), made.rung(0.05).made)


def test_no_denoising_is_a_ladder_too():
    made = ladder(None)
    assert made.rung(0.05).mse == made.rung(0.05).noisy_mse > 0


def test_it_is_of_one_model_one_image_and_one_noise(model):
    made = ladder(model)
    assert made.is_of(model, ORIGINALS.copy(), "gaussian", 3)
    others = [(Halving(), ORIGINALS, "gaussian", 3), (model, ORIGINALS + 0.1, "gaussian", 3)]
    others += [(model, ORIGINALS, "rician", 3), (model, ORIGINALS, "gaussian", 4), (None, ORIGINALS, "gaussian", 3)]
    assert not any(made.is_of(*other) for other in others)


def test_it_keeps_no_model_alive():
    made = ladder(Halving())
    gc.collect()
    assert not made.is_of(Halving(), ORIGINALS, "gaussian", 3)
    assert made._model() is None
