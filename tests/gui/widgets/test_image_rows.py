"""Rows of images: nothing cut off, one light, one scale of differences."""

import numpy as np
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from gui.pixmaps import Colormap
from gui.widgets.image_rows import HEADER_PX, Grid, ImageRow, ImageRows, RowHeader, fit_grid


def pictures(count=6, height=16, width=16):
    return np.random.default_rng(0).random((count, height, width), dtype=np.float32)


@pytest.fixture
def rows(qtbot):
    made = ImageRows()
    qtbot.addWidget(made)
    made.resize(900, 420)
    originals = pictures()
    made.set_rows(
        [
            ImageRow("original", originals),
            ImageRow("first", originals / 2, subtitle="20.3 dB", captions=[f"{i} dB" for i in range(6)]),
            ImageRow("first - original", -originals / 2, Colormap.SIGNED),
        ],
        titles=[f"scan {i}" for i in range(6)],
    )
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.mark.parametrize("width", [320, 480, 900, 1500])
@pytest.mark.parametrize("columns", [1, 6, 8])
def test_no_column_is_ever_cut_off(width, columns):
    empty = Grid(QSize(), HEADER_PX, 18, (0, 18, 0))
    grid = fit_grid(QSize(width, 400), columns, 1.0, empty)
    assert grid.at(2, columns - 1).right() < width
    assert grid.cell.width() >= 16


def test_cells_fill_the_width_when_the_height_lets_them_and_else_the_height():
    empty = Grid(QSize(), 100, 0, (0,))
    assert fit_grid(QSize(100 + 4 * 200 + 3 * 8, 900), 4, 1.0, empty).cell == QSize(200, 200)
    assert fit_grid(QSize(2000, 150), 4, 1.0, empty).cell == QSize(150, 150)


def test_names_of_rows_have_room_in_a_wide_font(qtbot, qapp):
    font = QFont(qapp.font())
    font.setStretch(135)
    made = ImageRows()
    qtbot.addWidget(made)
    made.setFont(font)
    made.set_rows([ImageRow("reconstruction", pictures())])
    header = made.findChild(RowHeader)
    title = header.findChild(QLabel)
    assert HEADER_PX < title.fontMetrics().horizontalAdvance("reconstruction") <= header.width()


def test_images_keep_their_shape():
    grid = fit_grid(QSize(1000, 1000), 4, 1.5, Grid(QSize(), 100, 0, (0, 0)))
    assert grid.cell.height() / grid.cell.width() == pytest.approx(1.5, abs=0.01)


def test_rows_scroll_rather_than_shrink_to_nothing(qtbot, rows):
    rows.set_rows([ImageRow(f"row {i}", pictures()) for i in range(9)])
    rows.resize(900, 300)
    qtbot.waitUntil(lambda: rows.verticalScrollBar().maximum() > 0)
    assert rows.view(8, 0).width() >= 72
    assert rows.horizontalScrollBar().maximum() == 0


def test_every_image_obeys_one_state(rows, wheel):
    wheel(rows.view(0, 2), (20, 20), 3)
    assert rows.view(2, 5).state.view.zoom == pytest.approx(1.2**3)
    assert len({id(rows.view(r, c).state) for r in range(3) for c in range(6)}) == 1


def test_unlinked_columns_go_their_own_way_but_differences_keep_one_scale(rows):
    rows.set_linked(False)
    rows.view(0, 1).state.update(zoom=4.0, window=0.3, limit=0.12)
    assert rows.view(1, 1).state.view.window == 0.3
    assert rows.view(1, 2).state.view.window == 1.0
    assert {rows.view(2, c).state.view.limit for c in range(6)} == {0.12}
    rows.state.update(limit=0.2)
    assert {rows.view(2, c).state.view.limit for c in range(6)} == {0.2}
    rows.set_linked(True)
    assert rows.view(0, 1).state.view.zoom == 1.0


def test_color_bar_stands_beside_differences_and_says_their_limit(rows):
    header = rows._headers[2]
    assert header.bar.isVisible()
    assert not rows._headers[0].bar.isVisible()
    rows.state.update(limit=0.25)
    assert header.bar.texts == ("\u22120.25", "0", "+0.25")
    assert "0.25" in header.bar.accessibleName()


def test_new_images_of_the_same_shape_keep_the_views(rows):
    kept = rows.view(0, 0)
    rows.state.update(zoom=3.0)
    rows.set_rows(
        [ImageRow("original", pictures()), ImageRow("b", pictures()), ImageRow("c", pictures(), Colormap.SIGNED)]
    )
    assert rows.view(0, 0) is kept
    assert kept.state.view.zoom == 3.0


def test_hover_and_double_click_say_which_image(qtbot, rows, move):
    with qtbot.waitSignal(rows.hovered) as hovered:
        view = rows.view(1, 4)
        move(view, (view.width() - 1, 1))
    assert hovered.args == [1, 4, 15, 0]
    with qtbot.waitSignal(rows.maximized) as maximised:
        qtbot.mouseDClick(rows.view(2, 3), Qt.MouseButton.LeftButton)
    assert maximised.args == [2, 3]


def test_arrows_go_from_image_to_image(qtbot, rows):
    rows.activateWindow()
    rows.view(0, 0).setFocus()
    qtbot.waitUntil(rows.view(0, 0).hasFocus)
    for key, at in (
        (Qt.Key.Key_Right, (0, 1)),
        (Qt.Key.Key_Down, (1, 1)),
        (Qt.Key.Key_Left, (1, 0)),
        (Qt.Key.Key_Left, (1, 0)),
        (Qt.Key.Key_Up, (0, 0)),
    ):
        QTest.keyClick(rows.focusWidget(), key)
        assert rows.view(*at).hasFocus()


def test_images_have_names(rows):
    assert rows.view(1, 2).accessibleName() == "first, scan 2"


def test_orientation_is_said_once_or_on_every_image(rows):
    def said():
        return [text.text() for text in rows.findChildren(QLabel) if "orientation unknown" in text.text()]

    assert said() == ["orientation unknown"]
    rows.state.update(limit=0.1)
    assert said() == ["orientation unknown"]
    rows.set_orientation("RLAP")
    assert said() == []
    rows.resize(1300, 700)
    assert rows.view(0, 0).width() >= 150
    lettered = rows.view(0, 0).grab().toImage()
    rows.set_orientation(None)
    assert lettered != rows.view(0, 0).grab().toImage()


def test_no_rows_is_a_state_too(rows):
    rows.set_rows([])
    rows.resize(300, 300)
    rows.set_rows([ImageRow("one", pictures(2))])
    assert rows.view(0, 1).isVisible()
