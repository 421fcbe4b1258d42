"""Noise sweeps: errors before and after a model, and where they cross."""

import numpy as np
import pytest

from engine.denoising.noise_sweep import SweepSummary
from engine.job_context import Cancelled, JobContext
from engine.reproduction import evaluator
from engine.reproduction.evaluator import add_noise, sweep_noise


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(0.3, 0.7, (6, 32, 32, 1)).astype(np.float32)


class Stub:
    """A model that gives a fixed image off by `offset`, whatever it is given."""

    def __init__(self, images, offset):
        self.images, self.offset = images, offset

    def predict_on_batch(self, given):
        return (self.images + self.offset).astype(np.float32)


def test_break_even_of_a_model_that_ignores_noise_is_the_root_of_its_error(images):
    """Far from black and white nothing is cut, so m = sigma^2 at the crossing."""
    found = sweep_noise(Stub(images, 0.05), images)
    assert found.clean_mse == pytest.approx(0.0025, rel=1e-4)
    assert found.expected == pytest.approx(0.05, rel=1e-4)
    assert found.break_even == pytest.approx(0.05, rel=0.01)
    assert found.count == 6
    assert all(found.output_mse[place] == pytest.approx(0.0025, rel=1e-4) for place in range(len(found.sigmas)))


def test_noise_that_is_cut_at_black_moves_it_up(images):
    dark = np.zeros_like(images)
    found = sweep_noise(Stub(dark, 0.05), dark)
    assert found.break_even > 1.3 * found.expected


def test_model_that_is_never_as_good_has_no_break_even(images):
    assert sweep_noise(Stub(images, 0.9), images).break_even is None


def test_identity_never_crosses(images):
    class Identity:
        def predict_on_batch(self, given):
            return given

    assert sweep_noise(Identity(), images).clean_mse == 0
    assert SweepSummary(1, (0.1, 0.2), (1.0, 2.0), (1.0, 2.0), 0.0).break_even is None


def test_noise_is_the_same_each_time_and_stays_in_range(images):
    assert np.array_equal(add_noise(images, 0.1), add_noise(images, 0.1))
    assert not np.array_equal(add_noise(images, 0.1), add_noise(images, 0.2))
    assert add_noise(images, 3.0).min() >= 0
    assert add_noise(images, 3.0).max() <= 1
    assert (add_noise(images, 0.1) - images).std() == pytest.approx(0.1, rel=0.05)


def test_sweep_that_is_stopped_is_canceled(images):
    with pytest.raises(Cancelled):
        sweep_noise(Stub(images, 0.1), images, JobContext(lambda: True))


def test_levels_rise():
    assert list(evaluator.SIGMAS) == sorted(set(evaluator.SIGMAS))
