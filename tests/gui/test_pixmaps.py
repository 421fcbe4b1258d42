"""Numbers to pixels: exact, symmetric, the right way up."""

import numpy as np
import pytest

from gui.palette import luminance
from gui.pixmaps import (
    Colormap,
    bar_image,
    gray_image,
    heat_image,
    image_of,
    make_color_table,
    pixels_of,
    robust_limit,
    robust_range,
    signed_image,
    to_gray,
)


@pytest.mark.parametrize("shape", [(5, 7), (1, 1), (3, 4, 3), (2, 5, 3)])
def test_bytes_survive_the_way_to_an_image_and_back(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    np.testing.assert_array_equal(pixels_of(image_of(pixels)), pixels)


def test_image_of_a_view_into_a_larger_array_is_that_view():
    pixels = np.arange(100, dtype=np.uint8).reshape(10, 10)
    np.testing.assert_array_equal(pixels_of(image_of(pixels[2:9:2, ::-3])), pixels[2:9:2, ::-3])


def test_corner_stays_in_its_corner():
    values = np.zeros((4, 6), np.float32)
    values[0, 5] = 1  # upper right
    image = gray_image(values)
    assert (image.width(), image.height()) == (6, 4)
    assert image.pixelColor(5, 0).lightness() == 255
    assert pixels_of(image).sum() == 255


def test_unit_range_maps_to_bytes_exactly():
    bytes_ = np.arange(256, dtype=np.uint8)[None]
    np.testing.assert_array_equal(to_gray(bytes_.astype(np.float32) / 255, 1.0, 0.5), bytes_)


def test_window_and_level_clip_and_stretch():
    values = np.array([[0.1, 0.2, 0.4, 0.6, 0.9]])
    np.testing.assert_array_equal(to_gray(values, window=0.4, level=0.4), [[0, 0, 128, 255, 255]])


def test_invert_swaps_black_and_white():
    values = np.linspace(0, 1, 11)[None]
    np.testing.assert_array_equal(to_gray(values, 1, 0.5, invert=True), 255 - to_gray(values, 1, 0.5))


def test_values_that_are_no_numbers_are_drawn_lowest_without_a_warning():
    values = np.array([[np.nan, np.inf, -np.inf, 0.5]])
    np.testing.assert_array_equal(to_gray(values, 1, 0.5), [[0, 0, 0, 128]])
    assert pixels_of(heat_image(values, 0, 1))[0, 0].tolist() == make_color_table(Colormap.HEAT)[0].tolist()


def test_zero_difference_is_neutral_gray_exactly():
    zero = pixels_of(signed_image(np.zeros((1, 1)), 0.3))[0, 0]
    assert zero[0] == zero[1] == zero[2] == 0x1C


def test_signs_are_as_bright_as_each_other_and_of_opposite_colors():
    values = np.array([[-0.3, -0.2, -0.1, 0.1, 0.2, 0.3]])
    pixels = pixels_of(signed_image(values, 0.3))[0]
    light = [luminance("#{:02x}{:02x}{:02x}".format(*pixel)) for pixel in pixels]
    np.testing.assert_allclose(light[:3], light[:2:-1], atol=0.035)
    assert light[0] > light[1] > light[2]
    for pixel in pixels[:3]:
        assert pixel[2] > pixel[0]  # blue below zero
    for pixel in pixels[3:]:
        assert pixel[0] > pixel[2]  # orange above


def test_limit_saturates_both_ends():
    pixels = pixels_of(signed_image(np.array([[-9.0, -0.3, 0.3, 9.0]]), 0.3))[0]
    assert pixels[0].tolist() == pixels[1].tolist() == make_color_table(Colormap.SIGNED)[0].tolist()
    assert pixels[2].tolist() == pixels[3].tolist() == make_color_table(Colormap.SIGNED)[-1].tolist()


def test_heat_grows_brighter_all_the_way():
    table = make_color_table(Colormap.HEAT)
    light = [luminance("#{:02x}{:02x}{:02x}".format(*color)) for color in table]
    assert np.all(np.diff(light) > 0)


def test_color_bar_runs_from_low_to_high():
    lying = pixels_of(bar_image(Colormap.HEAT, 255))
    np.testing.assert_array_equal(lying[0], make_color_table(Colormap.HEAT))


def test_robust_range_leaves_the_extremes_out():
    values = np.append(np.linspace(0, 1, 10_000), [50.0, -50.0, np.nan])
    low, high = robust_range(values)
    assert (low, high) == pytest.approx((0.001, 0.999), abs=3e-4)
    assert robust_range(np.array([np.nan])) == (0.0, 1.0)


def test_robust_limit_is_never_zero():
    assert robust_limit(np.zeros((4, 4))) == 1.0
    assert robust_limit(np.array([[-2.0, 1.0]])) == pytest.approx(2.0, rel=0.01)
