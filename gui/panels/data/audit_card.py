"""What the audit says before anything is trained: test scans that are in train, copies, near-duplicates."""

from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QProgressBar

from engine.messages import Audit, RequestFailed, RequestProgress
from gui.loaded_data import LoadedData
from gui.panels.data.duplicates_dialog import DuplicatesDialog
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.labels import label
from gui.widgets.notice import NoticeBox
from gui.widgets.number_model import TableColumn, TableRow
from gui.widgets.number_table import NumberTable

AUDIT = "audit"
COLUMNS = (TableColumn("Images", str, False), TableColumn("Count"))
CLEAN = (
    "No test image is an exact copy of a training or validation image. Other slices of the same patient are not "
    "checked."
)


class AuditCard(Card):
    """Identical scans are known with the data; near-duplicates are looked for by the explorer."""

    def __init__(self, session: Session) -> None:
        super().__init__("Audit")
        self._session = session
        self._data: LoadedData | None = None
        self._near: dict[str, Any] | None = None
        self.warning, self.clean = NoticeBox(), label(CLEAN, role="caption", wrap=True)
        self.table = NumberTable(COLUMNS)
        self.bar, self.caption = QProgressBar(), label(role="caption", wrap=True)
        self.notice, self.look = NoticeBox(), Button("Show duplicates…")
        self._lay_out()
        self.notice.action_requested.connect(self.search)
        self.look.clicked.connect(self._on_look_clicked)
        session.answered.connect(self._on_answered)
        session.progressed.connect(self._on_progressed)
        session.refused.connect(self._on_refused)
        session.waiting_changed.connect(self._show_waiting)
        self.hide()

    def _lay_out(self) -> None:
        self.table.setAccessibleName("duplicate counts")
        self.bar.setAccessibleName("search for near-duplicates")
        self.bar.setTextVisible(False)
        for part in (self.warning, self.clean, self.table, self.caption, self.bar, self.notice):
            self.add(part)
        line = QHBoxLayout()
        line.addWidget(self.look)
        line.addStretch()
        self.add(line)

    def show_data(self, data: LoadedData) -> None:
        """Show what is known at once, and have near-duplicates looked for."""
        self._data, self._near = data, None
        self.warning.show_notice(data.repeats["warning"])
        self.clean.setVisible(not data.repeats["warning"] and bool(data.size("test")))
        self.show()
        self.search()

    def search(self) -> None:
        """Ask for near-duplicates."""
        if self._data:
            self.notice.show_notice("")
            self._session.ask(Audit, AUDIT, config=self._data.config)
            self.bar.setRange(0, 0)
        self._show_counts()

    def groups(self) -> list[dict[str, Any]]:
        """What there is to look at: groups of identical scans, then of near-duplicates, each with its kind."""
        if self._data is None:
            return []
        found = [group | {"kind": "identical"} for group in self._data.repeats["groups"]]
        return found + [group | {"kind": "near"} for group in (self._near or {"groups": []})["groups"]]

    def _show_counts(self) -> None:
        if self._data is None:
            return
        exact, near = self._data.repeats["splits"], self._near["splits"] if self._near else None
        counts = {
            "leaked test images": exact["test"]["test_in_train"],
            "deduplicated test images": exact["test"]["test_clean"],
            "redundant training images": exact["train"]["redundant"],
            "near-duplicates, all sets": None
            if near is None
            else sum(part["near_duplicates"] for part in near.values()),
            "deduplicated, but near-duplicates": None if near is None else near["test"]["near_train"],
        }
        self.table.set_rows([TableRow(name, (name, count), tip=TIPS[name]) for name, count in counts.items()])
        self.table.fit_height()
        self.look.setEnabled(bool(self.groups()))

    def _show_waiting(self, panel: str) -> None:
        if panel == AUDIT:
            waiting = self._session.explorer.is_waiting(AUDIT)
            self.bar.setVisible(waiting)
            self.caption.setVisible(waiting)
            self.caption.setText("Searching for near-duplicates…")

    def _on_progressed(self, event: RequestProgress) -> None:
        if event.panel == AUDIT:
            self.bar.setRange(0, event.total)
            self.bar.setValue(event.done)

    def _on_answered(self, panel: str, content: dict[str, Any]) -> None:
        if panel == AUDIT:
            self._near = content["near"]
            self._show_counts()

    def _on_refused(self, panel: str, refused: RequestFailed) -> None:
        if panel == AUDIT:
            self.notice.show_notice(f"{refused.reason} {refused.advice}".strip(), action="Retry")

    def _on_look_clicked(self) -> None:
        if self._data:
            DuplicatesDialog(self._data, self.groups(), self.window()).open()


TIPS = {
    "leaked test images": (
        "Test images with a pixel-identical copy in training or validation (full resolution; the files may differ)."
    ),
    "deduplicated test images": (
        "Test images with no pixel-identical copy in training or validation. Near-duplicates and other slices of the "
        "same patient are not excluded."
    ),
    "redundant training images": (
        "Copies within the training folder: all images minus distinct images. A validation set held out of this folder "
        "is included."
    ),
    "near-duplicates, all sets": (
        "Copies that were resized, recompressed, flipped, rotated, or made brighter or darker, in all sets."
    ),
    "deduplicated, but near-duplicates": (
        "Deduplicated test images (no exact copy) that are a near-duplicate of a training or validation image: "
        "resized, recompressed, flipped, rotated, brighter or darker."
    ),
}
