"""The Denoise panel: noise added to an image and removed again, and how much lesion contrast is retained."""

from typing import Any

from PySide6.QtWidgets import QFileDialog

from engine.messages import OpenScan, OpenScanReply, RequestFailed
from gui.export import FIGURES, changed_data, save_figure
from gui.lesion_regions import LesionBoxes
from gui.opened_files import opened_scan_from
from gui.panel import AppContext, OpenFile, Panel, ShowImage, Target, scroll_column
from gui.panels.denoise.case import Case
from gui.panels.denoise.case_card import CaseCard
from gui.panels.denoise.controller import DenoiseController
from gui.panels.denoise.lesion import LesionCard
from gui.panels.denoise.methods_card import MethodsCard
from gui.panels.denoise.picture_area import PictureArea
from gui.panels.denoise.presenter import DenoisePresenter
from gui.panels.denoise.script import denoise_script
from gui.volume_card import VolumeCard
from gui.widgets.region.region import RegionState
from gui.widgets.timers import make_timer
from gui.widgets.view_state import ViewState

SCAN, VOLUME = "denoise-scan", "denoise-volume"
NO_SCANS = "No dataset loaded. Choose a source in Data, or drop an image here."
SOON_MS, SETTLE_MS = 60, 400
FIRST_RUNS = 1


class DenoisePanel(Panel):
    """The panel with image, lesion and methods at the left, denoised images and the error curve at the right."""

    takes_scans = True

    def __init__(self, desk: AppContext) -> None:
        super().__init__(desk)
        self.state, self.regions = ViewState(parent=self), RegionState(desk.undo, self)
        self.experiment, self.known = DenoiseController(self.session, self), LesionBoxes()
        self.case, self.lesion, self.methods = CaseCard(desk.undo), LesionCard(self.regions), MethodsCard(self.session)
        self.stage = PictureArea(self.state, self.regions)
        self.volume = VolumeCard(self.session, VOLUME, has_noise=True)
        self.results = DenoisePresenter(self.experiment, self.regions, (self.lesion, self.methods, self.stage), self)
        self.ask_path = QFileDialog.getSaveFileName
        self._wanted: list[str] | None = []
        self._case: Case | None = None
        self._path = ""
        self._soon = make_timer(self, SOON_MS)
        self._soon.timeout.connect(self.refresh)
        self._settled = make_timer(self, SETTLE_MS)
        self._settled.timeout.connect(self.state_changed)
        self.lay_out(
            scroll_column(self.case, self.lesion, self.methods, self.volume, stretched=self.methods), self.stage
        )
        self._connect()
        self.stage.pictures.show_message(NO_SCANS)

    def _connect(self) -> None:
        session, methods = self.session, self.methods
        for changed in (session.runs_changed, session.run_changed, session.data_loaded, self.shown):
            changed.connect(self._wake)
        self.case.changed.connect(self._on_case_changed)
        self.case.noise.changed.connect(self.results.draw_noise)
        self.case.scan.closed.connect(lambda: self.case.show_scan(None))
        self.lesion.threshold_changed.connect(self.state_changed)
        methods.changed.connect(self._on_case_changed)
        methods.changed.connect(self.results.show_pictures)
        methods.figure_wanted.connect(self.export)
        methods.numbers_wanted.connect(self.write_numbers)
        methods.copy_wanted.connect(self.copy_python)
        self.experiment.failed.connect(self.stage.pictures.show_message)
        self.stage.pictures.pointed.connect(self.status_changed)

    def refresh(self) -> None:
        """Update everything from the session."""
        data = self.session.data
        self.results.refresh()
        self._tick_wanted()
        self.case.images.show_data(data, self.known.names(data.config) if data else set())
        self._update_request()

    def navigate(self, target: Target) -> None:
        """Open a file, or show an image of the dataset."""
        if isinstance(target, OpenFile):
            self._path = target.path
            handle = self.session.request(OpenScan(panel=SCAN, path=self._path))
            handle.finished.connect(self._on_scan_opened)
            handle.failed.connect(self._on_scan_failed)
        elif isinstance(target, ShowImage):
            self.refresh()
            self.case.show_scan(None)
            self.case.images.go_to(target.split, target.index)

    def save_state(self) -> dict[str, Any]:
        images, known = self.case.images, self.session.runs.records
        paths = {str(record.run.path): record.name for record in known.values()}
        return {
            "methods": [paths.get(key, key) for key in self.methods.ticked()] if self._wanted is None else self._wanted,
            "noise": vars(self.case.noise.value()),
            "part": images.part.currentData(),
            "case": images.case.currentText(),
            "rim": self.regions.rim_px,
            "warn_below": self.lesion.share.value(),
        }

    def restore_state(self, kept: dict[str, Any]) -> None:
        noise, names, part = kept.get("noise"), kept.get("methods"), kept.get("part")
        if isinstance(noise, dict):
            self.case.noise.set_value(noise)
        for box, value in ((self.lesion.rim, kept.get("rim")), (self.lesion.share, kept.get("warn_below"))):
            if isinstance(value, int):
                box.setValue(value)
        named = [name for name in names if isinstance(name, str)] if isinstance(names, list) else None
        self._wanted = named if named is not None else []
        self.refresh()
        if isinstance(part, str) and isinstance(kept.get("case"), str):
            self.case.images.choose(part, kept["case"])

    def export(self) -> None:
        """Export a figure of the images."""
        self.stage.notice.show_notice(self.experiment.export_blocker())
        picture = None if self.experiment.export_blocker() else self.stage.pictures.picture()
        path = self.ask_path(self, "Export figure", "denoise.png", FIGURES)[0] if picture else ""
        if picture and path and not save_figure(picture, self.results.about(), path):
            self.stage.notice.show_notice(f"Could not write the figure to {path}. Choose another folder.")

    def write_numbers(self) -> None:
        """Write the table to a file, in full precision."""
        self.stage.notice.show_notice(self.experiment.export_blocker())
        is_there = self.experiment.made and not self.experiment.export_blocker()
        path = self.ask_path(self, "Export metrics", "denoise.csv", "*.csv")[0] if is_there else ""
        if path:
            self.stage.notice.show_notice(self.results.write(path))

    def as_python(self) -> str:
        if self._case is None:
            return ""
        lesion = self.regions.region, self.regions.rim_px
        noise, methods = self.case.noise.value(), self.methods.methods()
        return denoise_script(self._case, changed_data(self._case.data), noise, methods, lesion)

    def _wake(self, *_: object) -> None:
        """Refresh soon, or once the panel is visible."""
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _tick_wanted(self) -> None:
        """Tick the runs of the last session once they are known, or the newest run if there were none."""
        ready = {record.name: str(record.run.path) for record in self.methods.trained_runs()}
        if self._wanted is None or not ready:
            return
        wanted, self._wanted = self._wanted or list(ready)[:FIRST_RUNS], None
        self.methods.set_checked([ready.get(name, name) for name in wanted])

    def _on_case_changed(self) -> None:
        """Show the image at once; the state is saved when the slider rests."""
        self._update_request()
        self._settled.start()

    def _update_request(self) -> None:
        """Request what is chosen; another image has a lesion of its own."""
        data = self.session.data
        case = self.case.case(data.config if data else self.session.requested_data)
        noise, methods = self.case.noise.value(), self.methods.methods()
        self.volume.show_for(case.scan if case else None, methods.runs, noise.fields())
        if case is None:
            self._case = None
            self.stage.pictures.show_message(NO_SCANS)
            return
        if self._case is None or case.key != self._case.key:
            known = [] if case.scan else self.known.regions_for(case.data, case.name)
            self.regions.set_image(case.key, known[0] if known else None)
            self.lesion.show_known(known)
        self._case = case
        self.experiment.set_request(case, noise, methods)

    def _on_scan_opened(self, reply: OpenScanReply) -> None:
        self.case.show_scan(opened_scan_from(self._path, reply))

    def _on_scan_failed(self, failure: RequestFailed) -> None:
        self.stage.notice.show_notice(failure.sentence)
