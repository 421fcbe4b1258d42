"""The card of compared runs and baselines: their PSNR on deduplicated test images, and warnings."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal

from engine.config import DataConfig
from gui.loaded_data import source_title
from gui.panels.compare.comparison import ImageSource, baseline_of, from_reference, from_run, is_baseline
from gui.panels.compare.metrics import MetricsLoader
from gui.run_list_view import RunListView
from gui.run_listing import PSNR, Measured, format_psnr
from gui.run_record import RunRecord
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import Card, NoticeBox
from gui.widgets.labels import label
from gui.widgets.number_model import TableColumn, TableRow
from gui.widgets.number_table import NumberTable
from gui.widgets.run_list.widget import ListMode

PCA_NOTE = (
    "Baseline: PCA with the same latent size. A model that scores below it is no better than a linear projection."
)
EMPTY = "No trained model yet. Train one for at least one epoch."
NO_TEST = "The dataset has no test images to measure on."
MOST, MOST_MEASURED = 4, 8
LIST_PX = 220
PSNR_TIP = "Test PSNR: mean PSNR on the test images without copies in the training or validation set, dB"
UNITS = {"size": " px", "fit": "", "normalisation": ""}
COMING = "…"


class CompareRunsCard(Card):
    """A card whose checks choose up to four runs or baselines to compare."""

    changed = Signal()
    numbers_wanted = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__("Runs")
        self._session, self.measures, self._followed = session, MetricsLoader(session, self), ""
        self.list = RunListView(session, ListMode.CHECK, columns=(PSNR,))
        self.table, self._before = self.list.tree, list[str]()
        self.lines = NumberTable(
            (TableColumn("Baseline", str, False), TableColumn("Test PSNR", format_psnr)), checkable=True
        )
        self.lines.setAccessibleName("baselines to compare")
        for header in (self.table.header(), self.lines.horizontalHeader()):
            header.setToolTip(PSNR_TIP)
        self.list.setMinimumHeight(LIST_PX)
        self._note, self.notice, self.numbers = label(role="caption", wrap=True), NoticeBox(), Button("Metrics…")
        self.numbers.setToolTip("All metrics of the selected runs, for all, leaked and deduplicated test images")
        self.add(self.list, 1)
        for part in (self.lines, self._note, self.notice):
            self.add(part)
        self.body.addWidget(self.numbers, 0, Qt.AlignmentFlag.AlignLeft)
        self.numbers.clicked.connect(self.numbers_wanted)
        for table in (self.table, self.lines):
            table.checked_changed.connect(self._on_checked_changed)
        self.refresh()

    def checked(self) -> list[str]:
        """Return the names of the checked runs, newest first, then the keys of the checked baselines."""
        return [*self.table.checked(), *self.lines.checked()]

    def records(self) -> list[RunRecord]:
        """Return the compared runs, oldest first."""
        checked = self.table.checked()
        return [record for record in reversed(self._session.ready_runs()) if record.name in checked]

    def compared(self) -> list[ImageSource]:
        """Return the compared runs, oldest first, then the baselines."""
        return [*map(from_run, self.records()), *map(from_reference, self.lines.checked())]

    def choose(self, names: Sequence[str]) -> None:
        """Check these runs and baselines, the first ones if there are too many."""
        kept = list(names)[:MOST]
        self._before = kept
        self.table.set_checked([name for name in kept if not is_baseline(name)])
        self.lines.set_checked([name for name in kept if is_baseline(name)])

    def follow_run(self, name: str) -> None:
        """Check a run in the place of the one that was followed before."""
        ticked = [key for key in self.checked() if key != self._followed or key == name]
        self._followed = name
        if name not in ticked:
            self.choose([name, *ticked])

    def refresh(self) -> None:
        """List the runs that have a model, and the baselines of the checked ones."""
        self._session.run_list.refresh()
        ready = self._session.ready_runs()
        baselines = self._baselines(ready)
        self._measure(ready, baselines)
        self._session.run_list.set_measured({record.name: self._measured(record) for record in ready})
        self.lines.set_rows([self._baseline_row(each) for each in baselines])
        self.lines.fit_height()
        self.lines.setVisible(bool(baselines))
        self.list.setVisible(bool(ready))
        self.numbers.setVisible(bool(ready))
        self.numbers.setEnabled(bool(self.compared()))
        self.set_subtitle(f"{len(self.checked())} of {MOST} compared" if ready else "")
        self._note.setText(self._note_text(ready, baselines))
        self.show_warnings()

    def show_warnings(self) -> None:
        """Show which of the chosen runs were trained for other images than those shown."""
        data = self._session.data
        sentences = [text for record in self.records() if data for text in mismatch_warning(record, data.config)]
        self.notice.show_notice("\n".join(sentences), "info")

    def _baselines(self, ready: list[RunRecord]) -> list[ImageSource]:
        """Return the baselines of the ticked runs, or of the newest run if none is ticked, and the ticked baselines."""
        ticked = self.checked()
        wanted = [record for record in ready if record.name in ticked] or ready[:1]
        refs = [baseline_of(record) for record in wanted] + [key for key in ticked if is_baseline(key)]
        return [from_reference(ref) for ref in dict.fromkeys(filter(None, refs))]

    def _measure(self, ready: list[RunRecord], baselines: list[ImageSource]) -> None:
        """Request the metrics, those of ticked rows first; a run in training is measured when it has ended."""
        ticked = self.table.checked()
        idle = [record for record in ready if not record.busy]
        first = [from_run(record) for record in idle if record.name in ticked]
        rest = [from_run(record) for record in idle if record.name not in ticked][:MOST_MEASURED]
        self.measures.request([*first, *baselines, *rest])

    def _note_text(self, ready: list[RunRecord], baselines: list[ImageSource]) -> str:
        if not ready:
            return EMPTY
        data = self._session.data
        if data is not None and not data.size("test"):
            return NO_TEST
        below = [record.name for record in ready if self._is_below(record)]
        verdict = f" Below the PCA baseline: {', '.join(below)}." if below else ""
        patients = data.patients.patient_note if data is not None else ""
        return "\n".join(filter(None, (PCA_NOTE + verdict if baselines else "", patients)))

    def _is_below(self, record: RunRecord) -> bool:
        """Return whether a run is known to have a lower PSNR than the PCA baseline of its latent size."""
        ref = baseline_of(record)
        own, line = (
            self.measures.clean_db(from_run(record)),
            self.measures.clean_db(from_reference(ref)) if ref else None,
        )
        return own is not None and line is not None and own < line

    def _visible_rows(self, compared: ImageSource) -> float | str | None:
        value = self.measures.clean_db(compared)
        coming = self._session.data is not None and self.measures.is_pending(compared)
        return COMING if value is None and coming else value

    def _measured(self, record: RunRecord) -> Measured:
        source = from_run(record)
        tip = self.measures.failure(source) or self.measures.errors(source)
        return Measured(self._visible_rows(source), tip, self._is_below(record))

    def _baseline_row(self, compared: ImageSource) -> TableRow:
        tip = "\n".join(filter(None, (PCA_NOTE, self.measures.failure(compared) or self.measures.errors(compared))))
        return TableRow(compared.ref, (compared.name, self._visible_rows(compared)), compared.series, tip=tip)

    def _on_checked_changed(self) -> None:
        """Compare what is checked; of too many, those that were checked before stay."""
        checked = self.checked()
        if len(checked) > MOST:
            self.choose([*self._before, *(key for key in checked if key not in self._before)])
            return
        self._before = checked
        self.show_warnings()
        self.changed.emit()


def mismatch_warning(record: RunRecord, data: DataConfig) -> list[str]:
    """Return the reasons why a run's metrics on these images differ from those of its training."""
    if record.config is None:
        return []
    own, found = record.config.data, []
    if own.source != data.source:
        found.append(f"{record.name} was trained on a different dataset ({source_title(own)}).")
    changed = [
        f"{getattr(own, name)}{unit}" for name, unit in UNITS.items() if getattr(own, name) != getattr(data, name)
    ]
    if changed:
        found.append(
            f"{record.name} was trained with different preprocessing ({', '.join(changed)}); its scores here are not "
            "comparable."
        )
    return found
