"""Contrast, sharpness and retention against closed forms, and on phantoms whose healthy twins are known."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.ndimage import gaussian_filter
from scipy.special import ive, j1
from scipy.stats import spearmanr

from engine import lesions
from engine.data.phantom import phantoms
from engine.errors import RegionError
from engine.lesions import Retention

SIDE, RIM = 128, 4


def disc(radius, contrast=0.4, ground=0.3, middle=64.0):
    mask = lesions.ellipse((SIDE, SIDE), middle - radius, middle - radius, 2 * radius, 2 * radius)
    return ground + contrast * mask.astype(np.float64), mask


@pytest.fixture(scope="module")
def sick():
    """Phantoms with a lesion that can be measured in."""
    return [each for each in phantoms(64, 3, 200) if lesions.area(each.mask) >= 12]


def blurred_contrast(radius, sigma):
    """Disc mean minus rim mean of a disc of height 1 behind a Gaussian blur.

    In frequencies the disc is 2 pi R J1(kR) / k and the blur exp(-(sigma k)^2 / 2), so what a disc of radius B holds of
    it is 2 pi R B times the integral of J1(kR) J1(kB) exp(-(sigma k)^2 / 2) / k; for B = R that is Weber's
    second exponential integral, 1 - exp(-z) (I0(z) + I1(z)) of the area with z = (R / sigma)^2.
    """
    outer, z = radius + RIM, (radius / sigma) ** 2
    inside = 1 - (ive(0, z) + ive(1, z))
    whole, _ = quad(
        lambda k: j1(k * radius) * j1(k * outer) * math.exp(-((sigma * k) ** 2) / 2) / k, 0, 12 / sigma, limit=2000
    )
    held = 2 * math.pi * radius * outer * whole
    return inside - (held - math.pi * radius**2 * inside) / (math.pi * (outer**2 - radius**2))


def test_identity_keeps_all():
    image, mask = disc(12)
    kept = lesions.retention(image, image.copy(), mask)
    value, interval = kept
    assert value == pytest.approx(1, abs=1e-6)
    assert interval == pytest.approx((1, 1), abs=1e-6)
    assert kept.pattern == pytest.approx(1, abs=1e-6)
    assert kept.before == pytest.approx(0.4)
    assert not kept.is_below(1 - 1e-6)
    assert kept.warning("nothing") == ""


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("radius", [8, 12, 16, 24])
@pytest.mark.parametrize("middle", [64.0, 64.5])
def test_blur_of_a_disc_leaves_what_theory_says(radius, sigma, middle):
    image, mask = disc(radius, middle=middle)
    kept = lesions.retention(image, gaussian_filter(image, sigma, truncate=8), mask, RIM)
    assert kept.value == pytest.approx(blurred_contrast(radius, sigma), rel=0.01)
    assert kept.interval[0] < kept.value < kept.interval[1]


def test_formula_for_the_blurred_disc_agrees_with_a_fine_grid():
    """The closed form itself, on a grid eight times as fine, where pixels no longer matter."""
    fine, radius, sigma = 8, 10, 2.0
    y, x = (np.indices((48 * fine, 48 * fine)) + 0.5) / fine - 24
    away = np.hypot(x, y)
    blurred = gaussian_filter((away <= radius).astype(np.float64), sigma * fine, truncate=8)
    seen = blurred[away <= radius].mean() - blurred[(away > radius) & (away <= radius + RIM)].mean()
    assert seen == pytest.approx(blurred_contrast(radius, sigma), rel=1e-3)


def test_dark_lesion_counts_like_a_bright_one():
    image, mask = disc(12, contrast=-0.2)
    after = 0.3 + 0.25 * (image - 0.3)
    kept = lesions.retention(image, after, mask)
    assert (kept.before, kept.after) == pytest.approx((-0.2, -0.05))
    assert kept.value == pytest.approx(0.25)


def test_contrast_that_is_turned_round_or_added_is_said():
    image, mask = disc(12)
    assert "inverts" in lesions.retention(image, 1 - image, mask).warning("m")
    assert "exaggerates this lesion's contrast by 50%" in lesions.retention(image, 1.5 * image, mask).warning("m")


def test_warning_says_what_and_how_much():
    image, mask = disc(12)
    kept = lesions.retention(image, 0.3 + 0.41 * (image - 0.3), mask)
    text = "ae-0011 removes 59% of this lesion's contrast. Do not interpret pathology in this image."
    assert kept.warning("ae-0011") == text
    assert kept.warning("ae-0011", share=0.4) == ""


def test_uneven_lesion_is_not_said_to_keep_or_to_lose_a_share():
    """Half of it bright, half dark: the mean stands out a little, and says nothing."""
    image, mask = disc(12, contrast=0.0)
    left = mask & (np.arange(SIDE) < 64)
    image[left] += 0.4
    image[mask & ~left] -= 0.36
    noisy = image + np.random.default_rng(1).normal(0, 0.1, image.shape)
    kept = lesions.retention(image, noisy, mask)
    assert kept.is_unclear
    assert "Too variable to measure what m retains" in kept.warning("m")
    assert "removes 100%" in lesions.retention(image, np.full_like(image, 0.3), mask).warning("m")


def test_model_that_erases_lesions_is_flagged_in_every_case(sick):
    """Once by the healthy twin, which has the anatomy that was there before, and once by what is round the lesion."""
    assert len(sick) > 100
    unclear = 0
    for each in sick:
        filled = each.image.copy()
        filled[each.mask] = each.image[lesions.make_rim_mask(each.mask)].mean()
        for erased in (each.healthy, filled):
            kept = lesions.retention(each.image, erased, each.mask)
            assert kept.is_below() or kept.is_unclear
            assert kept.warning("the eraser")
            unclear += not kept.is_below()
    assert unclear <= 2


def test_healthy_twin_has_no_pattern_of_the_lesion(sick):
    """The mean alone is taken in where the healthy tissue stands out too; this is why there is a pattern."""
    found = [lesions.retention(each.image, each.healthy, each.mask) for each in sick]
    assert np.median([kept.pattern for kept in found]) < 0.2
    assert sum(kept.value >= lesions.WARN_BELOW for kept in found) > 0


def test_retention_follows_the_removed_amplitude(sick):
    """Lesions of every size and contrast, of which a known part is left."""
    left = np.linspace(0, 1, 9)
    for each in sick:
        lesion = each.image - each.healthy
        kept = [lesions.retention(each.image, each.healthy + share * lesion, each.mask) for share in left]
        assert spearmanr(left, [one.pattern for one in kept]).statistic >= 0.95
    planted, found = [], []
    for radius in (3, 5, 8, 14):
        for contrast in (0.05, 0.1, 0.2, 0.4, -0.2):
            for share in left:
                rng = np.random.default_rng([radius, round(1000 * abs(contrast)), round(1000 * share)])
                image, mask = disc(radius, contrast)
                after = 0.3 + share * (image - 0.3) + rng.normal(0, 0.01, image.shape)
                planted.append(share)
                found.append(lesions.retention(image, after, mask).value)
    assert spearmanr(planted, found).statistic >= 0.95


def test_interval_holds_the_truth_as_often_as_it_should():
    """Half the contrast is left under noise that is not alike from pixel to pixel: 95 of 100 in the mean."""
    image, mask = disc(9)
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        after = 0.3 + 0.5 * (image - 0.3) + rng.normal(0, 0.1, image.shape)
        low, high = lesions.retention(image, after, mask).interval
        held += low <= 0.5 <= high
    assert 0.88 <= held / 200 <= 0.99


def test_lesion_without_contrast_has_no_retention_and_a_reason():
    image, mask = disc(12, contrast=0.005)
    kept = lesions.retention(image, image, mask)
    assert math.isnan(kept.value)
    assert all(map(math.isnan, kept.interval))
    assert "almost no contrast to its surroundings (+0.005" in kept.reason
    assert lesions.retention(np.full((9, 9), 0.5), np.full((9, 9), 0.5), lesions.rectangle((9, 9), 2, 2, 4, 4)).reason


def test_pixels_that_are_no_numbers_give_a_reason():
    image, mask = disc(12)
    broken = image.copy()
    broken[64, 64] = np.nan
    assert "not finite numbers" in lesions.retention(image, broken, mask).reason


def test_other_lesions_stay_out_of_the_rim():
    image, mask = disc(8)
    other = lesions.rectangle((SIDE, SIDE), 72, 50, 6, 28)
    image[other & ~mask] = 1.0
    assert lesions.retention(image, image, mask).before < 0.38
    assert lesions.retention(image, image, mask, RIM, other).before == pytest.approx(0.4)


@pytest.mark.parametrize("shape", [(64, 64), (SIDE, SIDE, 1)])
def test_images_that_do_not_belong_together_are_refused(shape):
    image, mask = disc(12)
    with pytest.raises(RegionError):
        lesions.retention(image, np.zeros(shape), mask)
    with pytest.raises(RegionError):
        lesions.retention(np.zeros((64, 64)), np.zeros((64, 64)), mask)


def test_contrast_to_noise_is_contrast_over_the_spread_of_the_rim():
    image, mask = disc(16, contrast=0.2)
    noisy = image + np.random.default_rng(0).normal(0, 0.05, image.shape)
    assert lesions.contrast_to_noise(noisy, mask) == pytest.approx(4, rel=0.1)
    assert lesions.contrast_to_noise(image, mask) == math.inf
    assert math.isnan(lesions.contrast_to_noise(np.zeros_like(image), mask))
    assert lesions.contrast(image, mask) == pytest.approx(0.2)


def test_sharpness_of_a_step_and_of_a_blurred_edge():
    image, mask = disc(40, contrast=0.4)
    stripe = lesions.rectangle((SIDE, SIDE), 0, 0, 64, SIDE)
    step = 0.1 + 0.4 * stripe
    assert lesions.edge_sharpness(step, stripe) == pytest.approx(0.2, rel=0.02)
    for sigma in (2.0, 4.0):
        slope = 0.4 / (sigma * math.sqrt(2 * math.pi))
        assert lesions.edge_sharpness(gaussian_filter(image, sigma), mask) == pytest.approx(slope, rel=0.08)
    assert lesions.edge_sharpness(1 - step, stripe) < 0


def test_retention_is_a_value_that_cannot_be_changed():
    with pytest.raises(AttributeError):
        Retention(1, (1, 1), 1, 1, 1).value = 2
