"""The Layers panel: a run from within, layer by layer and channel by channel."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout

from engine.messages import OpenScan, RequestFailed
from gui.opened_scan import from_answer
from gui.panel import AppContext, Panel, scroll_column
from gui.panels.layers.actions import Actions
from gui.panels.layers.cards import Cards
from gui.panels.layers.choice import Choice
from gui.panels.layers.counting import Counting
from gui.panels.layers.exporter import Exporter
from gui.panels.layers.following import Following
from gui.panels.layers.inquiry import Inquiry
from gui.panels.layers.more_card import MoreCard
from gui.panels.layers.pointing import Pointing
from gui.panels.layers.scan_actions import ScanActions
from gui.panels.layers.scans import Scan
from gui.panels.layers.script import layers_script
from gui.panels.layers.showing import Showing
from gui.widgets.notice import NoticeBox
from gui.widgets.timer import make_timer

SCAN = "layers-scan"
NO_RUN = "No trained model yet. Train one in Train; its layers appear here."
NO_SCANS = "No dataset loaded. Choose a source in Data, or drop an image here."
WAIT = "Opening the model…"
SOON_MS, SETTLE_MS = 60, 400
FIRST_SCANS = 3


class LayersPanel(Panel):
    """Network, channels and scans of one run."""

    takes_scans = True

    def __init__(self, desk: AppContext) -> None:
        super().__init__(desk)
        self.choice, self.inquiry = Choice(), Inquiry(self.session, self)
        self.cards, self.notice = Cards(desk.undo), NoticeBox()
        self.showing = Showing(self.choice, self.inquiry, self.cards, self)
        self.doing = Actions(self.showing, self)
        self.having = ScanActions(self.showing, self.doing)
        self.counting, self.more = Counting(self.session, self), MoreCard(self.showing)
        self.showing.counted, self.showing.counting = self.counting.numbers, self.counting.state
        self.cards.left.addWidget(self.more)
        self.following = Following(self.more, self.doing, self.having, self)
        self.pointing, self.exporter = Pointing(self.showing, self), Exporter(self.showing, self.notice, self)
        self._path, self._wanted_run = "", ""
        self._wanted_scans: list[Any] = []
        self._soon = make_timer(self, SOON_MS)
        self._settled = make_timer(self, SETTLE_MS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.notice)
        column.addWidget(scroll_column(self.cards, stretched=self.cards), 1)
        self.setFocusProxy(self.cards.mosaic.mosaic)
        self._connect_session()
        self._connect_cards()
        self.cards.mosaic.show_choice(self.choice.sort, self.choice.lighting)
        self.showing.say(NO_RUN)

    def _connect_session(self) -> None:
        session = self.session
        for changed in (session.runs_changed, session.run_changed, session.data_loaded, self.shown):
            changed.connect(self._wake)
        self._soon.timeout.connect(self.refresh)
        self._settled.timeout.connect(self.state_changed)
        session.answered.connect(self._on_answered)
        session.refused.connect(self._on_refused)
        self.inquiry.network_found.connect(self.doing.show_network)
        self.inquiry.seen_found.connect(self.showing.show_seen)
        self.inquiry.failed.connect(self.showing.say)
        self.doing.changed.connect(self._settled.start)
        self.inquiry.rested.connect(lambda: self.counting.follow(self.choice))
        self.counting.changed.connect(self.showing.show_channels)
        self.counting.progressed.connect(self.showing.show_facts)

    def _connect_cards(self) -> None:
        cards, doing, showing = self.cards, self.doing, self.showing
        cards.strip.run_chosen.connect(self._on_run_chosen)
        cards.strip.layer_chosen.connect(doing.choose_layer)
        mosaic, scans = cards.mosaic, cards.scans
        mosaic.mosaic.chosen.connect(doing.choose_channel)
        mosaic.sort_chosen.connect(doing.sort)
        mosaic.lighting_chosen.connect(doing.light)
        mosaic.enlarge.toggled.connect(self.more.setHidden)
        mosaic.enlarge.toggled.connect(lambda _: showing.show_large())
        scans.turned.connect(self.having.turn_to_scan)
        scans.changed.connect(self.having.change_scan)
        scans.add_wanted.connect(self.having.add_next)
        scans.remove_wanted.connect(self.having.remove_scan)
        self.pointing.pointed.connect(self.status_changed)
        cards.export.figure_wanted.connect(self.exporter.write_figure)
        cards.export.numbers_wanted.connect(self.exporter.write_numbers)
        cards.export.copy_wanted.connect(self.copy_python)

    def refresh(self) -> None:
        """Bring everything in line with the session."""
        records = [each for each in self.session.runs.records.values() if each.epochs and not each.damage]
        runs = {str(record.run.path): record.name for record in reversed(records)}
        kept = next((path for path, name in runs.items() if name == self._wanted_run), "")
        if kept:  # the records of many runs are read one after the other: it may come after others
            self.choice.run, self._wanted_run, self.showing.seen = kept, "", None
        elif self.choice.run not in runs:
            self.choice.run = next(iter(runs), "")
        self.cards.strip.offer(runs, self.choice.run)
        self.following.offer(runs)
        self._refresh_scans()
        if not runs:
            self.showing.say(NO_RUN)
        elif not self.choice.scans:
            self.showing.say(NO_SCANS)
        elif self.showing.network is None:
            self.showing.say(WAIT)
            self.doing.choose_run(self.choice.run)
        elif self.showing.seen is None:
            self.doing.show_network()

    def _refresh_scans(self) -> None:
        """Keep the scans that still are; others of the last session, or the first ones, where none are left."""
        data, picker = self.session.data, self.cards.scans.picker
        if data is picker.data:
            return
        picker.show_data(data)
        scans = [scan for scan in self.choice.scans if scan.opened is not None]
        if data is not None:
            named = [each for each in self._wanted_scans if isinstance(each, list) and len(each) == 2]
            found = (picker.named(str(split), str(title)) for split, title in named)
            scans = [*(scan for scan in found if scan is not None), *scans]
            while len(scans) < FIRST_SCANS and (more := picker.after({scan.key for scan in scans})):
                scans.append(more)
        self.showing.seen = None
        self.having.set_scans(scans, 0)

    def navigate(self, what: Any) -> None:
        """Open a scan, look at an image of the data set, or into a run."""
        kind, wanted = what
        if kind == "scan":
            self._path = str(wanted)
            self.session.ask(OpenScan, SCAN, path=self._path)
        elif kind == "image":
            self.refresh()
            split, index = wanted
            data = self.session.data
            if data is not None:
                self.having.add_scan(Scan(data.names[int(data.rows(split)[index])], data.config, split, index))
        elif kind == "run":
            self._wanted_run, self.choice.run = str(wanted), ""
            self.showing.seen = None
            self.refresh()

    def save_state(self) -> dict[str, Any]:
        record = next(
            (each for each in self.session.runs.records.values() if str(each.run.path) == self.choice.run), None
        )
        return self.choice.memory() | {"run": self._wanted_run or (record.name if record else "")}

    def restore_state(self, kept: dict[str, Any]) -> None:
        run, scans = kept.get("run"), kept.get("scans")
        self._wanted_run = run if isinstance(run, str) else ""
        self._wanted_scans = scans if isinstance(scans, list) else []
        self.choice.recall(kept)
        self.choice.run, self.showing.seen = "", None
        self.cards.mosaic.show_choice(self.choice.sort, self.choice.lighting)
        self.refresh()

    def export(self) -> None:
        """Write a figure of the channels, or of the large pictures."""
        self.exporter.write_figure()

    def as_python(self) -> str:
        return layers_script(self.choice)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of the panel, whatever of it holds the focus and has no use for them."""
        key, doing = event.text().lower(), self.doing
        steps = {",": (-1, False), ".": (1, False), "<": (-1, True), ">": (1, True), ";": (-1, True), ":": (1, True)}
        if key in steps:
            doing.step_layer(*steps[key])
        elif key == "b":
            doing.flip()
        elif key == "p":
            doing.pin()
        elif event.key() == Qt.Key.Key_Escape and self.choice.unit is not None:
            doing.choose_unit(None)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.cards.mosaic.enlarge.toggle()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.cards.mosaic.mosaic.keyPressEvent(event)
        else:
            super().keyPressEvent(event)

    def _wake(self, *_: object) -> None:
        """Refresh soon; what no one sees waits until it is shown."""
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _on_run_chosen(self, run: str) -> None:
        self._wanted_run = ""
        self.doing.choose_run(run)

    def _on_answered(self, panel: str, content: dict[str, Any]) -> None:
        if panel == SCAN:
            opened = from_answer(self._path, content)
            data = self.session.data.config if self.session.data else self.session.requested_data
            self.having.add_scan(Scan(opened.name, data, opened=opened))

    def _on_refused(self, panel: str, refused: RequestFailed) -> None:
        if panel == SCAN:
            self.notice.show_notice(f"{refused.reason} {refused.advice}".strip())
