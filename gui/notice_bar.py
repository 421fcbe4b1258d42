"""Line under the top bar for messages about the whole window: a lost engine, a drop that cannot be opened."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from gui.theme import GAP
from gui.widgets.buttons import IconButton
from gui.widgets.notice import Kind, NoticeBox


class NoticeBar(QWidget):
    """Single message, shown until the user dismisses it, acts on it, or the next one replaces it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box, self.dismiss = NoticeBox(), IconButton("close", "Dismiss")
        self._do: Callable[[], object] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, GAP, GAP, 0)
        row.addWidget(self.box, 1)
        row.addWidget(self.dismiss, 0, Qt.AlignmentFlag.AlignTop)
        self.box.action_requested.connect(self._on_action_requested)
        self.dismiss.clicked.connect(self.clear)
        self.hide()

    def show_message(
        self, text: str, kind: Kind = "warning", action: str = "", do: Callable[[], object] | None = None
    ) -> None:
        """Show a sentence, with a button that does something about it."""
        self._do = do
        self.box.show_notice(text, kind, action)
        self.setVisible(bool(text))

    def clear(self) -> None:
        self.show_message("")

    def _on_action_requested(self) -> None:
        do = self._do
        self.clear()
        if do:
            do()
