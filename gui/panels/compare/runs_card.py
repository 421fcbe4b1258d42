"""Which runs are compared, and what must be known of them."""

from PySide6.QtCore import Signal

from engine.config import DataConfig
from gui.loaded_data import source_title
from gui.run_record import RunRecord
from gui.session import Session
from gui.widgets.card import Card
from gui.widgets.notice import NoticeBox
from gui.widgets.number_model import Column, Row
from gui.widgets.number_table import ROW_PX, NumberTable
from gui.widgets.text import label

NOTE = "Mean squared error on each run's own validation scans, at its best epoch."
EMPTY = "No run has a model yet. Train one for at least one epoch."
MOST = 4
HEAD_PX = 34
UNITS = {"size": " px", "fit": "", "normalisation": ""}


class RunsCard(Card):
    """Tick the runs to compare, up to four."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__("Runs")
        self._session = session
        self.table = NumberTable((Column("run", str, False), Column("val. MSE")), checkable=True)
        self.table.setAccessibleName("runs to compare")
        self._note, self.notice = label(role="caption", wrap=True), NoticeBox()
        self.add(self.table, 1)
        for part in (self._note, self.notice):
            self.add(part)
        self.body.addStretch()
        self.table.checked_changed.connect(self._on_checked_changed)
        self.refresh()

    def records(self) -> list[RunRecord]:
        """The runs that are compared, oldest first."""
        known = self._session.book.records
        return [known[name] for name in reversed(self.table.checked()) if name in known]

    def choose(self, names: list[str]) -> None:
        self.table.set_checked(names[:MOST])

    def refresh(self) -> None:
        """List the runs that have a model."""
        ready = [record for record in self._session.book.records.values() if record.epochs and not record.damage]
        rows = [_row(record) for record in reversed(ready)]
        self.table.set_rows(rows)
        self.table.setMaximumHeight(HEAD_PX + ROW_PX * len(rows))
        self.table.setVisible(bool(rows))
        self._note.setText(NOTE if rows else EMPTY)
        self.show_warnings()

    def show_warnings(self) -> None:
        """Say which of the chosen runs are not at home on the scans that are shown."""
        data = self._session.data
        sentences = [text for record in self.records() if data for text in strangeness(record, data.config)]
        self.notice.show_notice("\n".join(sentences), "info")

    def _on_checked_changed(self, names: list[str]) -> None:
        if len(names) > MOST:
            self.table.set_checked(names[:MOST])
            return
        self.show_warnings()
        self.changed.emit()


def strangeness(record: RunRecord, data: DataConfig) -> list[str]:
    """Return what makes a run's numbers on these scans differ from those it was trained for."""
    if record.config is None:
        return []
    own, found = record.config.data, []
    if own.source != data.source:
        found.append(f"{record.name} was trained on other scans ({source_title(own)}).")
    changed = [
        f"{getattr(own, name)}{unit}" for name, unit in UNITS.items() if getattr(own, name) != getattr(data, name)
    ]
    if changed:
        found.append(f"{record.name} was trained on scans prepared otherwise ({', '.join(changed)}).")
    return found


def _row(record: RunRecord) -> Row:
    best = record.best
    error = best.metrics.get("val_mse", float("nan")) if best else float("nan")
    tip = f"{record.name}: {record.state}" + (f", best epoch {best.epoch}" if best else "")
    return Row(record.name, (record.name, error), record.name, tip=tip)
