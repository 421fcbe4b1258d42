"""The Layers panel: the activations of a run, layer by layer and channel by channel."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout

from gui.follower import Follower
from gui.panel import AppContext, OpenFile, Panel, ShowImage, ShowRun, Target
from gui.panels.layers.controller import HoverReadout, LayersController
from gui.panels.layers.exporter import LayersExporter, make_script
from gui.panels.layers.loaders import ActivationLoader, StatisticsLoader
from gui.panels.layers.presenter import LayersPresenter
from gui.panels.layers.state import LayersState
from gui.panels.layers.tools_card import ChannelToolsCard, ToolsFollower
from gui.panels.layers.view import LayersView
from gui.selection import ImageRef
from gui.widgets.card import NoticeBox
from gui.widgets.region.region import RegionState
from gui.widgets.timers import make_timer

NO_RUN = "No trained model yet. Train one in Train; its layers appear here."
WAIT = "Opening the model…"
REFRESH_DELAY_MS, SAVE_DELAY_MS = 60, 400
INITIAL_SCANS = 3


class LayersPanel(Panel):
    """Network, channels and images of one run."""

    def __init__(self, desk: AppContext) -> None:
        super().__init__(desk)
        self.choice, self.loader = LayersState(), ActivationLoader(self.session, self)
        self.cards = LayersView(self.session, RegionState(desk.undo, self, self.session.selection.lesions))
        self.notice = NoticeBox()
        self.presenter = LayersPresenter(self.choice, self.loader, self.cards, self)
        self.controller = LayersController(self.presenter, self)
        self.counting, self.more = StatisticsLoader(self.session, self), ChannelToolsCard(self.presenter)
        self.presenter.find_record = lambda run: self.session.runs.records.get(Path(run).name)
        self.presenter.counted, self.presenter.counting = self.counting.numbers, self.counting.state
        self.cards.left.addWidget(self.more)
        self.tools = ToolsFollower(self.more, self.controller, self)
        self.pointing, self.exporter = (
            HoverReadout(self.presenter, self),
            LayersExporter(self.presenter, self.notice, self),
        )
        self._wanted_run = ""
        self._wanted_scans: list[Any] = []
        self._soon = make_timer(self, REFRESH_DELAY_MS)
        self._settled = make_timer(self, SAVE_DELAY_MS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.notice)
        column.addWidget(self.cards, 1)
        self.first_focus = self.cards.mosaic.mosaic
        self.follower = Follower(self, self._show_image, lambda record: self._open_run(record.name))
        self.cards.scans.add_action(self.follower.pin)
        self._connect_session()
        self._connect_cards()
        self.cards.mosaic.show_choice(self.choice.sort, self.choice.color_scale)
        self.presenter.show_message(NO_RUN)

    def _connect_session(self) -> None:
        session = self.session
        runs_or_data = (session.runs_changed, session.run_changed, session.loading_changed, session.data_loaded)
        for changed in (*runs_or_data, self.shown):
            changed.connect(self._wake)
        self._soon.timeout.connect(self.refresh)
        self._settled.timeout.connect(self.state_changed)
        self.loader.network_found.connect(self.controller.show_network)
        self.loader.seen_found.connect(self.presenter.show_seen)
        self.loader.failed.connect(self.presenter.show_message)
        self.controller.changed.connect(self._settled.start)
        self.controller.scan_changed.connect(lambda: self.follower.choose_image(self.choice.scan))
        self.loader.idle.connect(lambda: self.counting.request_for(self.choice))
        self.counting.changed.connect(self.presenter.show_channels)
        self.counting.progressed.connect(self.presenter.show_facts)

    def _connect_cards(self) -> None:
        cards, controller, presenter = self.cards, self.controller, self.presenter
        cards.strip.run.chosen.connect(self._on_run_chosen)
        for chooser in (cards.strip.run, self.more.both.run):
            self.connect_runs(chooser)
        cards.strip.layer_chosen.connect(controller.choose_layer)
        mosaic, scans = cards.mosaic, cards.scans
        mosaic.mosaic.chosen.connect(controller.choose_channel)
        mosaic.sort_chosen.connect(controller.sort)
        mosaic.color_scale_chosen.connect(controller.set_color_scale)
        mosaic.enlarge.toggled.connect(self.more.setHidden)
        mosaic.enlarge.toggled.connect(lambda _: presenter.show_large())
        scans.scan_selected.connect(self.controller.select_scan)
        scans.changed.connect(self.controller.change_scan)
        scans.add_wanted.connect(self.controller.add_next)
        scans.remove_wanted.connect(self.controller.remove_scan)
        self.pointing.pointed.connect(self.status_changed)
        cards.export.figure_wanted.connect(self.exporter.write_figure)
        cards.export.numbers_wanted.connect(self.exporter.write_numbers)
        cards.export.copy_wanted.connect(self.copy_python)

    def refresh(self) -> None:
        """Update everything from the session."""
        records = [each for each in self.session.runs.records.values() if each.epochs and not each.damage]
        runs = {str(record.run.path): record.name for record in reversed(records)}
        kept = next((path for path, name in runs.items() if name == self._wanted_run), "")
        # The records of many runs are read one after the other, so the wanted one may come late.
        if kept:
            self.choice.run, self._wanted_run, self.presenter.seen = kept, "", None
        elif self.choice.run not in runs:
            self.choice.run = next(iter(runs), "")
        self.cards.strip.show_run(runs.get(self.choice.run, ""))
        self.tools.offer(runs)
        self._refresh_scans()
        # The image comes with its activations.
        self.cards.scans.view.set_empty_text("" if self.choice.scans else self.session.missing_data_text())
        if not runs:
            self.presenter.show_message(NO_RUN)
        elif not self.choice.scans:
            self.presenter.show_message(self.session.missing_data_text())
        elif self.presenter.network is None:
            self.presenter.show_message(WAIT)
            self.controller.choose_run(self.choice.run)
        elif self.presenter.seen is None:
            self.controller.show_network()

    def _refresh_scans(self) -> None:
        """Keep the images that still exist; else take those of the last session, then the first of the dataset."""
        data, picker = self.session.data, self.cards.scans.picker
        if data is picker.data:
            return
        picker.show_data(data)
        scans = [scan for scan in self.choice.scans if scan.opened is not None]
        if data is not None:
            named = [each for each in self._wanted_scans if isinstance(each, list) and len(each) == 2]
            found = (picker.named(str(split), str(title)) for split, title in named)
            scans = [*(scan for scan in found if scan is not None), *scans]
            current = self.session.selection.image
            if current is not None and not self.follower.is_pinned():
                scans = [current, *(scan for scan in scans if scan.key != current.key)]
            while len(scans) < INITIAL_SCANS and (more := picker.after({scan.key for scan in scans})):
                scans.append(more)
        self.presenter.seen = None
        self.controller.set_scans(scans, 0)

    def navigate(self, target: Target) -> None:
        """Open a file, an image of the dataset, or a run."""
        if isinstance(target, OpenFile):
            self.follower.open_file(target.path)
        elif isinstance(target, ShowImage):
            self.refresh()
            split, index = target.split, target.index
            data = self.session.data
            if data is not None:
                self.controller.add_scan(ImageRef(data.names[int(data.rows(split)[index])], data.config, split, index))
        elif isinstance(target, ShowRun):
            self.follower.choose_run(target.name)
            self._open_run(target.name)

    def save_state(self) -> dict[str, Any]:
        record = next(
            (each for each in self.session.runs.records.values() if str(each.run.path) == self.choice.run), None
        )
        run = self._wanted_run or (record.name if record else "")
        return self.choice.to_dict() | {"run": run, "pinned": self.follower.is_pinned()}

    def restore_state(self, kept: dict[str, Any]) -> None:
        run, scans = kept.get("run"), kept.get("scans")
        self._wanted_run = run if isinstance(run, str) else ""
        self.follower.set_pinned(kept.get("pinned") is True)
        self._wanted_scans = scans if isinstance(scans, list) else []
        self.choice.restore(kept)
        self.choice.run, self.presenter.seen = "", None
        self.cards.mosaic.show_choice(self.choice.sort, self.choice.color_scale)
        self.refresh()

    def export(self) -> None:
        """Export a figure of the channels, or of the enlarged images."""
        self.exporter.write_figure()

    def as_python(self) -> str:
        return make_script(self.choice)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle the keys of the panel that its focused widget does not use."""
        key, controller = event.text().lower(), self.controller
        steps = {",": (-1, False), ".": (1, False), "<": (-1, True), ">": (1, True), ";": (-1, True), ":": (1, True)}
        if key in steps:
            controller.step_layer(*steps[key])
        elif key == "b":
            controller.toggle_counterpart()
        elif key == "p":
            controller.toggle_pin()
        elif event.key() == Qt.Key.Key_Escape and self.choice.unit is not None:
            controller.choose_unit(None)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.cards.mosaic.enlarge.toggle()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.cards.mosaic.mosaic.keyPressEvent(event)
        else:
            super().keyPressEvent(event)

    def _wake(self, *_: object) -> None:
        """Refresh soon, or once the panel is visible."""
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _on_run_chosen(self, name: str) -> None:
        self.follower.choose_run(name)
        self._open_run(name)

    def _open_run(self, name: str) -> None:
        """Show a run, now or once it is known."""
        record = self.session.record(name)
        if record is None or str(record.run.path) != self.choice.run:
            self._wanted_run, self.choice.run = name, ""
            self.presenter.seen = None
            self.refresh()

    def _show_image(self, image: ImageRef) -> None:
        """Show the current image: select it if it is among those shown, else show it in place of the selected one."""
        self._refresh_scans()
        keys = [scan.key for scan in self.choice.scans]
        if image.key in keys:
            self.controller.set_scans(
                [image if scan.key == image.key else scan for scan in self.choice.scans], keys.index(image.key)
            )
        elif image.opened is None or _is_of(image.opened.path, self.choice.scan):
            self.controller.change_scan(image)
        else:
            self.controller.add_scan(image)


def _is_of(path: str, image: ImageRef | None) -> bool:
    """Return whether an image is a slice of a file."""
    return image is not None and image.opened is not None and image.opened.path == path
