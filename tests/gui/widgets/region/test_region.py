"""Regions: their geometry, and drawing, moving and resizing them with the mouse and by keys, each a step to undo."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QUndoStack
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui import palette
from gui.pixmaps import pixels_of
from gui.widgets.image_view import ImageView
from gui.widgets.region.buttons import RegionButtons
from gui.widgets.region.region import Region, RegionState
from gui.widgets.region.tool import RegionTool, path_of, with_rim

LEFT = Qt.MouseButton.LeftButton
ELLIPSE = Region("ellipse", ((0.2, 0.3), (0.6, 0.5)))


@pytest.fixture
def undo(qtbot, qapp):
    made = QUndoStack()
    yield made
    made.deleteLater()


@pytest.fixture
def state(undo):
    return RegionState(undo, undo)


@pytest.fixture
def view(qtbot, state):
    """An image of 100 x 100 px on a view of 200 x 200, so that a share of 0.1 is 20 px."""
    made = ImageView()
    qtbot.addWidget(made)
    made.resize(200, 200)
    made.set_orientation("")
    made.set_image(np.zeros((100, 100), np.float32))
    RegionTool(made, state)
    made.show()
    return made


def double_click(view, at):
    place = QPointF(*at)
    kind, plain = QEvent.Type.MouseButtonDblClick, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(view, QMouseEvent(kind, place, QPointF(view.mapToGlobal(at_point(at))), LEFT, LEFT, plain))


def at_point(at):
    return QPointF(*at).toPoint()


def points(region):
    return tuple(pytest.approx(point, abs=1e-9) for point in region.points)


class TestGeometry:
    def test_ellipse_holds_its_middle_and_not_the_corners_of_its_box(self):
        assert ELLIPSE.contains((0.4, 0.4))
        assert ELLIPSE.contains((0.201, 0.4))
        assert not ELLIPSE.contains((0.21, 0.31))
        assert Region("rectangle", ELLIPSE.points).contains((0.21, 0.31))

    def test_polygon_holds_what_is_inside_by_the_even_odd_rule(self):
        arrow = Region("polygon", ((0.1, 0.1), (0.9, 0.1), (0.5, 0.4), (0.9, 0.9), (0.1, 0.9)))
        assert arrow.contains((0.2, 0.5))
        assert not arrow.contains((0.8, 0.4))

    def test_moving_stops_at_the_edges(self):
        assert ELLIPSE.moved((0.1, -0.1)).points == points(Region("ellipse", ((0.3, 0.2), (0.7, 0.4))))
        assert ELLIPSE.moved((5, -5)).box == pytest.approx((0.6, 0.0, 1.0, 0.2))

    def test_handles_resize_one_side_or_two(self):
        assert ELLIPSE.handles()[0] == (0.2, 0.3)
        assert ELLIPSE.with_handle(3, (0.9, 0.0)).box == pytest.approx((0.2, 0.3, 0.9, 0.5))
        assert ELLIPSE.with_handle(6, (0.1, 1.4)).box == pytest.approx((0.1, 0.3, 0.6, 1.0))

    def test_growing_keeps_the_middle_and_the_image_keeps_it_in(self):
        assert ELLIPSE.grown((0.05, 0.1)).box == pytest.approx((0.15, 0.2, 0.65, 0.6))
        assert ELLIPSE.grown((-9, -9)).box == pytest.approx((0.39, 0.395, 0.41, 0.405))
        assert ELLIPSE.grown((9, 9)).box == (0, 0, 1, 1)

    def test_rim_widens_by_its_pixels_on_all_sides(self, qapp):
        path = path_of(ELLIPSE, (100, 100))
        assert path.boundingRect().getRect() == pytest.approx((20, 30, 40, 20))
        assert with_rim(path, 4).boundingRect().getRect() == pytest.approx((16, 26, 48, 28), abs=0.2)


class TestMouse:
    def test_dragging_draws_an_ellipse_that_can_be_undone_and_redone(self, view, state, undo, drag):
        state.set_mode("ellipse")
        drag(view, (40, 60), (120, 100))
        assert state.region == ELLIPSE
        assert state.mode == ""
        undo.undo()
        assert state.region is None
        undo.redo()
        assert state.region == ELLIPSE

    def test_a_click_draws_nothing_and_drawing_continues(self, view, state, undo, drag):
        state.set_mode("ellipse")
        drag(view, (40, 60), (41, 60))
        assert (state.region, state.mode, undo.count()) == (None, "ellipse", 0)

    def test_inside_moves_and_handles_resize(self, view, state, undo, drag):
        state.show_region(ELLIPSE)
        drag(view, (80, 80), (100, 60))
        assert state.region.box == pytest.approx((0.3, 0.2, 0.7, 0.4))
        drag(view, (140, 80), (180, 120))
        assert state.region.box == pytest.approx((0.3, 0.2, 0.9, 0.6))
        assert undo.count() == 2
        undo.undo()
        undo.undo()
        assert state.region == ELLIPSE

    def test_every_place_on_the_way_is_shown_and_one_step_is_made_of_it(self, view, state, undo, drag, qtbot):
        state.show_region(ELLIPSE)
        with qtbot.waitSignal(state.region_changed):
            drag(view, (80, 80), (90, 80))
        assert undo.count() == 1

    def test_polygon_is_clicked_and_closed_on_its_first_corner(self, view, state, undo, drag):
        state.set_mode("polygon")
        for place in ((20, 20), (120, 20), (120, 120)):
            drag(view, place, place)
        assert state.region is None
        drag(view, (22, 22), (22, 22))
        assert state.region.kind == "polygon"
        assert state.region.points == points(Region("polygon", ((0.1, 0.1), (0.6, 0.1), (0.6, 0.6))))
        assert (state.mode, undo.count()) == ("", 1)

    def test_polygon_is_closed_by_a_double_click(self, view, state, drag):
        state.set_mode("polygon")
        for place in ((20, 20), (120, 20), (120, 120)):
            drag(view, place, place)
        double_click(view, (120, 120))
        assert len(state.region.points) == 3

    def test_escape_ends_drawing_and_backspace_takes_a_corner_back(self, view, state, drag):
        state.set_mode("polygon")
        for place in ((20, 20), (120, 20)):
            drag(view, place, place)
        QTest.keyClick(view, Qt.Key.Key_Backspace)
        assert len(state.draft) == 2
        QTest.keyClick(view, Qt.Key.Key_Escape)
        assert (state.mode, state.draft, state.region) == ("", (), None)

    def test_w_drag_over_the_region_lights_and_does_not_move_it(self, view, state, drag):
        state.show_region(ELLIPSE)
        QTest.keyPress(view, Qt.Key.Key_W)
        drag(view, (80, 80), (100, 60))
        assert state.region == ELLIPSE
        assert view.state.view.window != 1.0

    def test_elsewhere_the_mouse_does_what_it_always_does(self, view, state, undo, drag):
        state.show_region(ELLIPSE)
        drag(view, (180, 180), (150, 150))
        assert state.region == ELLIPSE
        assert undo.count() == 0

    def test_zoomed_in_it_is_drawn_where_the_image_is(self, view, state, drag):
        view.state.update(zoom=2.0)
        state.set_mode("ellipse")
        drag(view, (0, 0), (100, 100))
        assert state.region.box == pytest.approx((0.25, 0.25, 0.5, 0.5))


class TestKeys:
    def test_without_a_mouse_an_ellipse_is_made_moved_resized_and_removed(self, view, state, undo):
        view.setFocus()
        state.set_mode("ellipse")
        QTest.keyClick(view, Qt.Key.Key_Return)
        assert state.region.box == pytest.approx((0.42, 0.42, 0.58, 0.58))
        QTest.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
        assert state.region.box == pytest.approx((0.43, 0.42, 0.59, 0.58))
        both = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier
        QTest.keyClick(view, Qt.Key.Key_Up, both)
        assert state.region.box == pytest.approx((0.43, 0.41, 0.59, 0.59))
        QTest.keyClick(view, Qt.Key.Key_Delete)
        assert state.region is None
        undo.undo()
        assert state.region is not None


class TestLook:
    def test_region_its_band_and_its_handles_are_seen(self, view, state):
        state.show_region(ELLIPSE)
        state.set_rim(10)
        shown = pixels_of(view.grab().toImage()).astype(int)
        marked = np.abs(shown - palette.rgb(palette.PICTURE_MARK)).sum(axis=2) < 60
        assert marked[78:82, 38:42].any()  # the line at its left end
        assert not shown[80, 80].any()  # nothing over the lesion itself
        assert 0 < shown[80, 30].sum() < 200  # the band, a tint

    def test_images_that_share_a_state_show_the_same(self, view, state, qtbot, drag):
        other = ImageView()
        qtbot.addWidget(other)
        other.resize(200, 200)
        other.set_orientation("")
        other.set_image(np.zeros((50, 50), np.float32))
        RegionTool(other, state)
        other.show()
        state.set_mode("ellipse")
        drag(view, (40, 60), (120, 100))
        assert pixels_of(other.grab().toImage())[80, 40].any()

    def test_no_button_is_cut_in_a_narrow_column(self, qtbot, state):
        buttons = RegionButtons(state)
        qtbot.addWidget(buttons)
        buttons.show_known([ELLIPSE])
        buttons.resize(226, buttons.heightForWidth(226))
        buttons.layout().activate()
        shown = (buttons.ellipse, buttons.polygon, buttons.known, buttons.remove)
        assert all(each.width() >= each.sizeHint().width() and each.geometry().right() < 226 for each in shown)
