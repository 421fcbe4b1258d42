"""Thousands of thumbnails from a memory map: only what is in sight is drawn."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from gui.widgets.image_grid import GAP, ImageGrid

COUNT = 3500


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    path = tmp_path_factory.mktemp("grid") / "images.npy"
    made = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(COUNT, 16, 16))
    made[:] = (np.arange(COUNT) % 200 + 50)[:, None, None]
    made.flush()
    return np.load(path, mmap_mode="r")


@pytest.fixture
def grid(qtbot, images):
    made = ImageGrid(cell=60)
    qtbot.addWidget(made)
    made.resize(500, 400)
    made.set_images(images)
    with qtbot.waitExposed(made):
        made.show()
    return made


def place(grid, row):
    return grid.visualRect(grid.model().index(row, 0)).center()


def shown_value(grid, row):
    """Return the lightness at the middle of a thumbnail."""
    return grid.viewport().grab().toImage().pixelColor(place(grid, row) - QPoint(GAP // 2, GAP // 2)).lightness()


def test_only_thumbnails_in_sight_are_made(grid):
    grid.viewport().grab()
    made = grid._delegate.thumbnail.cache_info().currsize
    assert 0 < made < 100
    grid.scrollToBottom()
    grid.viewport().grab()
    assert grid._delegate.thumbnail.cache_info().currsize < 200
    assert grid.model().rowCount() == COUNT


def test_thumbnail_shows_its_own_pixels(grid):
    assert [shown_value(grid, row) for row in (0, 7, 19)] == [50, 57, 69]


def test_columns_share_the_width_without_being_cut_off(qtbot, grid):
    for width in (300, 411, 640):
        grid.resize(width, 400)
        qtbot.waitUntil(lambda: grid.viewport().width() < grid.width())
        columns = grid.viewport().width() // grid.gridSize().width()
        assert columns == (grid.viewport().width() - 2) // (60 + GAP)
        assert grid.viewport().width() - columns * grid.gridSize().width() < columns + 2
        tops = {grid.visualRect(grid.model().index(row, 0)).top() for row in range(columns)}
        assert len(tops) == 1


def test_wide_image_is_fitted_not_stretched(grid):
    wide = np.full((1, 10, 20), 255, np.uint8)
    grid.set_images(wide)
    rect = grid.visualRect(grid.model().index(0, 0))
    image = grid.viewport().grab().toImage()
    assert image.pixelColor(rect.left() + 25, rect.top() + 3).lightness() == 0
    assert image.pixelColor(place(grid, 0)).lightness() == 255


def test_subset_in_another_order_keeps_its_numbers(qtbot, grid):
    grid.show_only(np.array([30, 10, 20]))
    assert grid.shown() == [30, 10, 20]
    assert shown_value(grid, 0) == 80
    qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place(grid, 1))
    with qtbot.waitSignal(grid.opened) as opened:
        qtbot.mouseDClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place(grid, 1))
    assert opened.args == [10]


def test_click_chooses_and_keys_walk_and_open(qtbot, grid):
    with qtbot.waitSignal(grid.selection_changed) as chosen:
        qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place(grid, 2))
    assert chosen.args == [[2]]
    QTest.keyClick(grid, Qt.Key.Key_Right)
    assert grid.selected() == [3]
    QTest.keyClick(grid, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert grid.selected() == [3, 4]
    with qtbot.waitSignal(grid.opened) as opened:
        QTest.keyClick(grid, Qt.Key.Key_Return)
    assert opened.args == [4]


def test_hover_says_which_and_when_it_ends(qtbot, grid):
    with qtbot.waitSignal(grid.hovered) as hovered:
        qtbot.mouseMove(grid.viewport(), place(grid, 4))
    assert hovered.args == [4]
    with qtbot.waitSignal(grid.hover_ended):
        qtbot.mouseMove(grid.viewport(), QPoint(grid.viewport().width() - 1, grid.viewport().height() - 1))


def test_select_scrolls_there(grid):
    grid.select(3000)
    assert grid.selected() == [3000]
    assert grid.viewport().rect().intersects(grid.visualRect(grid.model().index(3000, 0)))


def test_selection_and_border_are_drawn_and_differ(grid):
    plain = grid.viewport().grab().toImage()
    grid.select(1)
    chosen = grid.viewport().grab().toImage()
    grid.clearSelection()
    grid.set_images(grid._model.images, borders={1: "#e0a458"})
    bordered = grid.viewport().grab().toImage()
    rect = grid.visualRect(grid.model().index(1, 0))
    assert bordered.pixelColor(rect.left(), rect.center().y()).name() == "#e0a458"
    assert chosen.copy(rect) != plain.copy(rect)
    assert bordered.copy(rect) != chosen.copy(rect)


def test_captions_can_be_for_hovering_alone(qtbot, grid):
    quiet = ImageGrid(captioned=False)
    qtbot.addWidget(quiet)
    quiet.set_images(grid._model.images, captions=[f"scan {i}" for i in range(COUNT)])
    assert quiet._delegate.caption_height == 0
    assert quiet.model().index(12, 0).data(Qt.ItemDataRole.ToolTipRole) == "scan 12"


def test_captions_are_shown_and_read_out(grid):
    height = grid.gridSize().height()
    grid.set_images(grid._model.images, captions=[f"scan {i}" for i in range(COUNT)])
    assert grid.gridSize().height() > height
    index = grid.model().index(12, 0)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "scan 12"
    assert index.data(Qt.ItemDataRole.ToolTipRole) == "scan 12"


def test_images_can_be_chosen_and_not_edited_or_dragged(grid):
    flags = grid.model().flags(grid.model().index(3, 0))
    assert flags & Qt.ItemFlag.ItemIsSelectable
    assert not flags & (Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsDragEnabled | Qt.ItemFlag.ItemIsDropEnabled)
