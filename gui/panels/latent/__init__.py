"""The Latent panel: the map of all images in a model's latent space, their neighbors, and decoded latent codes."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QSplitter

from engine.messages import ExportFigure, FigureMap
from gui.export import FigureExporter, changed_data
from gui.follower import Follower
from gui.opened_files import OpenedScan
from gui.panel import AppContext, OpenFile, Panel, ShowImage, ShowRun, Target, scroll_column
from gui.panels.latent.controller import LatentController
from gui.panels.latent.export import describe_map, latent_script, table_text
from gui.panels.latent.latent_map import Place
from gui.panels.latent.map_card import MapCard, MapOptionsCard
from gui.panels.latent.scan_card import LatentScanCard
from gui.panels.latent.tools_card import ToolsCard
from gui.run_record import RunRecord
from gui.selection import ImageRef
from gui.theme import GAP
from gui.widgets.timers import make_timer

SOON_MS = 60
SHARES = [470, 303]
NO_RUN = "No trained model yet. Train one for at least one epoch."


class LatentPanel(Panel):
    """Options and the selected image on the left; the map, and the tools below it."""

    def __init__(self, desk: AppContext) -> None:
        super().__init__(desk)
        session = self.session
        self.choice, self.scan, self.map, self.tools = (
            MapOptionsCard(session),
            LatentScanCard(session),
            MapCard(),
            ToolsCard(session),
        )
        self.exploration = LatentController(session, (self.choice, self.scan, self.map, self.tools), self)
        self.ask_path, self.figure = QFileDialog.getSaveFileName, FigureExporter(self)
        self._wanted = ""
        self.follower = Follower(self, self._show_image, self._show_run)
        self.choice.add_action(self.follower.pin)
        self._soon = make_timer(self, SOON_MS)
        self._soon.timeout.connect(self.refresh)
        right = QSplitter(Qt.Orientation.Vertical)
        right.setHandleWidth(GAP)
        right.setChildrenCollapsible(False)
        for card in (self.map, self.tools):
            right.addWidget(card)
        right.setSizes(SHARES)
        self.lay_out(scroll_column(self.choice, self.scan, stretched=self.scan), right)
        self.first_focus = self.map.plot
        self._connect()
        self.exploration.clear(self.session.missing_data_text())

    def _connect(self) -> None:
        session = self.session
        runs_or_data = (session.runs_changed, session.run_changed, session.loading_changed, session.data_loaded)
        for changed in (*runs_or_data, self.shown):
            changed.connect(self._wake)
        self.shown.connect(self.exploration.map_request.allow_retry)
        self.choice.changed.connect(self._on_choice_changed)
        self.connect_runs(self.choice.run)
        for changed in (self.choice.color_changed, self.map.hidden_changed, self.tools.turned):
            changed.connect(self.state_changed)
        self.map.figure_wanted.connect(self.export)
        self.figure.failed.connect(self.choice.notice.show_notice)
        self.map.points_wanted.connect(self.write_points)
        self.map.copy_wanted.connect(self.copy_python)
        self.map.pointed.connect(self.status_changed)
        self.exploration.image_chosen.connect(self._on_image_chosen)
        self.scan.navigation_requested.connect(self.navigation_requested)

    def refresh(self) -> None:
        """Show the runs and the dataset of the session."""
        data, ready = self.session.data, self.session.ready_runs()
        names = [record.name for record in ready]
        if self._wanted in names:
            self.choice.run_name, self._wanted = self._wanted, ""
        self.choice.list_runs(names)
        record = self.session.record(self.choice.run_name)
        if data is None or record is None:
            self.exploration.clear(self.session.missing_data_text() if data is None else NO_RUN)
        else:
            self.exploration.request_map(record, data)

    def navigate(self, target: Target) -> None:
        """Show an image from a file, an image of the dataset, or a run."""
        if isinstance(target, OpenFile):
            self.follower.open_file(target.path)
        elif isinstance(target, ShowImage):
            self.exploration.choose_by_user((target.split, target.index))
        elif isinstance(target, ShowRun):
            self.follower.choose_run(target.name)
            self._wanted = target.name
        self._wake()

    def save_state(self) -> dict[str, Any]:
        kept = self.choice.values() | {"page": self.tools.name(), "hidden": self.map.hidden()}
        kept["pinned"] = self.follower.is_pinned()
        return kept | ({"run": self._wanted} if self._wanted else {})

    def restore_state(self, kept: dict[str, Any]) -> None:
        hidden, page, run = kept.get("hidden"), kept.get("page"), kept.get("run")
        self.choice.set_values(kept)
        self.follower.set_pinned(kept.get("pinned") is True)
        if isinstance(hidden, dict):
            self.map.hide_groups({key: titles for key, titles in hidden.items() if isinstance(titles, list)})
        if isinstance(page, str):
            self.tools.show_page(page)
        self._wanted = run if isinstance(run, str) else ""
        self._wake()

    def export(self) -> None:
        """Export a figure of the map, with its legend, the marked images and its notes."""
        scene, values = self.exploration.scene, self.choice.values()
        path = self.figure.ask(self.ask_path, f"latent-{scene.title}-{values['method']}") if scene else ""
        if scene is not None and path:
            self.figure.write(lambda: self._make_figure(describe_map(scene, values["method"]), path))

    def _make_figure(self, heading: str, path: str) -> ExportFigure:
        points, groups, value_title, marked = self.map.to_figure()
        axes, saved = self.map.plot.scatter.axes, self.figure.save_array(points)
        shown = FigureMap(points=saved, axes=axes, groups=groups, value_title=value_title, marked=marked)
        lines = tuple(filter(None, (self.map.notes, self.choice.notice.text())))
        return ExportFigure(panel="latent-figure", path=path, heading=heading, map=shown, lines=lines)

    def write_points(self) -> None:
        """Write all points of the map to a CSV file of the user's choice."""
        scene = self.exploration.scene
        path = self.ask_to_save(self.ask_path, "Export points", "latent.csv", "*.csv") if scene else ""
        if scene is None or not path:
            return
        title = describe_map(scene, self.choice.values()["method"])
        selected = {scene.mapped.find(place) for place in scene.group}
        try:
            Path(path).write_text(table_text(scene.mapped, title, selected), encoding="utf-8")
        except OSError as error:
            text = f"Could not write the points to {path} ({error.strerror}). Choose another folder."
            self.choice.notice.show_notice(text)
        else:
            self.report_saved(path)

    def as_python(self) -> str:
        scene, values = self.exploration.scene, self.choice.values()
        if scene is None:
            return ""
        return latent_script(scene, changed_data(scene.data.config), values["splits"], values["method"])

    def _wake(self, *_: object) -> None:
        """Refresh soon; a hidden panel waits until it is shown."""
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _show_image(self, image: ImageRef) -> None:
        """Select the current image on the map."""
        self.exploration.choose(image.opened or (image.split, image.index))

    def _show_run(self, record: RunRecord) -> None:
        self._wanted = record.name
        self.refresh()

    def _on_image_chosen(self, chosen: Place | OpenedScan) -> None:
        data = self.session.data
        if data is None:
            return
        if isinstance(chosen, OpenedScan):
            self.follower.choose_image(ImageRef(chosen.name, data.config, opened=chosen))
        else:
            split, index = chosen
            self.follower.choose_image(ImageRef(data.names[int(data.rows(split)[index])], data.config, split, index))

    def _on_choice_changed(self) -> None:
        self.follower.choose_run(self.choice.run_name)
        self.refresh()
        self.state_changed.emit()
