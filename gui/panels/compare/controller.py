"""Which images are looked at, and asking for them: pages of a split in some order, or slices of one scan."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.messages import OpenScan, PerImageErrors, Reconstruct, RequestFailed
from gui.loaded_data import PARTS
from gui.opened_scan import OpenedScan
from gui.opened_scan import from_answer as scan_from_answer
from gui.panels.compare.comparison import Comparison, from_answer
from gui.panels.compare.pages import ORDERS, Pager, sorted_by
from gui.panels.compare.sources import ImageSource
from gui.session import Session
from gui.widgets.labels import grouped
from gui.widgets.timer import make_timer

PICTURES, RANKS, SCAN = "compare", "compare-rank", "compare-scan"
NO_SCANS = "No dataset loaded. Choose a source in Data, or drop an image here."
Key = tuple[str, int, str, str]


class CompareController(QObject):
    """Knows the place in the data set and asks the session for its pictures; the newest question counts."""

    found = Signal(object)
    failed = Signal(str)
    sorted_anew = Signal()
    scan_opened = Signal(object)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self.pages = Pager()
        self.scan: OpenedScan | None = None
        self.compared: list[ImageSource] = []
        self._session, self.part, self._order = session, "", ""
        self._ranks: dict[Key, list[float]] = {}
        self._asked: tuple[dict[str, str], list[str]] = {}, []
        self._ranking: Key | None = None
        self._path = ""
        self._question: object = None
        self._last: Comparison | None = None
        self._layout = self._shown_as = ""
        self._soon = make_timer(self, 0)
        self._soon.timeout.connect(self._ask)
        session.answered.connect(self._on_answered)
        session.refused.connect(self._on_refused)

    def set_view(self, compared: Sequence[ImageSource], values: Mapping[str, Any]) -> None:
        """Look at a part of the scans through these runs, as the view says."""
        self.compared = list(compared)
        self._layout = values["layout"]
        columns = values["columns"] if values["layout"] == "grid" else 1
        part, order = values["split"] or "", values["order"]
        wanted = tuple(self._wanted_order(part, order))
        self.pages = self.pages.with_columns(columns)
        if (part, order, wanted) != (self.part, self._order, self.pages.order):
            self.pages = self.pages.with_order(wanted)
        self.part, self._order = part, order
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
        what = "page" if self.pages.columns > 1 else "image"
        place = f"{what} {self.pages.page} of {self.pages.count}"
        by = f" ({self.compared[0].name})" if self._order != "file" and self.compared else ""
        waiting = " · sorting…" if self._session.explorer.is_waiting(RANKS) else f" · {ORDERS[self._order]}{by}"
        return f"{grouped(len(self.pages.order))} {PARTS[self.part]} images · {place}{waiting}"

    @property
    def split(self) -> str:
        """The split that the images are numbered in."""
        data = self._session.data
        return data.indices_in(self.part)[0] if data and self.part else ""

    def _wanted_order(self, part: str, order: str) -> list[int]:
        """The order of a part's images; that of the files until a run's errors are known."""
        data = self._session.data
        split, places = data.indices_in(part) if data and part else ("", [])
        if order == "file" or not self.compared or data is None or not places:
            return places
        first, wanted = self.compared[0], set(places)
        key = (first.ref, first.epoch, split, data.fingerprint)
        if key in self._ranks:
            errors = self._ranks[key]
            if len(errors) != data.size(split):
                return places
            return [place for place in sorted_by(errors, order) if place in wanted]
        if self._ranking != key:
            self._ranking = key
            self._session.ask(PerImageErrors, RANKS, run=key[0], data=data.config, split=split)
        return places

    def _ask(self) -> None:
        data, scan = self._session.data, self.scan
        runs = {each.ref: each.name for each in self.compared}
        if scan is not None:
            self._asked = runs, [scan.title]
            config = data.config if data else self._session.requested_data
            place = {"data": config, "scan": scan.path, "slice": scan.slice}
        elif data is None or not self.pages.order:
            self.failed.emit(NO_SCANS)
            return
        else:
            rows = data.rows(self.split)[list(self.pages.indices)]
            self._asked = runs, [short(data.names[row]) for row in rows]
            place = {"data": data.config, "split": self.split, "indices": self.pages.indices}
        best = [each.epoch for each in self.compared]
        question = (tuple(runs), best, data.fingerprint if data else "", place)
        if question != self._question:  # a run tells of itself many times a second, but its model changes rarely
            self._question = question
            self._session.ask(Reconstruct, PICTURES, runs=tuple(runs), **place)
        elif self._layout != self._shown_as and self._last:
            self._publish(self._last)

    def _on_answered(self, panel: str, content: dict[str, Any]) -> None:
        if panel == SCAN:
            self.scan_opened.emit(scan_from_answer(self._path, content))
        elif panel == RANKS and self._ranking:
            self._ranks[self._ranking], self._ranking = content["mse"], None
            self.sorted_anew.emit()
        elif panel == PICTURES:
            self._publish(from_answer(content, *self._asked))

    def _publish(self, shown: Comparison) -> None:
        self._last, self._shown_as = shown, self._layout
        self.found.emit(shown)

    def _on_refused(self, panel: str, refused: RequestFailed) -> None:
        if panel == RANKS:
            self._ranking = None
        if panel in (PICTURES, RANKS, SCAN):
            self._question = None
            self.failed.emit(f"{refused.reason} {refused.advice}".strip())


def short(name: str) -> str:
    """Return the file's own name of a path within a source."""
    return name.rsplit("/", 1)[-1]
