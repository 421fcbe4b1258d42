"""Rail: the buttons of the panels, in a column."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QVBoxLayout, QWidget

from gui.widgets.buttons import RailButton


class Rail(QFrame):
    """Icon and name of each panel, with the current one marked."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "rail")
        self.setAccessibleName("panels")
        self._buttons: dict[str, RailButton] = {}
        self._group = QButtonGroup(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 8, 0, 8)
        self._column.setSpacing(2)
        self._column.addStretch()

    def add(self, key: str, title: str, icon_name: str) -> None:
        button = RailButton(icon_name, title)
        button.setToolTip(f"{title} (Ctrl+{len(self._buttons) + 1})")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.chosen.emit(key))
        self._buttons[key] = button
        self._group.addButton(button)
        self._column.insertWidget(self._column.count() - 1, button)

    def set_current(self, key: str) -> None:
        """Mark the current panel."""
        self._buttons[key].setChecked(True)
