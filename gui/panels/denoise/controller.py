"""One noisy image, denoised by each method: requests, and the replies to them.

The images of the runs come first, one request at a time and always the newest. While the noise level changes they are
drafts; once it has not changed for a moment, the full reply replaces them. When the slider rests, the classical filters
follow one by one, and the errors at all noise levels when nothing else is wanted.
"""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from engine.messages import (
    ApplyFilter,
    ApplyFilterReply,
    Denoise,
    DenoiseCurve,
    DenoiseCurveReply,
    DenoiseDraft,
    DenoiseDraftReply,
    DenoiseReply,
    RequestFailed,
)
from gui.explorer_client import RequestHandle
from gui.panels.denoise.case import Methods, Noise
from gui.panels.denoise.results_data import (
    NOISY,
    ORIGINAL,
    DenoisedImage,
    ErrorCurve,
    make_drafts,
    make_filtered,
    make_images,
    make_noisy_images,
    without_reference,
)
from gui.selection import ImageRef
from gui.session import Session
from gui.widgets.timers import make_timer

PICTURES, FILTER, CURVE = "denoise", "denoise-filter", "denoise-curve"
PAUSE_MS, REST_MS = 100, 250
SIGMAS = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.18, 0.21, 0.24, 0.27, 0.3)
BEING_REFINED = "Results are still being computed. Try the export again in a moment."
Wanted = tuple[ImageRef, Noise, Methods]


class DenoiseController(QObject):
    """The controller of the requests: what is wanted, known and pending; `is_draft` says whether drafts are shown."""

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
        self._requested: Wanted | None = None
        self._pictures: RequestHandle | None = None
        self._filter: RequestHandle | None = None
        self._filtering = ""
        self._curve_of: tuple[object, Sequence[str]] | None = None
        self._charted: Sequence[str] = ()
        self._pause = make_timer(self, PAUSE_MS)
        self._pause.timeout.connect(self._ask_pictures)
        self._rest = make_timer(self, REST_MS)
        self._rest.timeout.connect(self._go_on)

    def patient_note(self, case: ImageRef) -> str:
        """Return the note on the patients of a test image; empty for other images."""
        data = self._session.data
        return data.patients.patient_note if data is not None and case.split == "test" and not case.opened else ""

    def set_request(self, case: ImageRef, noise: Noise, methods: Methods, charted: Sequence[str] = ()) -> None:
        """Show an image with this noise through these methods, and the curves of the runs and the charted filters."""
        wanted = case, noise, methods
        if charted != self._charted:
            self._charted = charted
            self._rest.start()
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
        """Return the methods whose images are pending."""
        if self.wanted is None:
            return ()
        done = self.made.keys() | self.failures.keys()
        return [key for key in (*self.wanted[2].runs, *self.wanted[2].filters) if key not in done]

    def is_current(self) -> bool:
        """Return whether the images belong to the present choice and are no drafts."""
        return self.wanted is not None and self.shown == self.wanted and not self.is_draft

    def export_blocker(self) -> str:
        """Return why the export is blocked, empty if it is not: drafts and outdated images are never exported."""
        return "" if self.wanted is None or self.is_current() else BEING_REFINED

    def _ask_pictures(self) -> None:
        """Request the newest images, unless a request is pending: after its reply the newest are requested."""
        if self.wanted is None or self.is_current() or _is_pending(self._pictures):
            return
        if self.wanted == self.shown and self._pause.isActive():
            return
        self._requested = self.wanted
        case, noise, methods = self.wanted
        fields = {"panel": PICTURES, "runs": tuple(methods.runs), **case.request_fields(), **noise.fields()}
        if self._is_draft_enough(self.wanted):
            self._pictures = self._session.request(DenoiseDraft(**fields))
            self._pictures.finished.connect(self._on_drafted)
        else:
            self._pictures = self._session.request(Denoise(**fields))
            self._pictures.finished.connect(self._on_denoised)
        self._pictures.failed.connect(self._on_pictures_failed)

    def _is_draft_enough(self, wanted: Wanted) -> bool:
        """Return whether nothing but the noise is new, so that it may well change further."""
        case, noise, methods = wanted
        shown = self.shown
        if shown is None or ORIGINAL not in self.made or not methods.runs:
            return False
        if not (noise.is_added and shown[1].is_added):
            return False
        return (case, methods) == (shown[0], shown[2]) and noise != shown[1]

    def _is_of_another_image(self) -> bool:
        """Return whether a reply comes too late: its image was replaced, and not by another slice of its file."""
        assert self._requested is not None
        assert self.wanted is not None
        before, now = self._requested[0], self.wanted[0]
        if before.opened is not None and now.opened is not None:
            return before.opened.path != now.opened.path
        return before.key != now.key

    def _go_on(self) -> None:
        """Request the filters and the curve once the images are there."""
        if self.wanted is None or not self.is_current():
            return
        case, noise, methods = self.wanted
        left = [key for key in self.pending_methods() if key in methods.filters]
        if left and not (self._filtering in left and _is_pending(self._filter)):
            self._filtering = left[0]
            fields = {"method": left[0], "components": methods.components, **case.request_fields(), **noise.fields()}
            self._filter = self._session.request(ApplyFilter(panel=FILTER, **fields))
            self._filter.finished.connect(self._on_filtered)
            self._filter.failed.connect(self._on_filter_failed)
        if noise.is_added:
            self._ask_curve(case, noise, methods)
        else:
            self._curve_of = self.curve = None

    def _ask_curve(self, case: ImageRef, noise: Noise, methods: Methods) -> None:
        """Request the curves, unless they are known; those of the runs stay while those of filters are added."""
        subject = case, noise.kind, noise.seed, tuple(methods.runs), methods.epochs
        wanted = subject, self._charted
        if wanted == self._curve_of:
            return
        if self._curve_of is None or subject != self._curve_of[0]:
            self.curve = None
        self._curve_of = wanted
        fields = {"noise": noise.kind, "seed": noise.seed, "sigmas": SIGMAS, "runs": tuple(methods.runs)}
        fields |= {"filters": tuple(self._charted), "components": methods.components, **case.request_fields()}
        handle = self._session.request(DenoiseCurve(panel=CURVE, **fields))
        handle.finished.connect(self._on_curve_computed)
        handle.failed.connect(self._on_curve_failed)
        self.curve_found.emit()

    def _on_drafted(self, reply: DenoiseDraftReply) -> None:
        assert self._requested is not None
        if self._is_of_another_image():
            self._ask_pictures()
            return
        self.shown, self.is_draft = self._requested, True
        self.made |= make_drafts(reply, self.made, self._requested[1])
        self._ask_pictures()  # before these are drawn, so that the explorer works meanwhile
        self.drafted.emit()

    def _on_denoised(self, reply: DenoiseReply) -> None:
        assert self._requested is not None
        if self._is_of_another_image():
            self._ask_pictures()
            return
        self.shown, self.is_draft = self._requested, False
        _, noise, methods = self._requested
        kept = {key: self.made[key] for key in methods.filters if key in self.made}
        make = make_images if noise.is_added else make_noisy_images
        self.made = make(reply, methods.runs) | kept
        self._ask_pictures()  # before these are drawn, so that the explorer works meanwhile
        self.found.emit()
        if self.is_current() and not self._rest.isActive():
            self._rest.start()

    def _on_pictures_failed(self, failure: RequestFailed) -> None:
        self.shown, self.made, self.is_draft = self._requested, {}, False
        self.failed.emit(failure.sentence)
        if self.wanted != self.shown:
            self._ask_pictures()

    def _on_filtered(self, reply: ApplyFilterReply) -> None:
        key = reply.method
        if self.wanted and key == self._filtering and self.is_current() and ORIGINAL in self.made:
            title = self.wanted[2].filters.get(key, key)
            if self.wanted[1].is_added:
                self.made[key] = make_filtered(reply, title, self.made[NOISY])
            else:
                self.made[key] = without_reference(
                    key, title, self.made[ORIGINAL].image, reply.denoised, self.made[ORIGINAL].noise_shape
                )
            self.method_found.emit(key)
            self._go_on()

    def _on_filter_failed(self, failure: RequestFailed) -> None:
        if self._filtering:
            self.failures[self._filtering] = failure.sentence
            self.method_found.emit(self._filtering)
            self._go_on()

    def _on_curve_computed(self, reply: DenoiseCurveReply) -> None:
        self.curve = ErrorCurve(reply.sigmas, reply.noisy_mse, reply.runs)
        self.curve_found.emit()

    def _on_curve_failed(self) -> None:
        self._curve_of = None


def _is_pending(handle: RequestHandle | None) -> bool:
    return handle is not None and handle.is_pending()
