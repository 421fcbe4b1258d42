import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QValidator
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QVBoxLayout, QWidget

from gui.widgets.number_fields import POSITIONS, SIDE_PX, NumberEdit, SliderRange, SliderRow


@pytest.fixture
def edit(qtbot):
    made = NumberEdit()
    qtbot.addWidget(made)
    made.setRange(0, 1000)
    made.show()
    return made


@pytest.mark.parametrize(
    ("typed", "value"), [("0.001", 0.001), ("1e-3", 0.001), ("2,5", 2.5), ("5E1", 50.0), (".5", 0.5)]
)
def test_typed_numbers_are_understood(edit, typed, value):
    edit.selectAll()
    QTest.keyClicks(edit, typed)
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert edit.value() == value


@pytest.mark.parametrize(("value", "text"), [(0.001, "0.001"), (512.0, "512"), (0.25, "0.25")])
def test_no_idle_zeros(edit, value, text):
    edit.setValue(value)
    assert edit.text() == text


def test_nonsense_cannot_be_typed_and_half_a_number_can(edit):
    assert edit.validate("x", 1)[0] == QValidator.State.Invalid
    assert edit.validate("1e-", 3)[0] == QValidator.State.Intermediate
    assert edit.validate("2000", 4)[0] == QValidator.State.Intermediate
    assert edit.validate("7", 1)[0] == QValidator.State.Acceptable


def test_arrow_changes_the_second_figure(edit):
    edit.setValue(0.001)
    edit.stepUp()
    assert edit.value() == pytest.approx(0.0011)


def test_passing_wheel_changes_nothing_until_the_field_has_the_focus(qtbot, wheel):
    page = QWidget()
    qtbot.addWidget(page)
    column, first, second = QVBoxLayout(page), NumberEdit(), NumberEdit()
    column.addWidget(first)
    column.addWidget(second)
    with qtbot.waitExposed(page):
        page.show()
    page.activateWindow()
    second.setFocus()
    qtbot.waitUntil(second.hasFocus)
    wheel(first, (10, 10))
    wheel(second, (10, 10))
    assert first.value() == 0
    assert second.value() > 0


def test_dressed_text_keeps_its_padding_with_and_without_arrows(qtbot, dressed):
    dressed("dark")
    edit = NumberEdit()
    qtbot.addWidget(edit)
    edit.resize(120, 28)
    edit.show()
    assert edit.lineEdit().x() == SIDE_PX
    assert edit.lineEdit().geometry().right() < 100
    edit.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
    edit.resize(80, 28)
    assert edit.lineEdit().geometry().right() == 80 - SIDE_PX - 1


@pytest.fixture
def row(qtbot):
    made = SliderRow("Level", SliderRange(-1.0, 3.0, 0.5, suffix=" px"))
    qtbot.addWidget(made)
    made.resize(400, 40)
    made.show()
    return made


def test_slider_moves_the_edit_and_says_so_once(qtbot, row):
    said = []
    row.value_changed.connect(said.append)
    row.slider.setValue(POSITIONS)
    assert row.edit.value() == row.value() == 3.0
    row.slider.setValue(POSITIONS // 4)
    assert said == [3.0, 0.0]


def test_typed_value_moves_the_slider_and_is_not_rounded_to_its_steps(row):
    said = []
    row.value_changed.connect(said.append)
    row.edit.selectAll()
    QTest.keyClicks(row.edit, "1.23")
    QTest.keyClick(row.edit, Qt.Key.Key_Return)
    assert said == [1.23]
    assert row.slider.value() == round((1.23 + 1) / 4 * POSITIONS)
    assert row.value() == 1.23


def test_value_finer_than_the_slider_stays_as_typed(qtbot):
    wide = SliderRow("Count", SliderRange(0, 100_000, 0, decimals=0))
    qtbot.addWidget(wide)
    wide.set_value(12_345)
    assert wide.value() == 12_345


@pytest.mark.parametrize("part", ["label", "slider"])
def test_double_click_returns_to_the_default(qtbot, row, part):
    row.set_value(2.0)
    qtbot.mouseDClick(getattr(row, part), Qt.MouseButton.LeftButton)
    assert row.value() == 0.5


def test_value_out_of_range_is_held_at_the_end(row):
    row.set_value(99)
    assert row.value() == 3.0
    assert row.slider.value() == POSITIONS


def test_arrow_keys_move_it(row):
    row.slider.setFocus()
    QTest.keyClick(row.slider, Qt.Key.Key_Right)
    assert row.value() == pytest.approx(0.54)


def test_log_range_gives_each_factor_the_same_way():
    log = SliderRange(0.001, 1.0, 0.1, decimals=4, log=True)
    assert log.position(0.001) == 0
    assert log.position(1.0) == POSITIONS
    assert log.position(0.01) == round(POSITIONS / 3)
    assert log.value(POSITIONS * 2 // 3) == pytest.approx(0.1, rel=0.01)


def test_parts_have_names_and_every_value_fits(row):
    assert row.slider.accessibleName() == row.edit.accessibleName() == "Level"
    for value in (-1.0, 0.05, 2.95):
        row.set_value(value)
        line = row.edit.lineEdit()
        assert line.fontMetrics().horizontalAdvance(line.text()) <= line.width()
