"""Numbers as people write them."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QValidator
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QVBoxLayout, QWidget

from gui.widgets.number_edit import SIDE_PX, NumberEdit


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
