"""The statistics of each kind of noise against theory."""

import math

import numpy as np
import pytest
from scipy.special import ive

from engine import config, noise
from engine.config import DenoiseConfig, NoiseConfig

LEVEL = 25 / 255


def flat(value, count=4, side=128):
    return np.full((count, side, side, 1), value, np.float32)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", noise.KINDS)
def test_noise_keeps_shape_type_and_range_and_follows_its_generator(kind):
    images = rng(1).random((3, 20, 24, 1), np.float32)
    before = images.copy()
    first, again, other = (noise.KINDS[kind](images, 0.2, rng(seed)) for seed in (0, 0, 1))
    assert (first.shape, first.dtype) == (images.shape, np.float32)
    assert 0 <= first.min() <= first.max() <= 1
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(images, before)


@pytest.mark.parametrize("kind", noise.KINDS)
def test_no_level_is_no_noise(kind):
    images = rng(1).random((3, 20, 24, 1), np.float32)
    assert np.array_equal(noise.KINDS[kind](images, 0.0, rng()), images)


@pytest.mark.parametrize("kind", noise.KINDS)
def test_each_image_can_have_its_own_level(kind):
    image = np.repeat(rng(1).uniform(0.3, 0.7, (1, 64, 64, 1)).astype(np.float32), 3, axis=0)
    spread = (noise.KINDS[kind](image, [0.0, 0.05, 0.2], rng()) - image).std(axis=(1, 2, 3))
    assert spread[0] == 0
    assert spread[2] > 1.5 * spread[1] > 0


def test_gaussian_noise_has_the_spread_it_was_requested():
    made = noise.gaussian(flat(0.5), LEVEL, rng()) - 0.5
    assert made.mean() == pytest.approx(0, abs=4 * LEVEL / 256)
    assert made.std() == pytest.approx(LEVEL, rel=0.01)
    psnr_db = -10 * math.log10(np.square(made).mean())
    assert psnr_db == pytest.approx(20.17, abs=0.1)  # the well-known 20.17 dB of sigma 25


def test_gaussian_noise_on_black_is_clipped_to_half_a_bell():
    made = noise.gaussian(flat(0.0), LEVEL, rng())
    assert made.mean() == pytest.approx(LEVEL / math.sqrt(2 * math.pi), rel=0.02)
    assert (made == 0).mean() == pytest.approx(0.5, abs=0.01)
    assert np.square(made).mean() == pytest.approx(LEVEL**2 / 2, rel=0.03)


@pytest.mark.parametrize("signal", [0.0, 0.05, 0.1, 0.3, 0.5])
def test_rician_noise_has_the_closed_form_mean_and_second_moment(signal):
    made = noise.rician(flat(signal), LEVEL, rng()).astype(np.float64)
    half = signal**2 / (4 * LEVEL**2)  # the Laguerre polynomial L_1/2(-2 half), with scaled Bessel functions
    mean = LEVEL * math.sqrt(math.pi / 2) * ((1 + 2 * half) * ive(0, half) + 2 * half * ive(1, half))
    assert made.mean() == pytest.approx(mean, rel=0.005)
    assert np.square(made).mean() == pytest.approx(signal**2 + 2 * LEVEL**2, rel=0.01)


def test_mixture_is_gaussian_for_half_of_the_images_and_rician_for_the_others():
    black = np.zeros((200, 32, 32, 1), np.float32)
    means = noise.TRAINING_KINDS["gaussian-or-rician"](black, 0.1, np.random.default_rng(0)).mean(axis=(1, 2, 3))
    is_rician = means > 0.08
    assert means[is_rician] == pytest.approx(0.1 * np.sqrt(np.pi / 2), rel=0.05)
    assert means[~is_rician] == pytest.approx(0.1 / np.sqrt(2 * np.pi), rel=0.2)
    assert 70 < is_rician.sum() < 130


def test_speckle_grows_with_the_signal():
    for signal in (0.2, 0.4, 0.6):
        made = noise.speckle(flat(signal), 0.1, rng())
        assert made.mean() == pytest.approx(signal, rel=0.005)
        assert made.std() == pytest.approx(0.1 * signal, rel=0.01)
    assert not noise.speckle(flat(0.0), 0.1, rng()).any()


def test_poisson_noise_has_a_variance_that_is_its_mean():
    for signal in (0.1, 0.4, 0.7):
        made = noise.poisson(flat(signal), 0.1, rng())
        assert made.mean() == pytest.approx(signal, rel=0.01)
        assert made.var() == pytest.approx(signal * 0.1**2, rel=0.03)


def test_salt_and_pepper_have_the_mean_and_variance_of_their_share():
    made = noise.salt_and_pepper(flat(0.3), 0.2, rng()).astype(np.float64)
    assert made.mean() == pytest.approx(0.8 * 0.3 + 0.1, rel=0.01)
    assert made.var() == pytest.approx(0.8 * 0.3**2 + 0.1 - 0.34**2, rel=0.02)


def test_salt_and_pepper_replace_the_share_of_pixels_that_was_requested():
    made = noise.salt_and_pepper(flat(0.5), 0.2, rng())
    assert (made == 1).mean() == pytest.approx(0.1, abs=0.005)
    assert (made == 0).mean() == pytest.approx(0.1, abs=0.005)
    assert set(np.unique(made)) == {0.0, 0.5, 1.0}


def test_ghosts_have_the_power_that_was_requested():
    """On an even image: x^2 (1 + level^2) in the mean over phases, drawn once an image."""
    made = noise.ghosting(flat(0.5, 4000, 8), 0.3, rng()).astype(np.float64)
    assert np.square(made).mean() == pytest.approx(0.25 * 1.09, rel=0.01)


def test_ghosts_lie_equally_far_up_and_down_and_come_in_again():
    """A dot on black leaves two dots of level / sqrt(2) each, whatever their phases."""
    dot = np.zeros((50, 64, 32, 1), np.float32)
    dot[:, 20, 7] = 0.8
    made = noise.ghosting(dot, 0.3, rng())
    for image in made[..., 0]:
        rows, columns = np.nonzero(image > 0.01)
        assert set(columns) == {7}
        shift = sorted((rows - 20) % 64)
        assert shift[0] == 0
        assert 8 <= shift[1] <= 32
        ghosts = [image[row, 7] for row in rows if row != 20]
        if len(shift) == 3:
            assert shift[1] + shift[2] == 64
            assert ghosts == pytest.approx([0.8 * 0.3 / math.sqrt(2)] * 2, rel=1e-4)


def test_rings_have_the_spread_of_gaussian_noise_and_are_even_along_a_ring():
    made = noise.rings(flat(0.5, 2000, 24), 0.1, rng()).astype(np.float64) - 0.5
    assert made.mean() == pytest.approx(0, abs=0.002)
    assert made.std() == pytest.approx(0.1, rel=0.02)
    assert np.allclose(made[:, 0, :], made[:, -1, :])
    assert np.allclose(made[:, 3, 5], made[:, 5, 3])
    assert not np.allclose(made[0, 3, 5], made[0, 3, 9])


def test_every_kind_can_be_chosen_and_every_choice_is_a_kind():
    choices = next(spec for spec in config.list_fields(NoiseConfig) if spec.name == "noise").choices
    assert choices == ("none", *noise.TRAINING_KINDS)
    alone = next(spec for spec in config.list_fields(DenoiseConfig) if spec.name == "noise").choices
    assert alone == ("none", *noise.KINDS)


@pytest.mark.parametrize("kind", noise.KINDS)
def test_grains_of_a_steady_kind_grow_with_the_level_and_those_of_others_change(kind):
    images = np.full((1, 64, 64, 1), 0.5, np.float32)
    images[:, 16:48, 16:48] = 0.6
    low, middle, high = (noise.add_noise(images, kind, level, 0) for level in (0.08, 0.09, 0.1))
    off = np.abs(middle - (low + high) / 2).max()
    assert (off < 0.005) == (kind in noise.SCALABLE_KINDS), off
