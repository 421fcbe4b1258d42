"""The card with the audit of the dataset: leaked test images, exact duplicates, near-duplicates."""

from PySide6.QtWidgets import QHBoxLayout, QProgressBar

from engine.messages import Audit, AuditReply, DuplicateGroup, LabelConflict, NearDuplicates, RequestFailed
from gui.loaded_data import PARTS, SPLITS, LoadedData
from gui.panels.data.duplicates_dialog import DuplicatesDialog
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import Card, NoticeBox
from gui.widgets.labels import label
from gui.widgets.number_model import TableColumn, TableRow
from gui.widgets.number_table import NumberTable

AUDIT = "audit"
COLUMNS = (TableColumn("Images", str, False), TableColumn("Count"))
CLEAN = "No test image is an exact copy of a training or validation image."


class AuditCard(Card):
    """Exact duplicates are known with the dataset; the explorer searches for near-duplicates."""

    def __init__(self, session: Session) -> None:
        super().__init__("Audit")
        self._session = session
        self._data: LoadedData | None = None
        self._near: NearDuplicates | None = None
        self._conflicts: tuple[LabelConflict, ...] = ()
        self.warning, self.clean = NoticeBox(), label(CLEAN, role="caption", wrap=True)
        self.patients = label(role="caption", wrap=True)
        self.table = NumberTable(COLUMNS)
        self.bar, self.caption = QProgressBar(), label(role="caption", wrap=True)
        self.notice, self.look = NoticeBox(), Button("Show duplicates…")
        self._lay_out()
        self.notice.action_requested.connect(self.search)
        self.look.clicked.connect(self._on_look_clicked)
        self.hide()

    def _lay_out(self) -> None:
        self.table.setAccessibleName("duplicate counts")
        self.bar.setAccessibleName("search for near-duplicates")
        self.bar.setTextVisible(False)
        for part in (self.warning, self.clean, self.patients, self.table, self.caption, self.bar, self.notice):
            self.add(part)
        line = QHBoxLayout()
        line.addWidget(self.look)
        line.addStretch()
        self.add(line)

    def show_data(self, data: LoadedData) -> None:
        """Show the exact duplicates at once, and search for near-duplicates."""
        self._data, self._near, self._conflicts = data, None, ()
        self.warning.show_notice(data.repeats.warning)
        self.clean.setVisible(not data.repeats.warning and bool(data.size("test")))
        self.patients.setText(data.patients.patient_note)
        self.patients.setVisible(bool(data.patients.patient_note))
        self.show()
        self.search()

    def search(self) -> None:
        """Search for near-duplicates."""
        if self._data:
            self.notice.show_notice("")
            handle = self._session.request(Audit(panel=AUDIT, config=self._data.config))
            handle.finished.connect(self._on_audited)
            handle.failed.connect(self._on_failed)
            handle.progressed.connect(self._on_progressed)
            self._show_searching(True)
            self.bar.setRange(0, 0)
        self._show_counts()

    def groups(self) -> list[DuplicateGroup | LabelConflict]:
        """Return the groups of images with identical pixels, those of near-duplicates, then the label conflicts."""
        if self._data is None:
            return []
        return [*self._data.repeats.groups, *(self._near.groups if self._near else ()), *self._conflicts]

    def _show_counts(self) -> None:
        if self._data is None:
            return
        exact, near = self._data.repeats.splits, self._near.splits if self._near else None
        counts: dict[str, int | None] = {
            "leaked test images": exact.test.test_in_train,
            "deduplicated test images": exact.test.test_clean,
            "redundant training images": exact.train.redundant,
            "near-duplicates, all sets": near.total if near else None,
            "deduplicated, but near-duplicates": near.test.near_train if near else None,
        }
        if self._conflicts:
            names = {member.name for each in self._conflicts for member in each.members}
            counts["images with conflicting labels"] = len(names)
        counts |= _count_patients(self._data)
        self.table.set_rows([TableRow(name, (name, count), tip=TIPS[name]) for name, count in counts.items()])
        self.table.fit_height()
        self.look.setEnabled(bool(self.groups()))

    def _show_searching(self, is_searching: bool) -> None:
        self.bar.setVisible(is_searching)
        self.caption.setVisible(is_searching)
        self.caption.setText("Searching for near-duplicates…")

    def _on_progressed(self, done: int, total: int) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)

    def _on_audited(self, reply: AuditReply) -> None:
        self._show_searching(False)
        self._near, self._conflicts = reply.near, reply.label_conflicts
        self._show_counts()

    def _on_failed(self, failure: RequestFailed) -> None:
        self._show_searching(False)
        # Loading another dataset ends the audit of this one: nothing to report, or to repeat.
        if self._session.loading is None:
            self.notice.show_notice(failure.sentence, action="Retry")

    def _on_look_clicked(self) -> None:
        if self._data:
            DuplicatesDialog(self._data, self.groups(), self.window()).open()


def _count_patients(data: LoadedData) -> dict[str, int]:
    """Return the rows on patients; none where no patient is known."""
    known = data.patients
    if not known.patients:
        return {}
    sets = {f"patients, {PARTS[name]} set": count for name, count in known.patients_by_split.items()}
    return sets | {
        "patients in both test and training": known.patients_in_both,
        "test images of unseen patients": known.test_unseen_patients,
    }


TIPS = {
    **{f"patients, {PARTS[name]} set": "Patients with images in this set, as far as known." for name in SPLITS},
    "patients in both test and training": "Patients with images in the test set and in training or validation.",
    "test images of unseen patients": (
        "Test images of a known patient without images in training or validation; leaked images are not counted."
    ),
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
    "images with conflicting labels": (
        "Images with identical pixels, near-duplicates, or images of one patient, whose labels differ. Which label is "
        "wrong is not known."
    ),
    "near-duplicates, all sets": (
        "Copies that were resized, recompressed, flipped, rotated, or made brighter or darker, in all sets."
    ),
    "deduplicated, but near-duplicates": (
        "Deduplicated test images (no exact copy) that are a near-duplicate of a training or validation image: "
        "resized, recompressed, flipped, rotated, brighter or darker."
    ),
}
