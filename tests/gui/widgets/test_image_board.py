"""Board of images: names and numbers that can be read whole, in cells as large as they fit."""

import numpy as np
import pytest
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QLabel

from gui.pixmaps import Colormap
from gui.widgets.image_board import BoardImage, ImageBoard
from gui.widgets.view_state import ViewState

IMAGE = np.zeros((8, 8), np.float32)
NUMBERS = "28.1 dB · 0.88"


def picture(title, caption=NUMBERS, short=""):
    return BoardImage(title, title, IMAGE, Colormap.GRAY, caption, short_title=short)


@pytest.fixture
def board(qtbot):
    made = ImageBoard(ViewState(), lambda view: None)
    qtbot.addWidget(made)
    names = ["Noisy input", "demo-denoiser", "demo-vae"]
    differences = [picture(f"{name} − original", "", "Difference") for name in names]
    made.set_pictures([[picture("Original", ""), *map(picture, names)], [None, *differences]])
    made.show()
    return made


def texts(board):
    """Return the visible texts, row by row, and check that each is as wide as it needs and overlaps no other."""
    found = []
    for cell in board._all():
        shown = [part for part in cell.findChildren(QLabel) if part.text() and not cell.isHidden()]
        for part in shown:
            lines = part.text().split("\n")
            assert max(map(part.fontMetrics().horizontalAdvance, lines)) <= part.width()
            assert part.geometry().bottom() <= cell.height()
            assert part.fontMetrics().height() * len(lines) <= part.height() + 2 * len(lines)
        if len(shown) == 2 and shown[0].y() == shown[1].y():
            assert shown[0].x() + shown[0].fontMetrics().horizontalAdvance(shown[0].text()) <= shown[1].x()
        found.append([part.text() for part in shown])
    return found


@pytest.mark.parametrize("stretch", [100, 112])
@pytest.mark.parametrize("width", [348, 420, 560, 760, 1400])
def test_every_name_and_number_can_be_read_whole(board, width, stretch):
    font = QFont(board.font())
    font.setPixelSize(13)
    font.setStretch(stretch)
    board.setFont(font)
    board.resize(width, board.fitting_height(width))
    said = [" ".join(" ".join(each).replace("\n", " ").split()) for each in texts(board)]
    assert said[:2] == ["Original", f"Noisy input {said[1].removeprefix('Noisy input ')}"]
    assert said[2].replace("- ", "-").startswith("demo-denoiser 28.1 dB")
    assert all("0.88" in each for each in said[1:4])
    assert not any("…" in each for each in said)
    assert set(said[5:]) == {"Difference"} or all(each.endswith("− original") for each in said[5:])


def test_text_stands_in_one_line_where_there_is_room(board):
    board.resize(2000, board.fitting_height(2000))
    assert texts(board)[2] == ["demo-denoiser", NUMBERS]
    cell = board._cells[0][2]
    assert {part.y() for part in cell.findChildren(QLabel)} == {cell.view.height()}
