"""Lines of text with the time at which they came."""

from datetime import datetime

from PySide6.QtWidgets import QPlainTextEdit, QWidget

MOST_LINES = 5000


class LogView(QPlainTextEdit):
    """A quiet list of time-stamped lines; follows its end unless the user has scrolled up."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "log")
        self.setReadOnly(True)
        self.setMaximumBlockCount(MOST_LINES)
        self.setTabChangesFocus(True)
        self.setAccessibleName("log")
        self.document().setDocumentMargin(0)

    def add_line(self, text: str, when: datetime | None = None) -> None:
        """Add a line; without a time it came now."""
        bar = self.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 2
        self.appendPlainText(f"{when or datetime.now():%H:%M:%S}  {text}")
        if follows:
            bar.setValue(bar.maximum())
