"""Log of a run, line by line."""

from datetime import datetime

from PySide6.QtWidgets import QPlainTextEdit, QWidget

from gui.run_record import LogLine, RunRecord
from gui.widgets.card import Card

MOST_LINES = 5000
LEAST_PX = 32
LEVELS = {"warning": "Warning: ", "error": "Error: "}


class LogView(QPlainTextEdit):
    """Quiet list of time-stamped lines; it scrolls to its end unless the user has scrolled up."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "log")
        self.setReadOnly(True)
        self.setMinimumHeight(LEAST_PX)
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


class LogCard(Card):
    """Log of the current run."""

    def __init__(self) -> None:
        super().__init__("Log")
        self.view = LogView()
        self._record: RunRecord | None = None
        self._count = 0
        self.add(self.view, 1)

    def show_run(self, record: RunRecord | None) -> None:
        """Show a run's lines; for the run that is already shown, append only the new ones."""
        if record is not self._record:
            self.view.clear()
            self._record, self._count = record, 0
        lines = record.log[self._count :] if record else []
        for line in lines:
            self.view.add_line(written(line), datetime.fromtimestamp(line.time))
        self._count += len(lines)


def written(line: LogLine) -> str:
    """Return a line with its level in words."""
    already = line.text.startswith(("Failed", "Warning", "Error"))
    return line.text if already else LEVELS.get(line.level, "") + line.text
