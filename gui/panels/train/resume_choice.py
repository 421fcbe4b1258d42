"""Controls that resume a run, on its own backend or on another."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from engine.config import BACKEND_TITLES
from gui.run_record import RunRecord
from gui.widgets.buttons import Button

SAME = "Resume on the backend it was last trained with."
OTHER = (
    "Resume on another backend with the same weights and optimizer state. Results will be close but not bit-identical."
)


class ResumeChoice(QWidget):
    """Controls that resume a run; `wanted` carries the run, and the backend if another one was chosen."""

    wanted = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.backend = QComboBox()
        self.backend.setAccessibleName("backend to resume with")
        for name, title in BACKEND_TITLES.items():
            self.backend.addItem(title, name)
        self.button = Button("Resume", "primary", "play")
        self._record: RunRecord | None = None
        self._before: tuple[str, str] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.backend)
        row.addWidget(self.button)
        self.backend.currentIndexChanged.connect(self._update_text)
        self.button.clicked.connect(self._on_clicked)
        self._update_text()

    def show_run(self, record: RunRecord | None, free: bool) -> None:
        """Show a run, or nothing for None; `free` says whether it can be resumed now.

        The choice returns to the run's own backend when another run is shown, or when the run has trained further.
        """
        self._record = record
        own = (record.name, record.backend) if record else None
        if own and own != self._before:
            self._before = own
            self.backend.setCurrentIndex(self.backend.findData(own[1]))
        for widget in (self.backend, self.button):
            widget.setEnabled(free)
        self.setVisible(record is not None)

    def _update_text(self) -> None:
        own = self._before is None or self.backend.currentData() == self._before[1]
        self.backend.setToolTip(SAME if own else OTHER)

    def _on_clicked(self) -> None:
        record, chosen = self._record, self.backend.currentData()
        if record:
            self.wanted.emit(record.name, chosen if chosen != record.backend else None)
