"""Which images are looked at, and asking for them: pages of a split in some order, or slices of one scan."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.messages import OpenScan, Rank, Reconstruct, Refused
from gui.panels.compare.pages import ORDERS, Pages, sorted_by
from gui.panels.compare.scan_card import OpenedScan
from gui.panels.compare.scan_card import from_answer as scan_from_answer
from gui.panels.compare.shown import Shown, from_answer
from gui.run_record import RunRecord
from gui.session import Session
from gui.widgets.text import grouped

PICTURES, RANKS, SCAN = "compare", "compare-rank", "compare-scan"
NO_SCANS = "No scans yet. Choose a source in Data, or drop a scan on this window."
Key = tuple[str, int, str, str]


class Gallery(QObject):
    """Knows the place in the data set and asks the session for its pictures; the newest question counts."""

    found = Signal(object)
    failed = Signal(str)
    sorted_anew = Signal()
    scan_opened = Signal(object)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self.pages = Pages()
        self.scan: OpenedScan | None = None
        self.records: list[RunRecord] = []
        self._session, self.split, self._order = session, "", ""
        self._ranks: dict[Key, list[float]] = {}
        self._asked: tuple[dict[str, str], list[str]] = {}, []
        self._ranking: Key | None = None
        self._path = ""
        self._question: object = None
        self._last: Shown | None = None
        self._layout = self._shown_as = ""
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._ask)
        session.answered.connect(self._on_answered)
        session.refused.connect(self._on_refused)

    def look(self, records: Sequence[RunRecord], values: Mapping[str, Any]) -> None:
        """Look at a split through these runs, as the view says."""
        self.records = list(records)
        self._layout = values["layout"]
        columns = values["columns"] if values["layout"] == "grid" else 1
        split, order = values["split"] or "", values["order"]
        wanted = tuple(self._wanted_order(split, order))
        self.pages = self.pages.with_columns(columns)
        if (split, order, wanted) != (self.split, self._order, self.pages.order):
            self.pages = self.pages.with_order(wanted)
        self.split, self._order = split, order
        self._soon.start()

    def turn(self, step: int) -> None:
        self.pages = self.pages.turn(step)
        self._soon.start()

    def go_to(self, index: int) -> None:
        """Turn to the page with an image of the split."""
        self.pages = self.pages.to(index)
        self._soon.start()

    def open_scan(self, path: str) -> None:
        self._path = path
        self._session.ask(OpenScan, SCAN, path=path)

    def show_scan(self, scan: OpenedScan | None) -> None:
        """Look at a slice of a scan, or at the data set again."""
        self.scan = scan
        self._soon.start()

    def title(self) -> str:
        """Return what is looked at, in words."""
        if self.scan is not None:
            return self.scan.title
        if not self.pages.order:
            return ""
        what = "page" if self.pages.columns > 1 else "scan"
        place = f"{what} {self.pages.page} of {self.pages.count}"
        by = f" of {self.records[0].name}" if self._order != "file" and self.records else ""
        waiting = " · sorting" if self._session.questions.is_waiting(RANKS) else f" · {ORDERS[self._order]}{by}"
        return f"{grouped(len(self.pages.order))} {self.split} scans · {place}{waiting}"

    def _wanted_order(self, split: str, order: str) -> list[int]:
        """The order of a split's images; that of the files until a run's errors are known."""
        data = self._session.data
        size = data.size(split) if data and split else 0
        if order == "file" or not self.records or data is None or not size:
            return list(range(size))
        record = self.records[0]
        key = (str(record.run.path), record.best.epoch if record.best else 0, split, data.fingerprint)
        if key in self._ranks:
            errors = self._ranks[key]
            return sorted_by(errors, order) if len(errors) == size else list(range(size))
        if self._ranking != key:
            self._ranking = key
            self._session.ask(Rank, RANKS, run=key[0], data=data.config, split=split)
        return list(range(size))

    def _ask(self) -> None:
        data, scan = self._session.data, self.scan
        runs = {str(record.run.path): record.name for record in self.records}
        if scan is not None:
            self._asked = runs, [scan.title]
            config = data.config if data else self._session.wanted
            place = {"data": config, "scan": scan.path, "slice": scan.slice}
        elif data is None or not self.pages.order:
            self.failed.emit(NO_SCANS)
            return
        else:
            rows = data.rows(self.split)[list(self.pages.indices)]
            self._asked = runs, [short(data.names[row]) for row in rows]
            place = {"data": data.config, "split": self.split, "indices": self.pages.indices}
        best = [record.best.epoch if record.best else 0 for record in self.records]
        question = (tuple(runs), best, data.fingerprint if data else "", place)
        if question != self._question:  # a run tells of itself many times a second, but its model changes rarely
            self._question = question
            self._session.ask(Reconstruct, PICTURES, runs=tuple(runs), **place)
        elif self._layout != self._shown_as and self._last:
            self._tell(self._last)

    def _on_answered(self, panel: str, content: dict[str, Any]) -> None:
        if panel == SCAN:
            self.scan_opened.emit(scan_from_answer(self._path, content))
        elif panel == RANKS and self._ranking:
            self._ranks[self._ranking], self._ranking = content["mse"], None
            self.sorted_anew.emit()
        elif panel == PICTURES:
            try:
                self._tell(from_answer(content, *self._asked))
            except (OSError, ValueError) as error:
                self.failed.emit(f"The pictures cannot be read ({error}).")

    def _tell(self, shown: Shown) -> None:
        self._last, self._shown_as = shown, self._layout
        self.found.emit(shown)

    def _on_refused(self, panel: str, refused: Refused) -> None:
        if panel == RANKS:
            self._ranking = None
        if panel in (PICTURES, RANKS, SCAN):
            self._question = None
            self.failed.emit(f"{refused.reason} {refused.advice}".strip())


def short(name: str) -> str:
    """Return the file's own name of a path within a source."""
    return name.rsplit("/", 1)[-1]
