import math

import numpy as np
import pytest

from engine import metrics


def test_cross_entropy_of_a_known_pixel():
    value = metrics.cross_entropy_nats(np.array([[[0.25]]]), np.array([[[math.log(3)]]]))
    assert value == pytest.approx(-(0.25 * math.log(0.75) + 0.75 * math.log(0.25)))


def test_cross_entropy_of_huge_logits_is_finite():
    value = metrics.cross_entropy_nats(np.array([[[1.0, 0.0]]]), np.array([[[-1e4, 1e4]]]))
    assert value == pytest.approx(2e4)


def test_divergence_of_a_standard_normal_is_zero_and_of_a_shifted_one_half_its_square():
    zeros = np.zeros((1, 2))
    assert metrics.divergence_nats(zeros, zeros) == pytest.approx(0)
    assert metrics.divergence_nats(np.array([[3.0, 0.0]]), zeros) == pytest.approx(4.5)


def test_no_model_is_below_the_entropy_floor():
    rng = np.random.default_rng(1)
    images = np.concatenate([rng.random((4, 8, 8)), np.zeros((1, 8, 8)), np.ones((1, 8, 8))])
    floor = metrics.entropy_floor_nats(images)
    with np.errstate(divide="ignore"):
        perfect = np.clip(np.log(images) - np.log1p(-images), -50, 50)
    assert metrics.cross_entropy_nats(images, perfect) == pytest.approx(floor, abs=1e-9)
    assert np.all(metrics.cross_entropy_nats(images, perfect + rng.standard_normal(images.shape)) > floor - 1e-9)
    assert floor[4:] == pytest.approx(0)


def test_divergence_is_the_sum_over_latent_dimensions():
    rng = np.random.default_rng(2)
    mean, log_var = rng.standard_normal((5, 7)), rng.standard_normal((5, 7))
    each = metrics.divergences_nats(mean, log_var)
    assert each.shape == (5, 7)
    assert each.sum(axis=1) == pytest.approx(metrics.divergence_nats(mean, log_var))


def test_units_are_active_above_a_hundredth_nat():
    assert metrics.active_units(np.array([0.0, 0.01, 0.0101, 3.0])) == 2
    assert metrics.active_units(np.zeros(4)) == 0
