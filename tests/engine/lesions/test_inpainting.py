"""Filling a lesion in: nothing else changes, nothing remarkable is left, and nothing is made up."""

import numpy as np
import pytest

from engine import lesions
from engine.data.phantom import phantom
from engine.errors import RegionError
from engine.lesions.inpainting import inpaint


@pytest.fixture
def made():
    return phantom(96, 3, 1, label="meningioma_tumor", plane="axial")


def test_only_the_region_changes_and_what_is_there_is_gone(made):
    filled = inpaint(made.image, made.mask)
    changed = filled != made.image
    near = lesions.make_rim_mask(made.mask, 3)
    assert not changed[~(made.mask | near)].any()
    assert abs(lesions.contrast(filled, made.mask)) < 0.25 * abs(lesions.contrast(made.image, made.mask))
    assert filled.dtype == np.float32
    assert filled.min() >= 0
    assert filled.max() <= 1


def test_a_slope_is_continued():
    slope = np.tile(np.linspace(0.2, 0.8, 48, dtype=np.float32), (48, 1))
    spot = slope.copy()
    mask = lesions.ellipse((48, 48), 18, 18, 12, 12)
    spot[mask] = 1.0
    assert inpaint(spot, mask, grain_seed=None) == pytest.approx(slope, abs=0.02)


def test_filling_stays_within_the_rim_and_has_its_grain(made):
    rng = np.random.default_rng(0)
    noisy = np.clip(0.4 + 0.05 * rng.standard_normal((64, 64)), 0, 1).astype(np.float32)
    mask = lesions.ellipse((64, 64), 20, 20, 20, 20)
    noisy[mask] = 0.9
    smooth, grainy = inpaint(noisy, mask, grain_seed=None), inpaint(noisy, mask)
    assert smooth[mask].std() < 0.03
    assert grainy[mask].std() == pytest.approx(0.05, rel=0.4)
    assert smooth[mask].mean() == pytest.approx(0.4, abs=0.03)
    assert np.array_equal(grainy, inpaint(noisy, mask))
    assert not np.array_equal(grainy, inpaint(noisy, mask, grain_seed=1))


def test_unfit_regions_are_sentences(made):
    with pytest.raises(RegionError, match="contains no pixel"):
        inpaint(made.image, np.zeros_like(made.mask))
    with pytest.raises(RegionError, match="whole image"):
        inpaint(made.image, np.ones_like(made.mask))
