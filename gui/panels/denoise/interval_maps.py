"""Maps of the calibrated 90% intervals of the denoised images: requested only while their choice is on."""

from collections.abc import Mapping

from PySide6.QtCore import QObject

from engine.messages import DenoiseIntervals, DenoiseIntervalsReply
from engine.messages.denoise import MIN_INTERVAL_IMAGES
from gui.explorer_request import ExplorerRequest
from gui.panels.denoise.controller import DenoiseController
from gui.panels.denoise.picture_area import NO_MAPS, PictureCard
from gui.panels.denoise.results_data import Picture
from gui.session import Session

PANEL = "denoise-intervals"
TIP = "Show the calibrated 90% interval of each run's result in place of the difference"
NO_RUN = "Select a run: a baseline filter has no calibrated interval."
NO_IMAGES = (
    f"The interval needs a loaded dataset with at least {MIN_INTERVAL_IMAGES} validation images, because it is "
    "calibrated on them."
)
WAITING = "Computing the 90% interval on validation images. Its map then takes the place of the difference."
PROGRESS = "Computing the 90% interval: validation image {} of {}."
REST_MS, CACHE_SIZE = 300, 8


class IntervalMaps(QObject):
    """The controller of the maps: those of the shown images, or why there are none."""

    def __init__(self, session: Session, experiment: DenoiseController, pictures: PictureCard, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._experiment, self._pictures = session, experiment, pictures
        self._request = ExplorerRequest(session, self, debounce_ms=REST_MS, cache_size=CACHE_SIZE)
        self._known: tuple[DenoiseIntervals, DenoiseIntervalsReply] | None = None
        self._wanted: DenoiseIntervals | None = None
        self._request.finished.connect(self._on_found)
        self._request.failed.connect(lambda sentence: self._show_none(NO_MAPS, sentence))
        self._request.progressed.connect(self._on_progressed)
        pictures.interval.toggled.connect(self.update)
        experiment.found.connect(self.update)
        experiment.drafted.connect(self.update)
        self.update()

    def update(self) -> None:
        """Offer the choice, or say why not; show the maps if it is on, and request those that are not known."""
        reason, pictures = self.blocker(), self._pictures
        pictures.interval.setEnabled(not reason)
        pictures.interval.setToolTip(reason or TIP)
        pictures.interval.setAccessibleDescription(reason or TIP)
        if reason and pictures.interval.isChecked():
            pictures.interval.setChecked(False)
            return
        if not pictures.interval.isChecked():
            self._wanted = None
            self._request.cancel()
            self._show_none(None)
            return
        self._wanted = self._message()
        if self._known is not None and self._known[0] == self._wanted:
            self._show(self._known[1])
            return
        if self._wanted is None:
            self._request.cancel()
            self._show_none(NO_MAPS, WAITING)
        elif self._request.send(self._wanted) and self._request.is_pending():
            self._show_none(NO_MAPS, WAITING)

    def blocker(self) -> str:
        """Return why no interval can be computed; empty if one can be."""
        data, wanted = self._session.data, self._experiment.wanted
        if data is None or data.size("validation") < MIN_INTERVAL_IMAGES:
            return NO_IMAGES
        return "" if wanted is not None and wanted[2].runs else NO_RUN

    def _message(self) -> DenoiseIntervals | None:
        """Return the request about the shown images. Returns None while these are drafts or outdated."""
        if self._experiment.shown is None or not self._experiment.is_current():
            return None
        case, noise, methods = self._experiment.shown
        fields = {"runs": tuple(methods.runs), "already_noisy": not noise.is_added}
        return DenoiseIntervals(panel=PANEL, **fields, **case.request_fields(), **noise.fields())

    def _on_found(self, reply: DenoiseIntervalsReply) -> None:
        if self._wanted is not None:
            self._known = self._wanted, reply
            self._show(reply)

    def _show(self, reply: DenoiseIntervalsReply) -> None:
        """Show the maps, and the sentence of each run."""
        self._pictures.show_intervals({run: found.half_width for run, found in reply.runs.items()})
        titles = self._experiment.wanted[2].runs if self._experiment.wanted else {}
        sentences = [found.sentence for found in reply.runs.values()]
        if len(sentences) > 1:
            sentences = [f"{titles.get(run, run)}: {found.sentence}" for run, found in reply.runs.items()]
        self._pictures.show_interval_note(*sentences)

    def _show_none(self, maps: Mapping[str, Picture] | None, *sentences: str) -> None:
        self._pictures.show_intervals(maps)
        self._pictures.show_interval_note(*sentences)

    def _on_progressed(self, done: int, total: int) -> None:
        self._pictures.show_interval_note(PROGRESS.format(done, total))
