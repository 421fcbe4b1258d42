"""Tables: aligned, sorted by value, known by keys."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QFont, QIcon
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTableView

from gui import palette
from gui.widgets.number_model import DOT_PX, TableColumn, TableRow, dot
from gui.widgets.number_table import MEASURED_ROWS, ROW_PX, NumberTable

COLUMNS = [TableColumn("name", str, numeric=False), TableColumn("loss"), TableColumn("epoch", str)]
ROWS = [
    TableRow("a", ["run a", 6071.25, 23], series="a"),
    TableRow("b", ["run b", 0.0031, 40], series="b", tip="best so far"),
    TableRow("c", ["run c", None, 2], roles={0: "danger"}),
    TableRow("d", ["run d", float("nan"), 100]),
]


@pytest.fixture
def table(qtbot):
    made = NumberTable(COLUMNS, checkable=True, sortable=True)
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.set_rows(ROWS)
    made.show()
    return made


def names(table):
    return [table.text(row, 0) for row in range(table.model().rowCount())]


def test_values_are_written_and_missing_ones_are_a_dash(table):
    assert [table.text(row, 1) for row in range(4)] == ["6,071", "0.0031", "\u2014", "\u2014"]


def test_numbers_stand_right_and_names_left(table):
    sides = [table.model().index(0, c).data(Qt.ItemDataRole.TextAlignmentRole) for c in range(2)]
    assert sides[0] & Qt.AlignmentFlag.AlignLeft
    assert sides[1] & Qt.AlignmentFlag.AlignRight
    assert not table.showGrid()


def test_sorting_goes_by_value_with_the_missing_last(table):
    assert names(table) == ["run a", "run b", "run c", "run d"]
    table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert names(table)[:2] == ["run b", "run a"]
    table.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    assert names(table) == ["run d", "run b", "run a", "run c"]  # 100 before 40, not by letters


def test_choice_is_reported_and_survives_new_rows(qtbot, table):
    with qtbot.waitSignal(table.chosen) as chosen:
        table.select(["b"])
    assert chosen.args == [["b"]]
    table.set_rows([TableRow("new", ["run new", 1.0, 1]), *ROWS])
    assert table.chosen_keys() == ["b"]


def test_same_keys_change_in_place(qtbot, table):
    table.select(["a"])
    with qtbot.assertNotEmitted(table.model().modelReset):
        table.set_rows([TableRow("a", ["run a", 5.0, 24]), *ROWS[1:]])
    assert table.text(0, 1) == "5"
    assert table.chosen_keys() == ["a"]


def test_only_rows_that_changed_are_reported(table):
    told = []
    table._model.dataChanged.connect(lambda first, last: told.append((first.row(), last.row(), last.column())))
    table.set_rows([ROWS[0], TableRow("b", ["run b", 5.0, 24]), *ROWS[2:]])
    assert told == [(1, 1, 2)]


def test_rows_that_are_added_and_changed_are_reported_alone_and_stand_in_their_order(qtbot, table):
    table.sortByColumn(2, Qt.SortOrder.AscendingOrder)
    table.select(["b"])
    told = []
    table._model.dataChanged.connect(lambda first, last, *_: told.append((first.row(), last.row())))
    table._model.rowsInserted.connect(lambda _, first, last: told.append(("new", first, last)))
    table._model.modelReset.connect(lambda: told.append("reset"))
    table.set_rows([*ROWS[:2], TableRow("c", ["run c", 0.5, 30]), ROWS[3], TableRow("e", ["run e", 0.1, 35])])
    assert told == [(2, 2), ("new", 4, 4)]
    assert names(table) == ["run a", "run c", "run e", "run b", "run d"]
    assert table.chosen_keys() == ["b"]


def test_columns_are_as_wide_as_what_has_changed_in_them(table):
    before = table.columnWidth(2)
    table.set_rows([TableRow("a", ["run a", 6071.25, 123_456_789_012], series="a"), *ROWS[1:]])
    changed = table.columnWidth(2)
    table.set_rows([*table._model.rows, TableRow("e", ["run e", 0.1, 123_456_789_012_345_678])])
    assert before < changed < table.columnWidth(2)


def test_a_light_and_a_tick_are_reported_of_their_rows_alone(table):
    told = []
    table._model.dataChanged.connect(lambda first, last, *_: told.append((first.row(), last.row())))
    table.highlight("c")
    table.highlight("a")
    table.set_checked(["d"])
    assert told == [(2, 2), (0, 0), (2, 2), (3, 3)]


def test_enter_and_double_click_open_a_row(qtbot, table):
    table.select(["b"])
    with qtbot.waitSignal(table.opened) as opened:
        QTest.keyClick(table, Qt.Key.Key_Return)
    assert opened.args == ["b"]
    place = table.visualRect(table.model().index(2, 1)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    with qtbot.waitSignal(table.opened) as opened:
        qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened.args == ["c"]


def test_space_ticks_a_row_in_sorted_order_too(qtbot, table):
    table.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    table.select(["a"])
    assert table.chosen_keys() == ["a"]
    assert table.text(table.currentIndex().row(), 0) == "run a"
    with qtbot.waitSignal(table.checked_changed) as ticked:
        QTest.keyClick(table, Qt.Key.Key_Space)
    assert ticked.args == [["a"]]
    QTest.keyClick(table, Qt.Key.Key_Space)
    assert table.checked() == []


def test_ticks_can_be_set_and_say_nothing_when_nothing_changes(qtbot, table):
    table.set_checked(["c", "a"])
    assert table.checked() == ["a", "c"]
    with qtbot.assertNotEmitted(table.checked_changed):
        table.set_checked(["a", "c"])


def test_table_without_boxes_has_none(qtbot):
    plain = NumberTable(COLUMNS)
    qtbot.addWidget(plain)
    plain.set_rows(ROWS)
    assert plain.model().index(0, 0).data(Qt.ItemDataRole.CheckStateRole) is None
    plain.select(["a"])
    QTest.keyClick(plain, Qt.Key.Key_Space)
    assert plain.checked() == []


def test_row_carries_its_series_color_its_role_and_its_tip(table):
    model = table.model()
    icon = model.index(1, 0).data(Qt.ItemDataRole.DecorationRole)
    image = icon.pixmap(DOT_PX, DOT_PX).toImage()
    assert image.pixelColor(DOT_PX // 2, DOT_PX // 2).name() == palette.find_series_color("b")
    assert icon.cacheKey() == dot(palette.find_series_color("b"), False).cacheKey(), "it is drawn once"
    assert model.index(2, 0).data(Qt.ItemDataRole.ForegroundRole).name() == palette.DARK.danger
    assert model.index(1, 2).data(Qt.ItemDataRole.ToolTipRole) == "best so far"


def test_short_table_takes_the_height_of_its_rows(table):
    table.fit_height()
    assert table.verticalScrollBar().maximum() == 0
    assert table.height() < 180


def test_row_at_a_place_is_known_by_its_key(table):
    assert table.key_at(table.visualRect(table.model().index(1, 0)).center()) == "b"
    assert table.key_at(table.viewport().rect().bottomRight()) is None


def test_dot_keeps_its_color_in_a_chosen_row(qapp):
    plain, chosen = (dot("#b58cf0").pixmap(DOT_PX, mode) for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected))
    middle = QPoint(DOT_PX // 2, DOT_PX // 2)
    assert plain.toImage().pixelColor(middle) == chosen.toImage().pixelColor(middle) == QColor("#b58cf0")


def test_light_lies_behind_a_row_that_is_not_chosen(table, qtbot):
    table.highlight("b")
    lit = [bool(table.model().index(row, 1).data(Qt.ItemDataRole.BackgroundRole)) for row in range(4)]
    assert lit == [False, True, False, False]
    assert table.chosen_keys() == []
    table.highlight("")
    assert not table.model().index(1, 1).data(Qt.ItemDataRole.BackgroundRole)


def test_row_under_the_cursor_is_reported(table, qtbot):
    with qtbot.waitSignal(table.hovered) as blocker:
        table.entered.emit(table.model().index(1, 0))
    assert blocker.args == ["b"]


def test_table_of_other_columns_begins_without_rows(table):
    table.set_columns([TableColumn("one", str), TableColumn("two", str, numeric=False)], stretched=-1)
    assert (table.model().rowCount(), table.model().columnCount()) == (0, 2)
    table.set_rows([TableRow("x", ["1", "a"])])
    assert table.text(0, 1) == "a"


class TestWidths:
    """Of the rows that a column is measured by, as Qt does it, but each look of a cell once."""

    @pytest.fixture
    def long(self, qtbot):
        made = NumberTable(COLUMNS, checkable=True, sortable=True)
        qtbot.addWidget(made)
        made.resize(700, 300)
        made.set_rows(self.rows(200))
        made.show()
        return made

    @pytest.fixture
    def measured(self, long, monkeypatch):
        """The cells that Qt has been asked for the width of."""
        asked, measure = [], long.sizeHintForIndex
        monkeypatch.setattr(long, "sizeHintForIndex", lambda index: asked.append(index.data()) or measure(index))
        return asked

    @staticmethod
    def rows(count):
        return [TableRow(str(n), ["run" + "n" * (n % 7), n / 7, n], series="a" if n % 2 else "") for n in range(count)]

    def test_they_are_those_that_qt_would_find(self, long):
        long.horizontalHeader().setResizeContentsPrecision(MEASURED_ROWS)
        for _ in range(2):
            for column in range(3):
                assert long.sizeHintForColumn(column) == QTableView.sizeHintForColumn(long, column)
            long.setFont(QFont(long.font().family(), 25))
        assert long.columnWidth(1) > 60

    def test_one_row_more_is_measured_alone(self, long, measured):
        before = long.columnWidth(1)
        long.set_rows([TableRow("0", ["run", 12345678.0, 0]), *self.rows(200)[1:]])
        assert measured == ["12,345,678"]
        assert long.columnWidth(1) > before

    def test_the_same_rows_are_not_measured_again(self, long, measured):
        long.forget_widths()
        long.set_rows(self.rows(200))
        assert measured == []
        long.set_rows(self.rows(201))
        assert measured


def test_a_name_that_does_not_fit_is_wrapped_in_a_higher_row(qtbot):
    rows = [TableRow("a", ["demo-denoiser", 1, 2], series="a"), TableRow("b", ["TV", 1, 2])]
    made = NumberTable(COLUMNS, checkable=True, wrapped=True)
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.set_rows(rows)
    made.require_height(12)
    made.show()
    qtbot.waitUntil(lambda: [made.rowHeight(row) for row in range(2)] == [ROW_PX, ROW_PX])
    low = made.minimumHeight()
    others = made.columnWidth(1) + made.columnWidth(2)
    made.resize(others + made.fontMetrics().horizontalAdvance("demo-denoiser"), 300)
    high = ROW_PX + made.fontMetrics().height()
    qtbot.waitUntil(lambda: [made.rowHeight(row) for row in range(2)] == [high, ROW_PX])
    assert made.minimumHeight() == low + high - ROW_PX
