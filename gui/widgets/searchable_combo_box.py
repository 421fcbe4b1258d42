"""Combo box of many names; typing any part of a name finds it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QCompleter

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
        for part in filter(None, (self, self.lineEdit())):
            part.setAccessibleName(f"{accessible_name}, type part of the name")
