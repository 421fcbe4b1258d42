"""The map of points: places, pointing, choosing, lasso, zoom, keys, legend, colours."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from gui import palette
from gui.widgets.legend import Legend
from gui.widgets.scatter.model import Mark, PlotTransform, Scatter, fit_all, inside, nearest, nearest_in_direction
from gui.widgets.scatter.paint import SHAPES, find_color, order_of
from gui.widgets.scatter.widget import ScatterPlot

POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.5, 0.5]])
MARKS = Mark("a", "series:0", "circle"), Mark("b", "series:1", "square")
SCATTER = Scatter(POINTS, np.array([0, 0, 1, 1, 1]), MARKS, ("x", "y"))


@pytest.fixture
def plot(qtbot):
    made = ScatterPlot()
    qtbot.addWidget(made)
    made.resize(500, 400)
    made.show()
    made.show_points(SCATTER)
    return made


def place(plot, at):
    x, y = plot.frame.to_view(plot.scatter.points[[at]])[0]
    return QPoint(round(x), round(y))


def draw(plot, corners):
    QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=corners[0])
    for corner in corners[1:]:
        QTest.mouseMove(plot, corner)
    QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=corners[-1])


def round_points(plot, ats, spare=12):
    """A box round some points."""
    places = [place(plot, at) for at in ats]
    left, right = min(p.x() for p in places) - spare, max(p.x() for p in places) + spare
    top, bottom = min(p.y() for p in places) - spare, max(p.y() for p in places) + spare
    return [QPoint(left, top), QPoint(right, top), QPoint(right, bottom), QPoint(left, bottom), QPoint(left, top + 1)]


class TestModel:
    def test_whole_holds_all_points_and_stretches_one_axis_to_twice_at_most(self):
        frame = fit_all(POINTS * (4, 1), (500, 400))
        places = frame.to_view(POINTS * (4, 1))
        assert places[:, 0].min() > 0
        assert places[:, 0].max() < 500
        assert frame.scale[1] == pytest.approx(2 * frame.scale[0])
        assert frame.to_plane(tuple(places[3])) == pytest.approx((4, 1))

    def test_zoom_keeps_what_is_under_the_cursor(self):
        frame = fit_all(POINTS, (500, 400))
        zoomed = frame.zoomed(3, (100, 90), frame.scale)
        assert zoomed.to_plane((100, 90)) == pytest.approx(frame.to_plane((100, 90)))
        assert zoomed.scale == pytest.approx([3 * each for each in frame.scale])

    def test_nearest_passes_over_what_is_hidden_or_too_far(self):
        places = np.array([[10.0, 10.0], [14.0, 10.0], [90.0, 90.0]])
        assert nearest(places, np.array([True, True, True]), (11, 10), 12) == 0
        assert nearest(places, np.array([False, True, True]), (11, 10), 12) == 1
        assert nearest(places, np.array([False, False, True]), (11, 10), 12) == -1

    def test_inside_knows_hollow_shapes(self):
        corners = [(0, 0), (10, 0), (10, 10), (6, 10), (6, 3), (4, 3), (4, 10), (0, 10)]
        assert inside(np.array([[2.0, 8.0], [5.0, 8.0], [8.0, 8.0], [5.0, 1.0], [12.0, 5.0]]), corners).tolist() == [
            True, False, True, True, False,
        ]  # fmt: skip
        assert not inside(POINTS, [(0, 0), (1, 1)]).any()

    def test_towards_finds_the_next_point_that_way(self):
        places, shown = PlotTransform((0, 0), (0, 0), (1, 1)).to_view(POINTS), np.ones(5, np.bool_)
        assert nearest_in_direction(places, shown, 4, (1.0, 0.0)) in (1, 3)
        assert nearest_in_direction(places, shown, 0, (-1.0, 0.0)) == 0


class TestLook:
    def test_shapes_are_as_many_as_colours(self):
        assert len(SHAPES) >= len(palette.DARK.series) == len(palette.LIGHT.series)

    def test_large_groups_lie_under_small_ones(self):
        assert order_of(SCATTER).tolist() == [2, 3, 4, 0, 1]

    def test_high_values_stand_out_and_are_drawn_last(self):
        values = np.array([5.0, 1.0, 2.0, 3.0, 4.0])
        scatter = Scatter(POINTS, SCATTER.groups, MARKS, values=values)
        assert order_of(scatter)[-1] == 0
        assert find_color(scatter, 0, scatter.shares()) == palette.DARK.score[-1]
        assert find_color(scatter, 1, scatter.shares()) == palette.DARK.score[0]

    def test_points_are_drawn_in_the_colours_of_their_groups(self, plot):
        image = plot.grab().toImage()
        assert image.pixelColor(place(plot, 0)).name() == palette.find_series_color("series:0")
        assert image.pixelColor(place(plot, 4)).name() == palette.find_series_color("series:1")

    def test_hidden_group_is_neither_drawn_nor_found(self, plot, qtbot):
        plot.set_hidden([1])
        assert plot.grab().toImage().pixelColor(place(plot, 4)).name() != palette.find_series_color("series:1")
        QTest.mouseMove(plot, place(plot, 4))
        assert plot.hovered_index == -1


class TestGestures:
    def test_pointing_tells_and_shows_a_preview(self, plot, qtbot):
        plot.preview = lambda at: (None, [f"point {at}"])
        with qtbot.waitSignal(plot.pointed) as told:
            QTest.mouseMove(plot, place(plot, 3))
        assert told.args == [3]
        before = plot.grab().toImage()
        QTest.mouseMove(plot, QPoint(plot.width() // 2, 3))
        assert plot.hovered_index == -1
        assert plot.grab().toImage() != before

    def test_click_chooses(self, plot, qtbot):
        with qtbot.waitSignal(plot.chosen) as told:
            QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place(plot, 2))
        assert told.args == [2]

    def test_lasso_takes_what_is_shown_within_it(self, plot, qtbot):
        with qtbot.waitSignal(plot.lassoed) as told:
            draw(plot, round_points(plot, [0, 1]))
        assert told.args == [[0, 1]]
        plot.set_hidden([0])
        with qtbot.waitSignal(plot.lassoed) as told:
            draw(plot, round_points(plot, [0, 1, 2, 3]))
        assert told.args == [[2, 3, 4]]

    def test_wheel_zooms_at_the_cursor_and_r_shows_everything(self, plot, wheel):
        before = plot.frame
        at = place(plot, 0)
        wheel(plot, (at.x(), at.y()), 2)
        assert plot.frame.scale[0] > before.scale[0]
        assert abs(place(plot, 0).x() - at.x()) <= 1
        QTest.keyClick(plot, Qt.Key.Key_R)
        assert plot.frame == before

    def test_middle_drag_moves_the_map(self, plot, drag):
        before = place(plot, 4)
        drag(plot, (100, 100), (130, 80), Qt.MouseButton.MiddleButton)
        assert (place(plot, 4) - before) == QPoint(30, -20)

    def test_keys_go_from_point_to_point_and_choose(self, plot, qtbot):
        QTest.keyClick(plot, Qt.Key.Key_Right)
        assert plot.hovered_index == 4
        QTest.keyClick(plot, Qt.Key.Key_Right)
        assert plot.hovered_index in (1, 3)
        with qtbot.waitSignal(plot.chosen) as told:
            QTest.keyClick(plot, Qt.Key.Key_Return)
        assert told.args == [plot.hovered_index]

    def test_escape_lets_go_of_a_group(self, plot, qtbot):
        plot.select([0, 1])
        with qtbot.waitSignal(plot.lassoed) as told:
            QTest.keyClick(plot, Qt.Key.Key_Escape)
        assert told.args == [[]]

    def test_what_is_looked_at_stays_when_the_map_gets_another_size(self, plot):
        plot.resize(520, 390)
        assert plot.frame == fit_all(POINTS, (520, 390))
        plot.set_transform(plot.frame.zoomed(3, (100, 90), plot.frame.scale))
        seen = plot.frame
        plot.resize(520, 389)
        assert plot.frame == PlotTransform((520, 389), seen.centre, seen.scale)


class TestLegend:
    def test_entry_is_switched_off_and_the_last_one_stays(self, qtbot):
        legend = Legend()
        qtbot.addWidget(legend)
        legend.show()
        legend.show_marks(MARKS, (2, 3), False, ())
        assert legend.chip(0).text() == "✓ a 2"
        with qtbot.waitSignal(legend.changed) as told:
            legend.chip(1).click()
        assert told.args == [[1]]
        assert legend.hidden_titles() == ["b"]
        legend.chip(0).click()
        assert legend.hidden() == [1]


class TestFocus:
    def frame_of(self, plot):
        return plot.grab().toImage().pixelColor(1, 1).name()

    def test_is_framed_only_for_whoever_uses_keys(self, plot, qtbot):
        plot.activateWindow()
        qtbot.waitUntil(plot.isActiveWindow)
        focus = palette.current().focus
        plot.setFocus(Qt.FocusReason.OtherFocusReason)
        qtbot.waitUntil(plot.hasFocus)
        assert self.frame_of(plot) != focus
        QTest.keyClick(plot, Qt.Key.Key_Right)
        assert self.frame_of(plot) == focus
        QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(90, 30))
        assert self.frame_of(plot) != focus
        plot.clearFocus()
        plot.setFocus(Qt.FocusReason.TabFocusReason)
        assert self.frame_of(plot) == focus


class TestGuest:
    def test_is_in_sight_stands_out_and_goes(self, plot):
        before, frame = plot.grab().toImage(), plot.frame
        plot.set_guest((0.5, 0.25), "a file")
        assert plot.frame == frame
        assert plot.grab().toImage() != before
        plot.set_guest(None)
        assert plot.grab().toImage() == before

    def test_zooms_out_for_one_that_lies_far_away(self, plot):
        plot.set_guest((40.0, 0.5), "a file")
        x, y = plot.frame.to_view(np.array([[40.0, 0.5]]))[0]
        assert 0 < x < 500
        assert 0 < y < 400
        QTest.mouseDClick(plot, Qt.MouseButton.LeftButton)
        assert plot.frame.to_view(np.array([[40.0, 0.5]]))[0][0] == pytest.approx(x)


class TestRings:
    def test_letters_that_would_cover_each_other_stand_side_by_side(self, plot):
        twins = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        plot.show_points(Scatter(twins, np.zeros(4, np.int64), MARKS[:1], ("x", "y")))
        plot.set_rings({0: "1", 1: "2", 2: "3"})
        shown = plot.grab().toImage()
        plot.set_rings({0: "1, 2", 1: "", 2: "3"})
        assert plot.grab().toImage() == shown

    def test_merged_letters_take_those_along_that_they_reach(self, plot):
        near = np.array([[0.0, 0.0], [0.04, 0.0], [0.0, 0.0], [1.0, 1.0]])
        plot.show_points(Scatter(near, np.zeros(4, np.int64), MARKS[:1], ("x", "y")))
        plot.set_rings({0: "1", 1: "2", 2: "3"})
        shown = plot.grab().toImage()
        plot.set_rings({0: "1, 2, 3", 1: "", 2: ""})
        assert plot.grab().toImage() == shown

    def test_letters_stand_at_the_left_where_the_map_ends(self, plot):
        plot.set_rings({3: ""})
        bare = plot.grab().toImage()
        plot.set_rings({3: "a long name"})
        named, (x, y) = plot.grab().toImage(), plot.frame.to_view(plot.scatter.points[[3]])[0].astype(int)
        changed = [at for at in range(named.width()) if named.pixel(at, y - 9) != bare.pixel(at, y - 9)]
        assert max(changed) < x
        assert max(changed) - min(changed) > plot.fontMetrics().horizontalAdvance("long name")
