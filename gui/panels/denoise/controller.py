"""One noisy picture and what becomes of it: asks the explorer and keeps what it says.

The pictures of the runs come first, one question at a time and always the newest. While the noise is being changed they
are drafts; when it has been left alone for a moment, the full answer takes their place. When the slider rests, the
classical methods follow one by one, and the errors at all levels when nothing else is wanted.
"""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.messages import ApplyFilter, Denoise, DenoiseCurve, DenoiseDraft, RequestFailed
from gui.panels.denoise.case import Case, Noise
from gui.panels.denoise.methods import Methods
from gui.panels.denoise.results_data import (
    ORIGINAL,
    DenoisedImage,
    ErrorCurve,
    curve_from,
    drafts_from,
    filtered_from,
    pictures_from,
)
from gui.session import Session
from gui.widgets.timer import make_timer

PICTURES, FILTER, CURVE = "denoise", "denoise-filter", "denoise-curve"
PAUSE_MS, REST_MS = 100, 250
SIGMAS = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.18, 0.21, 0.24, 0.27, 0.3)
BEING_REFINED = "Results are still being computed. Try the export again in a moment."
Wanted = tuple[Case, Noise, Methods]


class DenoiseController(QObject):
    """Knows what is wanted, what is there, and what is still on its way; `is_draft` tells of what is there."""

    found = Signal()
    drafted = Signal()
    method_found = Signal(str)
    curve_found = Signal()
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self.wanted: Wanted | None = None
        self.shown: Wanted | None = None
        self.made: dict[str, DenoisedImage] = {}
        self.failures: dict[str, str] = {}
        self.curve: ErrorCurve | None = None
        self.is_draft = False
        self._asked: Wanted | None = None
        self._asked_draft = False
        self._filtering = ""
        self._curve_of: object = None
        self._pause = make_timer(self, PAUSE_MS)
        self._pause.timeout.connect(self._ask_pictures)
        self._rest = make_timer(self, REST_MS)
        self._rest.timeout.connect(self._go_on)
        session.answered.connect(self._on_answered)
        session.refused.connect(self._on_refused)

    def set_request(self, case: Case, noise: Noise, methods: Methods) -> None:
        """Look at a case under a noise through these methods."""
        wanted = case, noise, methods
        if wanted == self.wanted:
            return
        before, self.wanted = self.wanted, wanted
        if before is None or before[:2] != wanted[:2]:
            for key in methods.filters:
                self.made.pop(key, None)
            self.failures, self._filtering = {}, ""
        self._pause.start()
        self._rest.start()
        self._ask_pictures()

    def pending_methods(self) -> Sequence[str]:
        """The methods whose pictures are on their way."""
        if self.wanted is None:
            return ()
        done = self.made.keys() | self.failures.keys()
        return [key for key in (*self.wanted[2].runs, *self.wanted[2].filters) if key not in done]

    def is_current(self) -> bool:
        """Whether the pictures are those of what is wanted, and no drafts."""
        return self.wanted is not None and self.shown == self.wanted and not self.is_draft

    def export_blocker(self) -> str:
        """Why nothing may be exported now, in a sentence: drafts, and pictures of what was wanted before, never are."""
        return "" if self.wanted is None or self.is_current() else BEING_REFINED

    def _ask_pictures(self) -> None:
        """Ask for the newest, unless a question is under way: its answer is shown, then the newest is asked for."""
        if self.wanted is None or self.is_current() or self._session.explorer.is_waiting(PICTURES):
            return
        if self.wanted == self.shown and self._pause.isActive():
            return
        self._asked, self._asked_draft = self.wanted, self._is_draft_enough(self.wanted)
        case, noise, methods = self.wanted
        kind = DenoiseDraft if self._asked_draft else Denoise
        self._session.ask(kind, PICTURES, runs=tuple(methods.runs), **case.request_fields(), **noise.fields())

    def _is_draft_enough(self, wanted: Wanted) -> bool:
        """Whether nothing but the noise is new, so that it may well be changed further."""
        case, noise, methods = wanted
        shown = self.shown
        if shown is None or ORIGINAL not in self.made or not methods.runs:
            return False
        return (case, methods) == (shown[0], shown[2]) and noise != shown[1]

    def _go_on(self) -> None:
        """Ask for what can come later, once the pictures are there."""
        if self.wanted is None or not self.is_current():
            return
        case, noise, methods = self.wanted
        waiting = self._session.explorer.is_waiting
        left = [key for key in self.pending_methods() if key in methods.filters]
        if left and not (self._filtering in left and waiting(FILTER)):
            self._filtering = left[0]
            more = {"method": left[0], "components": methods.components}
            self._session.ask(ApplyFilter, FILTER, **more, **case.request_fields(), **noise.fields())
        curve_of = case, noise.kind, noise.seed, tuple(methods.runs), methods.epochs
        if curve_of != self._curve_of:
            self._curve_of, self.curve = curve_of, None
            fields = {"noise": noise.kind, "seed": noise.seed, "sigmas": SIGMAS, "runs": tuple(methods.runs)}
            self._session.ask(DenoiseCurve, CURVE, **fields, **case.request_fields())
            self.curve_found.emit()

    def _on_answered(self, panel: str, content: dict[str, Any]) -> None:
        if panel not in (PICTURES, FILTER, CURVE) or self.wanted is None:
            return
        try:
            if panel == PICTURES:
                self._take_pictures(content)
            elif panel == FILTER:
                self._take_filtered(content)
            else:
                self.curve = curve_from(content)
                self.curve_found.emit()
        except ValueError as error:
            self.failed.emit(f"The images could not be read ({error}).")

    def _take_pictures(self, content: dict[str, Any]) -> None:
        assert self._asked is not None
        self.shown, self.is_draft = self._asked, self._asked_draft
        _, noise, methods = self._asked
        if self.is_draft:
            self.made |= drafts_from(content, self.made, noise)
        else:
            kept = {key: self.made[key] for key in methods.filters if key in self.made}
            self.made = pictures_from(content, methods.runs) | kept
        self._ask_pictures()  # before these are drawn, so that the explorer works meanwhile
        (self.drafted if self.is_draft else self.found).emit()
        if self.is_current() and not self._rest.isActive():
            self._rest.start()

    def _take_filtered(self, content: dict[str, Any]) -> None:
        key = content["method"]
        if self.wanted and key == self._filtering and self.is_current() and "original" in self.made:
            title = self.wanted[2].filters.get(key, key)
            self.made[key] = filtered_from(content, title, self.made["noisy"])
            self.method_found.emit(key)
            self._go_on()

    def _on_refused(self, panel: str, refused: RequestFailed) -> None:
        reason = f"{refused.reason} {refused.advice}".strip()
        if panel == FILTER and self._filtering:
            self.failures[self._filtering] = reason
            self.method_found.emit(self._filtering)
            self._go_on()
        elif panel == PICTURES:
            self.shown, self.made, self.is_draft = self._asked, {}, False
            self.failed.emit(reason)
            if self.wanted != self.shown:
                self._ask_pictures()
        elif panel == CURVE:
            self._curve_of = None
