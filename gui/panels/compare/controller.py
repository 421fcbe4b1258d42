"""Which images are shown, and the requests for them: pages of a set in some order, or slices of one file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.data.files import DICOM_SUFFIXES, PICTURE_SUFFIXES
from engine.messages import (
    OpenScan,
    OpenScanReply,
    PerImageErrors,
    PerImageErrorsReply,
    Reconstruct,
    ReconstructReply,
    RequestFailed,
)
from gui.explorer_client import RequestHandle
from gui.formatting import format_count
from gui.loaded_data import PARTS
from gui.opened_files import OpenedScan
from gui.panels.compare.comparison import ORDERS, Comparison, ImageSource, Pager, make_comparison, sorted_by
from gui.selection import ImageRef
from gui.session import Session
from gui.widgets.timers import make_timer

PICTURES, RANKS = "compare", "compare-rank"
Key = tuple[str, int, str, str]


@dataclass(frozen=True)
class Question:
    """A request for reconstructions, with what else decides about the reply: sources, dataset, names of the images."""

    message: Reconstruct
    compared: tuple[ImageSource, ...]
    fingerprint: str
    titles: tuple[str, ...]


class CompareController(QObject):
    """A controller that knows the position in the dataset and requests its images; the newest request counts."""

    found = Signal(object)
    failed = Signal(str)
    asked = Signal()
    order_changed = Signal()

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self.pages = Pager()
        self.scan: OpenedScan | None = None
        self.compared: list[ImageSource] = []
        self._session, self.part, self._order = session, "", ""
        self._ranks: dict[Key, tuple[float, ...]] = {}
        self._ranking: Key | None = None
        self._question: Question | None = None
        self._opening: RequestHandle | None = None
        self._last: Comparison | None = None
        self._layout = self._shown_as = ""
        self._soon = make_timer(self, 0)
        self._soon.timeout.connect(self._ask)

    def set_view(self, compared: Sequence[ImageSource], values: Mapping[str, Any]) -> None:
        """Show a subset of the images through these runs, with the values of the view card."""
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
        """Turn to the page with an image of the set."""
        self.pages = self.pages.to(index)
        self._soon.start()

    def show_scan(self, scan: OpenedScan | None) -> None:
        """Show a slice of a file, or the dataset again."""
        self.scan = scan
        self._soon.start()

    def await_opening(self, handle: RequestHandle) -> None:
        """Take the reconstruction of the middle slice from the request that opens a file."""
        self._opening = handle
        handle.finished.connect(lambda reply: self._on_opened(handle, reply))
        handle.failed.connect(lambda failure: self._on_opening_failed(handle, failure))

    def image(self, at: int = 0) -> ImageRef | None:
        """Return an image of the page, or the slice of the file. Returns None if there is none."""
        data, indices = self._session.data, self.pages.indices
        if self.scan is not None:
            config = data.config if data else self._session.requested_data
            return ImageRef(self.scan.name, config, opened=self.scan)
        if data is None or at >= len(indices):
            return None
        return ImageRef(data.names[int(data.rows(self.split)[indices[at]])], data.config, self.split, indices[at])

    def names(self) -> dict[str, str]:
        """Return the names of the compared runs and baselines by their keys."""
        return {each.ref: each.name for each in self.compared}

    def title(self) -> str:
        """Return a title for what is shown."""
        if self.scan is not None:
            return self.scan.title
        if not self.pages.order:
            return ""
        what = "page" if self.pages.columns > 1 else "image"
        place = f"{what} {self.pages.page} of {self.pages.count}"
        by = f" ({self.compared[0].name})" if self._order != "file" and self.compared else ""
        waiting = " · sorting…" if self._ranking else f" · {ORDERS[self._order]}{by}"
        return f"{format_count(len(self.pages.order))} {PARTS[self.part]} images · {place}{waiting}"

    @property
    def split(self) -> str:
        """Return the split that the indices of the images refer to."""
        data = self._session.data
        return data.indices_in(self.part)[0] if data and self.part else ""

    def _wanted_order(self, part: str, order: str) -> list[int]:
        """Return the order of a subset's images; that of the files until the errors of the run are known."""
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
            handle = self._session.request(PerImageErrors(panel=RANKS, run=key[0], data=data.config, split=split))
            handle.finished.connect(self._on_ranked)
            handle.failed.connect(self._on_ranking_failed)
        return places

    def _ask(self) -> None:
        question = self._make_question()
        if question is None:
            self.failed.emit(self._session.missing_data_text())
        elif question != self._question:  # a run changes many times a second, but its best model changes rarely
            if self._opening is not None and self._opening.is_pending() and self._is_opening(question):
                self._question = None
            else:
                self._request(question)
            self.asked.emit()
        elif self._layout != self._shown_as and self._last:
            self._publish(self._last)

    def _request(self, question: Question) -> None:
        self._question = question
        handle = self._session.request(question.message)
        handle.finished.connect(lambda reply: self._on_reconstructed(question, reply))
        handle.failed.connect(self._on_failed)

    def _is_opening(self, question: Question) -> bool:
        """Return whether the request that opens the file also reconstructs this slice, which then is the middle one."""
        opening, scan, asked = self._opening and self._opening.request, self.scan, question.message
        if not isinstance(opening, OpenScan) or scan is None or scan.slice != scan.slices // 2:
            return False
        return (opening.path, opening.data, opening.runs) == (asked.scan, asked.data, asked.runs)

    def _make_question(self) -> Question | None:
        """Return what is to be shown now. Returns None without images."""
        data, scan = self._session.data, self.scan
        place: dict[str, Any]
        if scan is not None:
            config, titles = data.config if data else self._session.requested_data, [scan.title]
            place = {"data": config, "scan": scan.path, "slice": scan.slice}
        elif data is None or not self.pages.order:
            return None
        else:
            rows = data.rows(self.split)[list(self.pages.indices)]
            titles = [short(data.names[row]) for row in rows]
            place = {"data": data.config, "split": self.split, "indices": self.pages.indices}
        refs = tuple(each.ref for each in self.compared)
        message = Reconstruct(panel=PICTURES, runs=refs, **place)
        return Question(message, tuple(self.compared), data.fingerprint if data else "", tuple(titles))

    def _on_ranked(self, reply: PerImageErrorsReply) -> None:
        if self._ranking:
            self._ranks[self._ranking], self._ranking = reply.mse, None
            self.order_changed.emit()

    def _on_opened(self, handle: RequestHandle, reply: OpenScanReply) -> None:
        question = self._make_question()
        if handle is self._opening and question is not None and self._is_opening(question) and reply.reconstructed:
            self._question = question
            self._on_reconstructed(question, reply.reconstructed)

    def _on_opening_failed(self, handle: RequestHandle, failure: RequestFailed) -> None:
        """Say why there is no reconstruction of a file that was opened."""
        if handle is self._opening and self.scan is not None and self._question is None:
            self._on_failed(failure)

    def _on_reconstructed(self, question: Question, reply: ReconstructReply) -> None:
        if question == self._question:
            runs = {each.ref: each.name for each in question.compared}
            self._publish(make_comparison(reply, runs, question.titles))

    def _publish(self, shown: Comparison) -> None:
        self._last, self._shown_as = shown, self._layout
        self.found.emit(shown)

    def _on_ranking_failed(self, failure: RequestFailed) -> None:
        self._ranking = None
        self._on_failed(failure)

    def _on_failed(self, failure: RequestFailed) -> None:
        self._question = None
        self.failed.emit(failure.sentence)


def short(name: str) -> str:
    """Return the file's own name of a path within a source, without the suffix of a picture or a DICOM file."""
    path = PurePosixPath(name)
    return path.stem if path.suffix.casefold() in PICTURE_SUFFIXES | DICOM_SUFFIXES else path.name
