"""Break-even noise in cases whose answer is known."""

import math

import numpy as np
import pytest

from engine.denoising.break_even import bootstrap_interval, break_even

SIGMAS = (0.0, 10 / 255, 15 / 255, 25 / 255, 50 / 255)
NOISY = np.square(SIGMAS)


@pytest.mark.parametrize("clean_mse", [1e-4, 0.0011, 0.004, 0.02])
def test_output_that_does_not_change_with_the_noise_breaks_even_at_the_root_of_its_error(clean_mse):
    assert break_even(SIGMAS, NOISY, np.full(5, clean_mse)) == pytest.approx(math.sqrt(clean_mse), rel=1e-9)


def test_output_that_keeps_a_share_of_the_noise():
    """m + share sigma^2 = sigma^2: sigma = sqrt(m / (1 - share))."""
    assert break_even(SIGMAS, NOISY, 0.002 + 0.36 * NOISY) == pytest.approx(math.sqrt(0.002 / 0.64), rel=1e-9)


def test_method_that_does_no_good_has_none():
    assert break_even(SIGMAS, NOISY, np.full(5, 0.5)) is None
    assert break_even(SIGMAS, NOISY, NOISY) is None


def test_method_that_does_no_harm_has_zero():
    assert break_even(SIGMAS, NOISY, NOISY / 2) == 0.0


def test_last_crossing_counts():
    squared = break_even((0, 1, 2, 3), (0, 1, 4, 9), (0.5, 0.5, 6, 7)) ** 2
    assert squared == pytest.approx(4 + 5 * 2 / 4)


def test_interval_holds_the_break_even_and_narrows_with_more_images():
    rng = np.random.default_rng(0)
    widths = []
    for count in (8, 200):
        errors = rng.uniform(0.002, 0.006, count)
        before, after = np.repeat(NOISY[:, None], count, axis=1), np.tile(errors, (5, 1))
        low, high = bootstrap_interval(SIGMAS, before, after)
        assert low < break_even(SIGMAS, NOISY, after.mean(axis=1)) < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_interval_of_one_image_or_of_no_break_even_is_none():
    assert bootstrap_interval(SIGMAS, NOISY[:, None], np.full((5, 1), 0.001)) is None
    assert bootstrap_interval(SIGMAS, np.repeat(NOISY[:, None], 3, 1), np.full((5, 3), 0.9)) is None
