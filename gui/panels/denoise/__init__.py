"""The Denoise panel: noise added to an image and removed again, and how much lesion contrast is retained."""

from typing import Any

from engine.config import DataConfig
from engine.denoising.baselines import PCA
from gui.export import changed_data
from gui.follower import Follower
from gui.lesion_regions import LesionBoxes
from gui.panel import AppContext, OpenFile, Panel, ReportImage, ShowImage, Target, scroll_column
from gui.panels.denoise.case_card import CaseCard
from gui.panels.denoise.controller import DenoiseController
from gui.panels.denoise.exporter import DenoiseExporter, denoise_script
from gui.panels.denoise.interval_maps import IntervalMaps
from gui.panels.denoise.lesion import LesionCard
from gui.panels.denoise.methods_card import MethodsCard
from gui.panels.denoise.picture_area import PictureArea
from gui.panels.denoise.presenter import DenoisePresenter
from gui.run_record import RunRecord
from gui.selection import ImageRef
from gui.volume_card import VolumeCard
from gui.widgets.region.region import RegionState
from gui.widgets.timers import make_timer
from gui.widgets.view_state import ViewState

VOLUME = "denoise-volume"
SOON_MS, SETTLE_MS = 60, 400
FIRST_RUNS = 1


class DenoisePanel(Panel):
    """The panel with image, lesion and methods at the left, denoised images and the error curve at the right."""

    def __init__(self, desk: AppContext) -> None:
        super().__init__(desk)
        self.state = ViewState(parent=self)
        self.regions = RegionState(desk.undo, self, self.session.selection.lesions)
        self.experiment, self.known = DenoiseController(self.session, self), LesionBoxes()
        self.case, self.lesion, self.methods = CaseCard(desk.undo), LesionCard(self.regions), MethodsCard(self.session)
        self.stage = PictureArea(self.state, self.regions)
        self.volume = VolumeCard(self.session, VOLUME, has_noise=True)
        self.results = DenoisePresenter(self.experiment, self.regions, (self.lesion, self.methods, self.stage), self)
        self.intervals = IntervalMaps(self.session, self.experiment, self.stage.pictures, self)
        self.exporter = DenoiseExporter(self, self.experiment, self.results, self.regions)
        self._wanted: list[str] | None = []
        self._case: ImageRef | None = None
        self.follower = Follower(self, self._show_image, self._show_run)
        self.case.add_action(self.follower.pin)
        self._soon = make_timer(self, SOON_MS)
        self._soon.timeout.connect(self.refresh)
        self._settled = make_timer(self, SETTLE_MS)
        self._settled.timeout.connect(self.state_changed)
        self.lay_out(
            scroll_column(self.case, self.lesion, self.methods, self.volume, stretched=self.methods), self.stage
        )
        self._connect()
        self.stage.pictures.show_message(self.session.missing_data_text())

    def _connect(self) -> None:
        session, methods = self.session, self.methods
        runs_or_data = (session.runs_changed, session.run_changed, session.loading_changed, session.data_loaded)
        for changed in (*runs_or_data, self.shown):
            changed.connect(self._wake)
        self.case.changed.connect(self._on_case_changed)
        self.case.noise.changed.connect(self.results.draw_noise)
        self.case.scan.closed.connect(self._on_file_closed)
        self.lesion.threshold_changed.connect(self.state_changed)
        self.connect_runs(methods.runs)
        methods.changed.connect(self._on_case_changed)
        methods.changed.connect(self.results.show_pictures)
        methods.figure_wanted.connect(self.export)
        methods.numbers_wanted.connect(self.exporter.write_numbers)
        methods.result_wanted.connect(self.exporter.write_result)
        self.exporter.failed.connect(lambda text: self.stage.notice.show_notice(text))
        methods.copy_wanted.connect(self.copy_python)
        methods.report_wanted.connect(self._report)
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
            self.follower.open_file(target.path)
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
            "pinned": self.follower.is_pinned(),
        }

    def restore_state(self, kept: dict[str, Any]) -> None:
        noise, names, part = kept.get("noise"), kept.get("methods"), kept.get("part")
        if isinstance(noise, dict):
            self.case.noise.set_value(noise)
        for box, value in ((self.lesion.rim, kept.get("rim")), (self.lesion.share, kept.get("warn_below"))):
            if isinstance(value, int):
                box.setValue(value)
        self.follower.set_pinned(kept.get("pinned") is True)
        named = [name for name in names if isinstance(name, str)] if isinstance(names, list) else None
        self._wanted = named if named is not None else []
        self.refresh()
        if isinstance(part, str) and isinstance(kept.get("case"), str):
            self.case.images.choose(part, kept["case"])

    def export(self) -> None:
        """Export a figure of the images."""
        self.exporter.write_figure()

    def as_python(self) -> str:
        if self._case is None:
            return ""
        lesion = self.regions.region, self.regions.rim_px
        noise, methods = self.case.noise.value(), self.methods.methods()
        return denoise_script(self._case, changed_data(self._case.data), noise, methods, lesion)

    def _report(self) -> None:
        """Switch to a report on this image, with this noise and the first of the ticked runs."""
        runs, noise = self.methods.ticked_runs(), self.case.noise.value()
        name = runs[0].name if runs else ""
        self.navigation_requested.emit("report", ReportImage(name, noise.kind, noise.sigma))

    def _wake(self, *_: object) -> None:
        """Refresh soon, or once the panel is visible."""
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _tick_wanted(self) -> None:
        """Tick the runs of the last session once they are known, or the newest denoiser if there were none."""
        known = sorted(self.methods.trained_runs(), key=_is_no_denoiser)
        ready = {record.name: str(record.run.path) for record in known}
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
        loaded = data.config if data else self.session.requested_data
        case, noise = self.case.case(self._preparation(loaded)), self.case.noise.value()
        methods = self.methods.methods()
        if case is not None and case.data.size != loaded.size:
            methods = methods.without(PCA)
        self.volume.show_for(case.opened if case else None, methods.runs, noise.fields())
        if case is None:
            self._case = None
            self.stage.pictures.show_message(self.session.missing_data_text())
            self.intervals.update()
            return
        if self._case is None or case.key != self._case.key:
            known = [] if case.opened else self.known.regions_for(case.data, case.name)
            self.regions.set_image(case.key, known[0] if known else None)
            self.lesion.show_known(known)
            self._show_preview(case)
        self._case = case
        charted = tuple(key for key in methods.filters if key in self.methods.ticked())
        self.experiment.set_request(case, noise, methods, charted)
        self.intervals.update()
        self.follower.choose_image(case)

    def _preparation(self, loaded: DataConfig) -> DataConfig:
        """Return how a file is prepared: as the dataset is, but at the largest size that a ticked run works on."""
        sizes = {each.config.data.size: each for each in self.methods.ticked_runs() if each.config}
        self.case.scan.show_run(sizes[max(sizes)] if sizes else None)
        return loaded.model_copy(update={"size": max(sizes)}) if sizes else loaded

    def _show_preview(self, image: ImageRef) -> None:
        """Show an opened file at once, before anything is known of it."""
        pixels = self.session.selection.preview(image)
        if pixels is not None and image != (self.experiment.shown or (None,))[0]:
            self.results.show_preview(image, pixels)

    def _show_image(self, image: ImageRef) -> None:
        """Show the current image."""
        self.refresh()
        self.case.show_scan(image.opened)
        if image.opened is None:
            self.case.images.go_to(image.split, image.index)

    def _show_run(self, record: RunRecord) -> None:
        """Tick the current run, in the place of the one ticked before it."""
        self._tick_wanted()
        self.methods.follow_run(str(record.run.path))

    def _on_file_closed(self) -> None:
        self.follower.close_file()
        self.case.show_scan(None)


def _is_no_denoiser(record: RunRecord) -> bool:
    """Return whether a run did not learn to remove noise."""
    return record.config is None or record.config.noise.noise == "none"
