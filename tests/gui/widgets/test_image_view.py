"""One image: what it draws and how hands change its state."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from gui.pixmaps import Colormap, pixels_of
from gui.widgets.image_view import ImageView
from gui.widgets.view_state import View, ViewState

SIDE = 200


@pytest.fixture
def values():
    return np.linspace(0, 1, 100 * 100, dtype=np.float32).reshape(100, 100)


@pytest.fixture
def view(qtbot, values):
    made = ImageView()
    qtbot.addWidget(made)
    made.resize(SIDE, SIDE)
    made.set_image(values)
    made.set_orientation("")
    with qtbot.waitExposed(made):
        made.show()
    return made


def pixels(view):
    """Return what the view shows, as brightness by (row, column)."""
    return pixels_of(view.grab().toImage()).max(axis=2)


def test_corner_mark_appears_in_its_corner(view):
    view.clearFocus()
    mark = np.zeros((4, 4))
    mark[0, 3] = 1  # upper right
    view.set_image(mark)
    shown = pixels(view)
    assert shown[:50, 150:].min() == 255
    assert shown[50:].max() == shown[:, :150].max() == 0


def test_wide_image_is_centered_and_keeps_its_shape(view):
    view.clearFocus()
    view.set_image(np.ones((50, 100)))
    shown = pixels(view)
    assert shown[50:150].min() == 255
    assert shown[:50].max() == shown[150:].max() == 0


@pytest.mark.parametrize("cursor", [(60.0, 140.0), (199.0, 1.0), (100.0, 100.0)])
def test_wheel_keeps_the_point_under_the_cursor(view, wheel, cursor):
    before = view.placement().to_picture(cursor)
    for notches in (1, 3, -1):
        wheel(view, cursor, notches)
        assert view.placement().to_picture(cursor) == pytest.approx(before, abs=1e-9)
    assert view.state.view.zoom == pytest.approx(1.2**3)


def test_zoom_stays_between_the_whole_image_and_64(view, wheel):
    wheel(view, (10, 10), 100)
    assert view.state.view.zoom == 64
    wheel(view, (150, 10), -200)
    assert view.state.view == View()


def test_middle_drag_moves_the_image_with_the_mouse(view, wheel, drag):
    wheel(view, (100, 100), 5)
    grabbed = view.placement().to_picture((90, 90))
    drag(view, (90, 90), (80, 97), Qt.MouseButton.MiddleButton)
    assert view.placement().to_picture((80, 97)) == pytest.approx(grabbed)


def test_w_drag_right_widens_the_window_and_down_raises_the_level(view, drag, values):
    view.set_image(values * 8)  # the speed follows the data's range
    view.state.update(window=4.0, level=4.0)
    QTest.keyPress(view, Qt.Key.Key_W)
    drag(view, (50, 50), (75, 100))
    assert view.state.view.window == pytest.approx(4 + 8 * 25 / 250)
    assert view.state.view.level == pytest.approx(4 + 8 * 50 / 250)


def test_drag_without_w_or_after_it_changes_nothing(view, drag):
    before = view.state.view
    drag(view, (50, 50), (90, 90))
    QTest.keyPress(view, Qt.Key.Key_W)
    QTest.keyRelease(view, Qt.Key.Key_W)
    drag(view, (50, 50), (90, 90))
    assert view.state.view == before


def test_w_with_arrows_lights_from_the_keyboard(view):
    view.setFocus()
    QTest.keyPress(view, Qt.Key.Key_W)
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert view.state.view.window > 1
    assert view.state.view.level > 0.5


def test_difference_changes_its_limit_and_not_the_light(view, drag, values):
    view.set_image(values - 0.5, Colormap.SIGNED)
    view.state.update(limit=0.2)
    QTest.keyPress(view, Qt.Key.Key_W)
    drag(view, (50, 50), (100, 100))
    assert view.state.view.limit == pytest.approx(0.2 + 50 / 250 / 2)
    assert (view.state.view.window, view.state.view.level) == (1.0, 0.5)
    QTest.keyRelease(view, Qt.Key.Key_W)
    QTest.keyClick(view, Qt.Key.Key_A)
    assert view.state.view.limit == pytest.approx(0.5, abs=0.002)


def test_keys_light_reset_and_zoom(view, values):
    view.set_image(values * 3 + 1)
    QTest.keyClick(view, Qt.Key.Key_A)
    assert view.state.view.window == pytest.approx(3 * 0.998, abs=1e-3)
    assert view.state.view.level == pytest.approx(2.5, abs=1e-3)
    QTest.keyClick(view, Qt.Key.Key_I)
    assert view.state.view.invert
    QTest.keyClick(view, Qt.Key.Key_Plus)
    assert view.state.view.zoom == pytest.approx(1.2)
    QTest.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert view.state.view.centre[0] > 0.5
    QTest.keyClick(view, Qt.Key.Key_R)
    assert view.state.view == View()


@pytest.mark.parametrize("key", [Qt.Key.Key_I, Qt.Key.Key_A, Qt.Key.Key_Plus])
def test_keys_with_control_are_left_to_the_window(view, key):
    QTest.keyClick(view, key, Qt.KeyboardModifier.ControlModifier)
    assert view.state.view == View()


def test_inverted_image_is_drawn_inverted(view):
    view.clearFocus()
    view.set_image(np.zeros((4, 4)))
    view.state.update(invert=True)
    assert pixels(view).min() == 255


def test_hover_names_the_pixel_under_the_cursor_at_any_zoom(view, move, wheel):
    seen = []
    view.hovered.connect(lambda x, y: seen.append((x, y)))
    move(view, (0.5, 199.5))
    move(view, (121, 33))
    wheel(view, (121, 33), 6)
    move(view, (121.2, 33.2))
    move(view, (122, 33))  # still within the same enlarged pixel
    assert seen == [(0, 99), (60, 16)]


def test_hover_ends_beside_the_image_and_when_the_mouse_leaves(qtbot, view, move):
    view.set_image(np.ones((50, 100)))
    move(view, (100, 100))
    with qtbot.waitSignal(view.hover_ended):
        move(view, (100, 10))


def test_linked_views_follow_and_an_unlinked_one_does_not(qtbot, view, wheel, values):
    linked, alone = ImageView(view.state), ImageView(view.state)
    for other in (linked, alone):
        qtbot.addWidget(other)
        other.resize(300, 300)
        other.set_image(values)
    alone.set_state(view.state.copy())
    wheel(view, (20, 20), 4)
    view.state.update(window=0.5, invert=True)
    assert linked.state.view == view.state.view
    assert linked.placement().to_picture((30, 30)) == pytest.approx(view.placement().to_picture((20, 20)))
    assert alone.state.view == View()


def test_shift_move_marks_the_same_place_in_all_linked_views(qtbot, view, move):
    larger = ImageView(view.state)
    qtbot.addWidget(larger)
    larger.resize(400, 400)
    larger.set_image(np.zeros((10, 10)))
    larger.set_orientation("")
    move(view, (50, 150), Qt.KeyboardModifier.ShiftModifier)
    assert view.state.view.crosshair == (0.25, 0.75)
    shown = pixels(larger)
    assert shown[300, 10] > 100
    assert shown[10, 100] > 100
    assert shown[10, 10] == 0
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.state.view.crosshair is None


def test_past_100_percent_pixels_keep_hard_edges(view):
    view.clearFocus()
    checks = np.indices((8, 8)).sum(0) % 2.0
    view.set_image(checks)
    np.testing.assert_array_equal(pixels(view), np.kron(checks * 255, np.ones((25, 25))))


def test_below_100_percent_pixels_are_averaged(view):
    view.clearFocus()
    view.set_image(np.indices((800, 800)).sum(0) % 2.0)
    shown = pixels(view)
    assert 110 < shown.min() <= shown.max() < 145


def test_double_click_and_enter_request_the_large_view(qtbot, view):
    with qtbot.waitSignal(view.maximized):
        qtbot.mouseDClick(view, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(view.maximized):
        QTest.keyClick(view, Qt.Key.Key_Return)


def test_click_names_its_pixel_and_a_drag_or_lighting_is_none(qtbot, view):
    left, told = Qt.MouseButton.LeftButton, []
    view.clicked.connect(lambda x, y: told.append((x, y)))
    qtbot.mouseClick(view, left, pos=QPoint(61, 141))
    qtbot.mousePress(view, left, pos=QPoint(20, 20))
    qtbot.mouseRelease(view, left, pos=QPoint(90, 20))
    qtbot.mouseClick(view, left, Qt.KeyboardModifier.ShiftModifier, QPoint(60, 60))
    QTest.keyPress(view, Qt.Key.Key_W)
    qtbot.mouseClick(view, left, pos=QPoint(60, 60))
    assert told == [(30, 70)]


def test_escape_is_for_the_crosshair_and_else_for_others(qtbot, view):
    view.state.update(crosshair=(0.5, 0.5))
    for taken in (True, False):
        event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(view, event)
        assert event.isAccepted() is taken
        assert view.state.view.crosshair is None


def test_focus_is_visible_and_taken_only_from_another_image(qtbot, values):
    page = QWidget()
    qtbot.addWidget(page)
    column, first, second, line = QVBoxLayout(page), ImageView(), ImageView(), QLineEdit()
    for part in (first, second, line):
        column.addWidget(part)
    page.resize(300, 600)
    with qtbot.waitExposed(page):
        page.show()
    page.activateWindow()
    line.setFocus()
    qtbot.waitUntil(line.hasFocus)
    first.enterEvent(enter_event())
    assert line.hasFocus()
    first.setFocus()
    second.enterEvent(enter_event())
    assert second.hasFocus()
    focused = second.grab().toImage()
    line.setFocus()
    assert second.grab().toImage() != focused


def enter_event():
    return QEnterEvent(QPointF(5, 5), QPointF(5, 5), QPointF(5, 5))


def test_orientation_letters_unknown_and_silence_look_different(view):
    looks = []
    for letters in ("RLAP", None, ""):
        view.set_orientation(letters)
        looks.append(pixels(view))
    plain = looks[2]
    assert (looks[1] != plain)[170:, :120].any()  # said at the lower left
    assert not (looks[1] != plain)[:150].any()
    for rows, columns in (
        (slice(80, 120), slice(0, 30)),
        (slice(80, 120), slice(170, 200)),
        (slice(0, 30), slice(80, 120)),
    ):
        assert (looks[0] != plain)[rows, columns].any()


def test_home_is_what_reset_returns_to(view):
    view.state.set_default_view(window=0.4, level=0.2)
    view.state.update(window=2.0, zoom=5.0)
    QTest.keyClick(view, Qt.Key.Key_R)
    assert view.state.view == View(window=0.4, level=0.2)


def test_state_says_nothing_when_nothing_changes(qtbot):
    state = ViewState()
    with qtbot.assertNotEmitted(state.changed):
        state.update(zoom=1.0, window=1.0)
        state.update(zoom=0.2)


def test_view_without_an_image_says_what_to_do_and_survives_hands(view, wheel, drag, move):
    view.set_image(None)
    empty = pixels(view)
    view.set_empty_text("Choose a scan.")
    assert (pixels(view) != empty).any()
    wheel(view, (10, 10))
    move(view, (20, 20))
    QTest.keyClick(view, Qt.Key.Key_A)
    assert view.state.view == View()


def test_orientation_letters_have_a_dark_halo_on_a_bright_image_and_stay_on_small_ones(view):
    view.set_image(np.ones((64, 64), np.float32))
    for side in (200, 60):
        view.resize(side, side)
        view.set_orientation("RLAP")
        drawn = view.grab().toImage()
        edge = [drawn.pixelColor(x, y).lightness() for x in range(4, 16) for y in range(side // 2 - 9, side // 2 + 9)]
        assert min(edge) < 40
