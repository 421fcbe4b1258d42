"""Regions as masks: which pixels they hold, and what is refused."""

import math

import numpy as np
import pytest

from engine import lesions
from engine.errors import RegionError

SHAPE = (40, 60)


def test_rectangles_side_by_side_share_no_pixel_and_leave_none_out():
    left, right = lesions.rectangle(SHAPE, 3, 4, 5, 6), lesions.rectangle(SHAPE, 8, 4, 2.5, 6)
    assert lesions.area(left) == 30
    assert not (left & right).any()
    assert np.array_equal(left | right, lesions.rectangle(SHAPE, 3, 4, 7.5, 6))
    assert np.argwhere(left).min(axis=0).tolist() == [4, 3]


def test_ellipse_fills_its_box():
    mask = lesions.ellipse(SHAPE, 10, 5, 30, 20)
    assert lesions.area(mask) == pytest.approx(math.pi * 15 * 10, rel=0.02)
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (5, 24, 10, 39)
    assert np.array_equal(mask[5:25], mask[5:25][::-1])


def test_polygon_holds_what_the_rectangle_of_its_corners_holds():
    corners = [(3, 4), (8, 4), (8, 10), (3, 10)]
    assert np.array_equal(lesions.polygon(SHAPE, corners), lesions.rectangle(SHAPE, 3, 4, 5, 6))
    assert np.array_equal(lesions.polygon(SHAPE, corners[::-1]), lesions.rectangle(SHAPE, 3, 4, 5, 6))


def test_triangle_has_half_the_area_of_its_box():
    assert lesions.area(lesions.polygon((100, 100), [(10, 10), (90, 10), (10, 90)])) == pytest.approx(3200, rel=0.02)


def test_regions_are_cut_off_at_the_edge_of_the_image():
    assert lesions.area(lesions.rectangle(SHAPE, -5, -5, 10, 10)) == 25
    assert not lesions.ellipse(SHAPE, 100, 100, 10, 10).any()


@pytest.mark.parametrize("make", [lesions.ellipse, lesions.rectangle])
def test_region_without_extent_is_refused(make):
    with pytest.raises(RegionError, match="contains nothing"):
        make(SHAPE, 5, 5, 0, 4)


@pytest.mark.parametrize("corners", [[], [(1, 1), (2, 2)], [(1, 1), (2, 2), (math.nan, 3)]])
def test_line_that_is_no_polygon_is_refused(corners):
    with pytest.raises(RegionError, match="three corners"):
        lesions.polygon(SHAPE, corners)


@pytest.mark.parametrize("rim", [1, 2, 4, 7])
def test_rim_along_the_grid_is_as_wide_as_requested(rim):
    mask = lesions.rectangle((60, 60), 20, 25, 20, 8)
    band = lesions.make_rim_mask(mask, rim)
    assert band[:, 30].sum() == 2 * rim
    assert band[28].sum() == 2 * rim
    assert not (band & mask).any()


@pytest.mark.parametrize("radius", [10, 16, 24])
def test_rim_of_a_disc_has_the_area_of_its_ring(radius):
    mask = lesions.ellipse((96, 96), 48 - radius, 48 - radius, 2 * radius, 2 * radius)
    ring = math.pi * ((radius + 4) ** 2 - radius**2)
    assert lesions.area(lesions.make_rim_mask(mask, 4)) == pytest.approx(ring, rel=0.06)


def test_rim_stays_in_the_image_and_out_of_other_things():
    mask = lesions.rectangle(SHAPE, 0, 0, 6, 6)
    other = lesions.rectangle(SHAPE, 6, 0, 10, 40)
    band = lesions.make_rim_mask(mask, 4, avoid=other)
    assert not (band & other).any()
    assert band.any()
    assert lesions.area(lesions.make_rim_mask(mask, 4)) < 4 * 24


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (np.zeros(SHAPE, bool), "no pixel"),
        (lesions.rectangle(SHAPE, 4, 4, 2, 1), "contains 2 pixels; at least 4 are needed"),
        (np.ones(SHAPE, bool), "whole image"),
        (np.zeros((3, 4, 5), bool), "does not fit"),
    ],
)
def test_unfit_region_is_a_sentence(mask, sentence):
    with pytest.raises(RegionError, match=sentence):
        lesions.make_rim_mask(mask)


def test_rim_that_is_none_is_refused():
    with pytest.raises(RegionError, match="background ring of 0 px"):
        lesions.make_rim_mask(lesions.rectangle(SHAPE, 4, 4, 9, 9), 0)
    nearly_all = np.ones(SHAPE, bool)
    nearly_all[0, :2] = False
    with pytest.raises(RegionError, match="too little image around"):
        lesions.make_rim_mask(nearly_all)


def test_regions_are_read_as_they_are_typed():
    assert np.array_equal(lesions.parse_region("10, 5, 30, 20", SHAPE), lesions.ellipse(SHAPE, 10, 5, 30, 20))
    assert np.array_equal(lesions.parse_region("rectangle:3,4,5,6", SHAPE), lesions.rectangle(SHAPE, 3, 4, 5, 6))
    triangle = lesions.polygon(SHAPE, [(3, 4), (20, 4), (3, 30.5)])
    assert np.array_equal(lesions.parse_region("Polygon: 3,4,20,4,3,30.5", SHAPE), triangle)


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "circle:1,2,3,4", "polygon:1,2,3,4", "nan,1,2,3"])
def test_region_that_cannot_be_read_says_how_it_is_typed(text):
    with pytest.raises(RegionError, match=r"not a valid region.*polygon:x,y,x,y,x,y"):
        lesions.parse_region(text, SHAPE)
