import math

import numpy as np
import pytest
from skimage import metrics

from engine import quality


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    originals = rng.random((3, 24, 20, 1)).astype(np.float32)
    noisy = np.clip(originals + 0.1 * rng.standard_normal(originals.shape), 0, 1).astype(np.float32)
    return originals, noisy


def test_equal_to_scikit_image(pair):
    originals, noisy = pair
    for index in range(3):
        a, b = originals[index, ..., 0].astype(float), noisy[index, ..., 0].astype(float)
        options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        assert quality.mse(originals, noisy)[index] == pytest.approx(metrics.mean_squared_error(a, b), abs=1e-9)
        wanted = metrics.peak_signal_noise_ratio(a, b, data_range=1)
        assert quality.psnr_db(originals, noisy)[index] == pytest.approx(wanted, abs=1e-6)
        wanted = metrics.structural_similarity(a, b, data_range=1, **options)
        assert quality.ssim(originals, noisy)[index] == pytest.approx(wanted, abs=1e-6)


def test_equal_images_are_infinitely_close(pair):
    originals, _ = pair
    assert np.all(np.isposinf(quality.psnr_db(originals, originals)))
    assert quality.ssim(originals, originals) == pytest.approx(1)


def test_cross_entropy_of_a_known_pixel():
    value = quality.cross_entropy_nats(np.array([[[0.25]]]), np.array([[[math.log(3)]]]))
    assert value == pytest.approx(-(0.25 * math.log(0.75) + 0.75 * math.log(0.25)))


def test_cross_entropy_of_huge_logits_is_finite():
    value = quality.cross_entropy_nats(np.array([[[1.0, 0.0]]]), np.array([[[-1e4, 1e4]]]))
    assert value == pytest.approx(2e4)


def test_divergence_of_a_standard_normal_is_zero_and_of_a_shifted_one_half_its_square():
    zeros = np.zeros((1, 2))
    assert quality.divergence_nats(zeros, zeros) == pytest.approx(0)
    assert quality.divergence_nats(np.array([[3.0, 0.0]]), zeros) == pytest.approx(4.5)


def test_no_model_is_below_the_entropy_floor():
    rng = np.random.default_rng(1)
    images = np.concatenate([rng.random((4, 8, 8)), np.zeros((1, 8, 8)), np.ones((1, 8, 8))])
    floor = quality.entropy_floor_nats(images)
    with np.errstate(divide="ignore"):
        perfect = np.clip(np.log(images) - np.log1p(-images), -50, 50)
    assert quality.cross_entropy_nats(images, perfect) == pytest.approx(floor, abs=1e-9)
    assert np.all(quality.cross_entropy_nats(images, perfect + rng.standard_normal(images.shape)) > floor - 1e-9)
    assert floor[4:] == pytest.approx(0)
