"""Each change by itself, and how far it may go."""

import numpy as np
import pytest
from scipy import ndimage

from engine import augmentation
from engine.config import AugmentationConfig


@pytest.fixture
def head():
    """A smooth head off the center of a black image, float32 (64, 64)."""
    rows, columns = np.mgrid[:64, :64]
    return np.exp(-((rows - 28) ** 2 + (columns - 36) ** 2) / 60).astype(np.float32)


def made(image, count=200, **settings):
    config = AugmentationConfig(**settings)
    return [augmentation.augment(image, config, np.random.default_rng(seed)) for seed in range(count)]


def test_nothing_is_changed_unless_requested(head):
    assert not augmentation.is_enabled(AugmentationConfig())
    assert all(np.array_equal(image, head) for image in made(head, 5))


def test_a_flip_is_a_mirror_image_as_often_as_requested(head):
    images = made(head, flip=0.3)
    mirrored = [np.array_equal(image, head[:, ::-1]) for image in images]
    assert all(np.array_equal(image, head) or flipped for image, flipped in zip(images, mirrored, strict=True))
    assert np.mean(mirrored) == pytest.approx(0.3, abs=0.1)


def test_a_shift_moves_the_head_within_its_limit(head):
    places = np.array([ndimage.center_of_mass(image) for image in made(head, shift=0.1)]) - (28, 36)
    assert np.abs(places).max() < 6.4 + 0.1
    assert np.abs(places).max(axis=0) == pytest.approx([6.4, 6.4], abs=0.6)
    assert places.mean(axis=0) == pytest.approx([0, 0], abs=0.8)


def test_a_turn_is_about_the_center_and_within_its_limit(head):
    start = np.array([28, 36]) - 31.5
    angles = []
    for image in made(head, rotation=20):
        arm = np.array(ndimage.center_of_mass(image)) - 31.5
        assert np.linalg.norm(arm) == pytest.approx(np.linalg.norm(start), abs=0.1)
        cross = start[0] * arm[1] - start[1] * arm[0]
        angles.append(np.degrees(np.arctan2(cross, start @ arm)))
    assert np.abs(angles).max() == pytest.approx(20, abs=1)
    assert min(angles) < -15 < 15 < max(angles)


def test_a_zoom_changes_the_area_both_ways(head):
    areas = np.array([image.sum() for image in made(head, zoom=0.2)]) / head.sum()
    assert areas.max() == pytest.approx(1.2**2, rel=0.03)
    assert areas.min() == pytest.approx(1.2**-2, rel=0.03)


def test_intensities_are_bent_and_scaled_within_the_range(head):
    bent = np.array([image[28, 30] for image in made(head, gamma=0.25)])
    exponents = np.log(bent) / np.log(head[28, 30])
    assert (exponents.min(), exponents.max()) == pytest.approx((0.8, 1.25), rel=0.02)
    scaled = np.array([image[28, 30] / head[28, 30] for image in made(head, gain=0.1)])
    assert (scaled.min(), scaled.max()) == pytest.approx((0.9, 1.1), rel=0.01)
    assert max(image.max() for image in made(head, gain=0.5)) <= 1


def test_one_setting_does_not_shift_the_draws_of_another(head):
    moved = made(head, 5, shift=0.1)
    both = made(head, 5, shift=0.1, gain=0.5)
    for one, other in zip(moved, both, strict=True):
        lit = (one > 0.05) & (other < 1)
        assert np.ptp(other[lit] / one[lit]) < 1e-4


def test_the_result_is_an_image(head):
    for image in made(head, 5, flip=0.5, shift=0.1, rotation=10, zoom=0.1, gamma=0.2, gain=0.2):
        assert (image.shape, image.dtype, image.flags.c_contiguous) == ((64, 64), np.float32, True)
        assert 0 <= image.min() <= image.max() <= 1
