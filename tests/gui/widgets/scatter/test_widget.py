"""The map of points: places, pointing, choosing, lasso, zoom, keys, legend, colors."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGraphicsTextItem

from gui import palette
from gui.widgets.legend import Legend
from gui.widgets.scatter.model import Mark, Scatter, fit_ranges, inside, nearest, nearest_in_direction
from gui.widgets.scatter.paint import SHAPES, find_color, order_of
from gui.widgets.scatter.widget import ScatterPlot

POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.5, 0.5]])
MARKS = Mark("a", "series:0", "circle"), Mark("b", "series:1", "square")
NO_BUTTON = Qt.MouseButton.NoButton
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
    x, y = plot.canvas.to_widget(plot.scatter.points[[at]])[0]
    return QPoint(round(x), round(y))


def seen(plot):
    """The ranges of x and y in view, as one row of four numbers."""
    return np.ravel(plot.canvas.box.viewRange())


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
        (left, right), (bottom, top) = fit_ranges(POINTS * (4, 1), (500, 400))
        assert left < 0 < 4 < right
        assert bottom < 0 < 1 < top
        assert 400 / (top - bottom) == pytest.approx(2 * 500 / (right - left))

    @pytest.mark.parametrize("points", [POINTS[:0], POINTS[:1], POINTS[:2]])
    def test_whole_has_a_size_where_points_have_none(self, points):
        (left, right), (bottom, top) = fit_ranges(points, (500, 400))
        assert left < right
        assert bottom < top

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
        places, shown = POINTS * (1, -1), np.ones(5, np.bool_)
        assert nearest_in_direction(places, shown, 4, (1.0, 0.0)) in (1, 3)
        assert nearest_in_direction(places, shown, 0, (-1.0, 0.0)) == 0


class TestLook:
    def test_shapes_are_as_many_as_colors(self):
        assert len(SHAPES) >= len(palette.DARK.series) == len(palette.LIGHT.series)

    def test_large_groups_lie_under_small_ones(self):
        assert order_of(SCATTER).tolist() == [2, 3, 4, 0, 1]

    def test_high_values_stand_out_and_are_drawn_last(self):
        values = np.array([5.0, 1.0, 2.0, 3.0, 4.0])
        scatter = Scatter(POINTS, SCATTER.groups, MARKS, values=values)
        assert order_of(scatter)[-1] == 0
        assert find_color(scatter, 0, scatter.shares()) == palette.DARK.score[-1]
        assert find_color(scatter, 1, scatter.shares()) == palette.DARK.score[0]

    def test_points_are_drawn_in_the_colors_of_their_groups(self, plot):
        image = plot.grab().toImage()
        assert image.pixelColor(place(plot, 0)).name() == palette.find_series_color("series:0")
        assert image.pixelColor(place(plot, 4)).name() == palette.find_series_color("series:1")

    def test_titles_of_the_axes_are_shortened_to_fit_a_small_plot(self, plot):
        plot.show_points(Scatter(POINTS, SCATTER.groups, MARKS, ("x" * 40, "y" * 40)))
        plot.resize(plot.minimumSize())
        titles = [item for item in plot.canvas.items() if isinstance(item, QGraphicsTextItem)]
        assert len(titles) == 2
        room = QRectF(plot.rect()).adjusted(-2, -2, 2, 2)  # a title has an empty margin of 4 px
        assert all(room.contains(title.sceneBoundingRect()) for title in titles)
        plot.resize(800, 600)
        assert {title.toPlainText().strip() for title in titles} == {"x" * 40, "y" * 40}

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

    def test_box_takes_what_is_shown_between_two_corners(self, plot, qtbot):
        left_top, right_top, right_bottom, *_ = round_points(plot, [0, 1, 4])
        shift = Qt.KeyboardModifier.ShiftModifier
        QTest.mousePress(plot, Qt.MouseButton.LeftButton, shift, left_top)
        for corner in (right_top, right_bottom):
            event = QMouseEvent(
                QEvent.Type.MouseMove, corner, plot.mapToGlobal(corner), NO_BUTTON, Qt.MouseButton.LeftButton, shift
            )
            QApplication.sendEvent(plot, event)
        with qtbot.waitSignal(plot.lassoed) as told:
            QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, shift, right_bottom)
        assert told.args == [[0, 1, 4]]

    def test_wheel_zooms_at_the_cursor_and_r_shows_everything(self, plot, wheel):
        before, at = seen(plot), plot.canvas.to_widget(POINTS[:1])[0]
        wheel(plot, tuple(at), 2)
        assert np.diff(before.reshape(2, 2)) == pytest.approx(1.44 * np.diff(seen(plot).reshape(2, 2)))
        assert plot.canvas.to_widget(POINTS[:1])[0] == pytest.approx(at)
        QTest.keyClick(plot, Qt.Key.Key_R)
        assert seen(plot) == pytest.approx(before)

    def test_zoom_stays_within_half_and_two_hundred_times_the_whole(self, plot, wheel):
        whole = seen(plot)[1] - seen(plot)[0]
        for notches, factor in ((-60, 0.5), (60, 200.0)):
            wheel(plot, (200, 150), notches)
            assert whole / (seen(plot)[1] - seen(plot)[0]) == pytest.approx(factor)

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
        room = plot.canvas.room()
        assert seen(plot) == pytest.approx(np.ravel(fit_ranges(POINTS, (room.width(), room.height()))))
        plot.canvas.zoom(3, QPointF(100, 90))
        left, right, bottom, top = seen(plot)
        plot.resize(540, 350)
        more, less = 20 * (right - left) / room.width() / 2, 40 * (top - bottom) / room.height() / 2
        assert seen(plot) == pytest.approx([left - more, right + more, bottom + less, top - less])


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
        before, ranges = plot.grab().toImage(), seen(plot)
        plot.set_guest((0.5, 0.25), "a file")
        assert seen(plot) == pytest.approx(ranges)
        assert plot.grab().toImage() != before
        plot.set_guest(None)
        assert plot.grab().toImage() == before

    def test_zooms_out_for_one_that_lies_far_away(self, plot):
        plot.set_guest((40.0, 0.5), "a file")
        x, y = plot.canvas.to_widget(np.array([[40.0, 0.5]]))[0]
        assert 0 < x < 500
        assert 0 < y < 400
        QTest.mouseDClick(plot, Qt.MouseButton.LeftButton)
        assert plot.canvas.to_widget(np.array([[40.0, 0.5]]))[0][0] == pytest.approx(x)


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
        named, (x, y) = plot.grab().toImage(), plot.canvas.to_widget(plot.scatter.points[[3]])[0].astype(int)
        changed = [at for at in range(named.width()) if named.pixel(at, y - 9) != bare.pixel(at, y - 9)]
        assert max(changed) < x
        assert max(changed) - min(changed) > plot.fontMetrics().horizontalAdvance("long name")
