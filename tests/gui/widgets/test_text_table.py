"""A table of texts: what is a word stands at the left, sentences have the room."""

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from gui.widgets.text_table import NARROW_PX, TextTable

LONG = "This sentence is much too long to stand on one line of a narrow column beside four others."


@pytest.fixture
def table(qtbot, dressed):
    """As a user sees it: the theme decides how high a row is."""
    dressed("dark")
    made = TextTable()
    qtbot.addWidget(made)
    made.resize(640, 400)
    made.show()
    return made


def test_numbers_stand_at_the_right_and_words_at_the_left(table):
    table.show_rows(["Run", "Model", "Loss"], [["a", "AE", "0.1"]], left=2)
    sides = [bool(table.item(0, column).textAlignment() & Qt.AlignmentFlag.AlignRight) for column in range(3)]
    assert sides == [False, False, True]
    assert table.texts() == [["a", "AE", "0.1"]]


def test_names_are_never_squeezed_by_many_numbers(table):
    table.show_rows(["Run", *"abcdefgh"], [["ae-trial-0001", *["1,234,567.89"] * 8]])
    assert table.columnWidth(0) >= table.fontMetrics().horizontalAdvance("ae-trial-0001")


def test_rows_of_short_texts_are_equally_high(table, qtbot):
    table.show_rows(["Run", "State", "Loss"], [["ae", "finished", "0.004642"], ["study-vae", "ok", "6,165.2 nats"]])
    qtbot.waitUntil(lambda: not table._soon.isActive())
    assert table.rowHeight(0) == table.rowHeight(1)


def test_sentences_take_the_room_and_are_wrapped(table, qtbot):
    table.show_rows(["Number", "Here", "Why"], [["A name that is rather long", "1", LONG], ["b", "2", "short"]])
    assert table.columnWidth(0) <= NARROW_PX
    assert table.columnWidth(2) > 300
    qtbot.waitUntil(lambda: table.rowHeight(0) > table.rowHeight(1))


def test_a_wrapped_sentence_is_whole_between_the_margins_of_its_cell(table, qtbot):
    """As it is drawn: a row is as high as the rows of ink in it and what the style keeps free around them."""
    table.show_rows(["Number", "Why"], [["a", " ".join([LONG] * words)] for words in range(1, 9)])
    qtbot.waitUntil(lambda: table.rowHeight(7) > 3 * table.rowHeight(0))
    for row in range(8):
        place = table.visualItemRect(table.item(row, 1))
        option = QStyleOptionViewItem()
        option.initFrom(table.viewport())
        option.font, option.rect, option.text = table.font(), place, table.item(row, 1).text()
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDisplay
        free = table.style().subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, table)
        width = free.width() - 2 * (table.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin) + 1)
        room = QRect(0, 0, width, 9999)
        text = table.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap, option.text)
        assert free.height() >= text.height()


def test_another_table_takes_the_place_of_the_first(table):
    table.show_rows(["a", "b"], [["1", "2"], ["3", "4"]])
    table.show_rows(["c"], [["5"]])
    assert table.texts() == [["5"]]
    table.show_rows([], [])
    assert table.texts() == []
