"""Progress bar with text before and after it."""

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from gui.widgets.elided_label import ElidedLabel
from gui.widgets.labels import label

STEPS = 1000
BAR_WIDTH = 220


class ProgressLine(QWidget):
    """Current activity, its progress and its rate: the left half of the status bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self.bar, self._rate = ElidedLabel(), QProgressBar(), label(role="quiet")
        self._text.setProperty("role", "quiet")
        self.bar.setTextVisible(False)
        self.bar.setRange(0, STEPS)
        self.bar.setFixedWidth(BAR_WIDTH)
        self._said: tuple[str, float | None, str] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(16)
        for part in (self._text, self.bar, self._rate):
            row.addWidget(part)
        row.addStretch()

    def show_progress(self, text: str, share: float | None = 0.0, rate: str = "") -> None:
        """Show `text` and a share from 0 to 1; None means that the duration is unknown."""
        if self._said == (text, share, rate):
            return
        self._said = text, share, rate
        self._text.setText(text)
        self._rate.setText(rate)
        self.bar.setRange(0, 0 if share is None else STEPS)
        if share is not None:
            self.bar.setValue(round(min(max(share, 0), 1) * STEPS))
        self.bar.setAccessibleName(text)
