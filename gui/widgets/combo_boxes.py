"""Combo boxes: one that elides its entry, one for a column that scrolls, one of many names."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QCompleter, QStyle, QStyleOptionComboBox, QStylePainter, QWidget

from gui.theme import restyle

# Entries that are shown without scrolling, and room for the frame and for a scroll bar.
MAX_ROWS, ROOM_PX = 16, 20


class FocusComboBox(QComboBox):
    """A combo box that leaves the wheel to the column around it unless it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def showPopup(self) -> None:
        """Show the whole entries, also in a box that is narrower than they are."""
        view = self.view()
        view.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.setMaxVisibleItems(MAX_ROWS)
        view.setMinimumWidth(view.sizeHintForColumn(0) + ROOM_PX)
        super().showPopup()

    def wheelEvent(self, event: QWheelEvent) -> None:
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


MARGIN_PX = 4


class ElidedComboBox(FocusComboBox):
    """Drop-down whose entry ends in an ellipsis where it does not fit; Qt alone cuts it within a letter."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        control, part = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(control, option, part, self).width() - MARGIN_PX
        option.currentText = self.fontMetrics().elidedText(option.currentText, Qt.TextElideMode.ElideRight, room)
        painter.drawComplexControl(control, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


LEAST_LETTERS = 10


class SearchableComboBox(QComboBox):
    """Combo box that filters its names by the typed text and adds none; long names do not widen it."""

    def __init__(self, accessible_name: str) -> None:
        super().__init__()
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setMinimumContentsLength(LEAST_LETTERS)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        completer = QCompleter(self.model(), self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.setCompleter(completer)
        field, found = self.lineEdit(), completer.popup()
        if field is not None and found is not None:
            # The list is a window of its own, which no style sheet of a part reaches.
            field.textEdited.connect(lambda: restyle(found))
        for part in filter(None, (self, self.lineEdit())):
            part.setAccessibleName(f"{accessible_name}, type part of the name")
