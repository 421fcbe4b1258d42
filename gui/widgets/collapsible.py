"""Section that folds away behind its title; the title counts the settings that differ from the default."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.widgets.buttons import Button


class Collapsible(QWidget):
    """Clickable title with `body` below it while it is open."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self.button, self.body = Button(title, "link", "chevron-right"), QWidget()
        self.button.setCheckable(True)
        self.button.toggled.connect(self._on_toggled)
        self.body.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.body)

    def open(self) -> None:
        self.button.setChecked(True)

    def is_open(self) -> bool:
        return self.button.isChecked()

    def set_changed(self, count: int) -> None:
        """Show how many settings inside differ from their defaults."""
        self.button.setText(f"{self._title} · {count} changed" if count else self._title)

    def _on_toggled(self, open_: bool) -> None:
        self.button.set_icon("chevron-down" if open_ else "chevron-right")
        self.body.setVisible(open_)
