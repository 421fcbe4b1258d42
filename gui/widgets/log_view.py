"""List of log lines with their times."""

from datetime import datetime

from PySide6.QtWidgets import QPlainTextEdit, QWidget

MOST_LINES = 5000


class LogView(QPlainTextEdit):
    """Quiet list of time-stamped lines; it scrolls to its end unless the user has scrolled up."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "log")
        self.setReadOnly(True)
        self.setMaximumBlockCount(MOST_LINES)
        self.setTabChangesFocus(True)
        self.setAccessibleName("log")
        self.document().setDocumentMargin(0)

    def add_line(self, text: str, when: datetime | None = None) -> None:
        """Append a line; without a time, it gets the current one."""
        bar = self.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 2
        self.appendPlainText(f"{when or datetime.now():%H:%M:%S}  {text}")
        if follows:
            bar.setValue(bar.maximum())
