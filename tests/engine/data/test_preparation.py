import numpy as np
import pytest
from PIL import Image

from engine.data import Scan, prepare
from engine.data.preparation import measure_range, restore


def ramp(height, width):
    return np.linspace(0, 1, height * width, dtype=np.float32).reshape(height, width)


@pytest.mark.parametrize("fit", ["letterbox", "squash"])
@pytest.mark.parametrize("normalisation", ["none", "percentile", "z-score"])
@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (300, 5), (32, 32), (64, 48)])
def test_every_image_becomes_a_square_in_0_to_1(config, fit, normalisation, shape):
    image = prepare(ramp(*shape), config(fit=fit, normalisation=normalisation))
    assert image.shape == (32, 32)
    assert image.dtype == np.float32
    assert 0 <= image.min() <= image.max() <= 1


def test_a_square_of_the_right_size_stays_as_it_is(config, noise):
    picture = noise(0, (32, 32)).astype(np.float32) / 255
    np.testing.assert_array_equal(prepare(picture, config()), picture)


def test_letterbox_keeps_the_proportions_and_pads_with_black_on_both_sides(config):
    image = prepare(np.ones((20, 40)), config())
    assert (image[8:24] == 1).all()
    assert not image[:8].any()
    assert not image[24:].any()


def test_letterbox_counts_millimetres_not_pixels(config):
    image = prepare(np.ones((10, 40)), config(), aspect=2.0)  # pixels twice as high as wide: 20 by 40 millimetres
    assert image.any(axis=1).sum() == 16


def test_a_scan_brings_its_aspect_and_its_middle_slice_is_taken(config):
    pixels = np.stack([np.zeros((10, 40)), np.ones((10, 40)), np.zeros((10, 40))]).astype(np.float32)
    scan = Scan(pixels, "head.nii", "nifti", spacing_mm=(2.0, 1.0))
    assert prepare(scan, config()).any(axis=1).sum() == 16
    assert not prepare(scan, config(), index=0).any()


def test_squash_fills_the_square(config):
    assert (prepare(np.ones((20, 40)), config(fit="squash")) == 1).all()


def test_resizing_is_pillows_bilinear_filter_as_the_reference_numbers_used_it(config, noise):
    picture = noise(0, (100, 80))
    reference = np.asarray(Image.fromarray(picture).resize((32, 32), Image.Resampling.BILINEAR)) / 255
    image = prepare(picture / 255, config(fit="squash"))
    np.testing.assert_array_equal(image, reference.astype(np.float32))
    np.testing.assert_array_equal(prepare(picture, config(fit="squash")), image)


def test_a_faint_image_of_8_bits_that_is_normalized_keeps_its_fine_steps(config, noise):
    picture = 100 + noise(0, (320, 320)) // 64
    image = prepare(picture, config(normalisation="percentile"))
    assert len(np.unique(image)) > 100
    np.testing.assert_array_equal(prepare(picture / 255, config(normalisation="percentile")), image)


def test_a_fine_pattern_does_not_alias(config):
    checkers = np.indices((320, 320)).sum(axis=0) % 2
    np.testing.assert_allclose(prepare(checkers.astype(np.float32), config())[1:-1, 1:-1], 0.5, atol=0.01)


def test_percentile_spreads_a_faint_image_and_leaves_the_padding_out(config):
    faint = 0.3 + 0.1 * ramp(40, 80)
    image = prepare(faint, config(normalisation="percentile"))
    inside = image[8:24]
    assert inside.min() == 0
    assert inside.max() == 1
    assert inside.mean() == pytest.approx(0.5, abs=0.02)
    assert not image[:8].any()


def test_percentile_ignores_a_single_hot_pixel(config):
    picture = 0.5 * ramp(32, 32)
    picture[3, 3] = 1
    assert prepare(picture, config(normalisation="percentile"))[31, 31] > 0.95


def test_z_score_puts_the_mean_of_the_head_in_the_middle(config):
    picture = np.zeros((32, 32), dtype=np.float32)
    head = 0.4 + 0.1 * np.random.default_rng(0).standard_normal((16, 16)).clip(-2, 2)
    picture[8:24, 8:24] = head
    image = prepare(picture, config(normalisation="z-score"))[8:24, 8:24]
    assert image.mean() == pytest.approx(0.5, abs=1e-3)
    assert image.std() == pytest.approx(1 / 6, abs=1e-3)


@pytest.mark.parametrize("normalisation", ["percentile", "z-score"])
@pytest.mark.parametrize("gray", [0.0, 0.5, 1.0])
def test_an_image_of_one_gray_stays_as_it_is(config, normalisation, gray):
    image = prepare(np.full((20, 20), gray), config(normalisation=normalisation))
    np.testing.assert_allclose(image, gray, atol=1e-6)


def blob(height, width, row, column):
    """A smooth spot, 6 pixels wide in an image of 60."""
    down, across = np.mgrid[:height, :width]
    return np.exp(-(((down - row) / (height / 20)) ** 2 + ((across - column) / (width / 20)) ** 2)).astype(np.float32)


def center(image):
    """The weighted middle of an image: row, column."""
    places = np.indices(image.shape).reshape(2, -1)
    return places @ image.ravel() / image.sum()


@pytest.mark.parametrize("fit", ["letterbox", "squash"])
@pytest.mark.parametrize("aspect", [1.0, 2.5, 0.4])
@pytest.mark.parametrize("shape", [(60, 60), (60, 97), (131, 60), (20, 24)])
def test_restoring_brings_a_prepared_image_back_to_its_place_and_size(config, fit, aspect, shape):
    settings = config(fit=fit, size=64)
    image = 0.1 + 0.8 * blob(*shape, shape[0] * 0.3, shape[1] * 0.7)
    restored = restore(prepare(image, settings, aspect=aspect), settings, shape, aspect)
    assert (restored.shape, restored.dtype) == (shape, np.float32)
    np.testing.assert_allclose(center(restored - 0.1), center(image - 0.1), atol=0.5)
    assert np.abs(restored - image).mean() < 0.01


@pytest.mark.parametrize("normalisation", ["percentile", "z-score"])
def test_restoring_undoes_the_normalization(config, normalisation):
    settings = config(normalisation=normalisation, size=32)
    image = 0.3 + 0.1 * ramp(32, 24)
    limits = measure_range(image, settings)
    restored = restore(prepare(image, settings), settings, image.shape, limits=limits)
    assert limits != (0.0, 1.0)
    assert np.abs(restored - image.clip(*limits)).max() < 0.01  # z-score clips the darkest part of the head


def test_restoring_leaves_the_padding_out(config):
    square = np.zeros((32, 32), np.float32)
    square[8:24] = 1  # all that an image of 20 by 40 fills
    assert (restore(square, config(), (20, 40)) == 1).all()
