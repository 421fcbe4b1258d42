"""The numbers behind a curve: smoothing, ranges, the nearest point."""

import numpy as np
import pytest

from gui.widgets.curves.series import Scale, Series, SeriesStyle, Smoother, decimate, padded_bounds, to_axis

STYLE = SeriesStyle("a", "a")


def test_smoothing_by_hand():
    smooth = Smoother(0.5).extend(np.array([1.0, 2.0, 4.0]))
    np.testing.assert_allclose(smooth, [1, (0.5 * 1 + 2) / 1.5, (0.25 * 1 + 0.5 * 2 + 4) / 1.75])


def test_no_smoothing_is_the_curve_itself_and_a_constant_stays_constant():
    values = np.random.default_rng(0).normal(size=50)
    np.testing.assert_array_equal(Smoother(0.0).extend(values), values)
    np.testing.assert_allclose(Smoother(0.99).extend(np.full(50, 7.0)), 7.0)  # no pull towards zero at the start


def test_gaps_are_kept_and_left_out_of_the_average():
    smooth = Smoother(0.5).extend(np.array([1.0, np.nan, np.inf, 2.0]))
    np.testing.assert_allclose(smooth, [1, np.nan, np.inf, 2.5 / 1.5])


def test_a_growing_curve_is_smoothed_as_a_whole_one():
    y = np.random.default_rng(1).normal(size=100)
    growing, whole = Series(STYLE, 0.9), Series(STYLE, 0.9)
    for end in (1, 10, 11, 60, 100):
        growing.set_data(np.arange(end), y[:end])
    whole.set_data(np.arange(100), y)
    np.testing.assert_allclose(growing.smooth, whole.smooth)


def test_only_new_points_are_smoothed(monkeypatch):
    seen = []
    extend = Smoother.extend
    monkeypatch.setattr(Smoother, "extend", lambda self, values: (seen.append(len(values)), extend(self, values))[1])
    series = Series(STYLE, 0.5)
    series.set_data(range(1000), np.zeros(1000))
    series.set_data(range(1003), np.zeros(1003))
    assert seen == [1000, 3]


def test_another_curve_under_the_same_key_starts_anew():
    series = Series(STYLE, 0.5)
    series.set_data([1, 2, 3], [1.0, 2.0, 3.0])
    series.set_data([1, 2], [5.0, 5.0])
    np.testing.assert_allclose(series.smooth, [5, 5])


def test_smoothing_can_be_changed_later():
    series = Series(STYLE, 0.0)
    series.set_data([1, 2], [1.0, 2.0])
    series.set_smoothing(0.5)
    np.testing.assert_allclose(series.smooth, [1, 2.5 / 1.5])


@pytest.mark.parametrize(("x", "index"), [(2.9, 1), (3.4, 1), (3.51, 2), (0.4, None), (5.6, None)])
def test_nearest_point_within_half_a_step(x, index):
    series = Series(STYLE, 0.0)
    series.set_data([1, 3, 4, 5], [0.0, 0.0, 0.0, 0.0])
    assert series.nearest(x) == index


def test_empty_curve_has_no_nearest_point_and_no_bounds():
    series = Series(STYLE, 0.0)
    assert series.nearest(1.0) is None
    assert series.bounds(Scale(False, False)) is None


def test_bounds_leave_out_what_an_axis_cannot_show():
    series = Series(STYLE, 0.0)
    series.set_data([0, 1, 10, 20], [5.0, -1.0, 0.5, np.nan])
    assert series.bounds(Scale(False, False)) == (0, 10, -1, 5)
    assert series.bounds(Scale(True, True)) == (10, 10, 0.5, 0.5)


def test_places_on_a_logarithmic_axis():
    np.testing.assert_allclose(to_axis(np.array([100.0, 0.001, 0.0, -1.0]), True), [2, -3, np.nan, np.nan])


@pytest.mark.parametrize("bounds", [[(3.0, 3.0, 2.0, 2.0)], [(3.0, 3.0, 0.0, 0.0)], []])
def test_range_is_sane_for_one_point_and_for_none(bounds):
    left, right, low, high = padded_bounds(bounds)
    assert right - left >= 1
    assert high > low
    assert np.isfinite([left, right, low, high]).all()


def test_range_holds_all_curves():
    left, right, low, high = padded_bounds([(0, 10, 1, 2), (5, 20, -3, 1)])
    assert left < 0 < 20 < right
    assert low < -3 < 2 < high


def test_thinning_keeps_ends_and_every_extreme_and_few_points():
    y = np.random.default_rng(0).normal(size=50_001).cumsum()
    y[[100, 40_000]] = [5000.0, -5000.0]
    y[7] = np.nan
    kept = decimate(y, 2000)
    assert len(kept) <= 2000
    assert np.all(np.diff(kept) > 0)
    assert {0, 100, 40_000, 50_000} <= set(kept.tolist())


@pytest.mark.parametrize("count", [0, 1, 2000])
def test_thinning_leaves_short_curves_alone(count):
    np.testing.assert_array_equal(decimate(np.zeros(count), 2000), np.arange(count))


@pytest.mark.parametrize("count", [2001, 2999, 5000])
def test_thinning_never_exceeds_its_limit(count):
    assert 1000 <= len(decimate(np.random.default_rng(0).random(count), 2000)) <= 2000
