"""The card of the selected search: its name, progress and actions, with the parallel axes below."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from gui.job_controller import JobController
from gui.panels.search.dimension_row import ShortComboBox
from gui.panels.search.snapshot import SearchSnapshot, progress_text
from gui.panels.search.trial_points import FindRecord, axes_for, parallel_data, plot_of
from gui.widgets.buttons import Button, IconButton
from gui.widgets.card import Card, NoticeBox
from gui.widgets.curves.points import PointPlot
from gui.widgets.labels import PartsLabel, label
from gui.widgets.parallel.widget import ParallelCoordinates

NO_SEARCH, CHOOSE = "No search yet.\n\n", "Open a search above, or start a new one.\n\n"
NONE = (
    "On the left, choose which settings vary and press 'Start search'. Every trial becomes a "
    "run of its own, and a line appears here for each: drag on an axis to select trials."
)
HINT = "Drag on an axis to filter · drag its name to reorder · click its name to reverse it"
PARALLEL, CHOICE_LETTERS = "parallel", 6
NEW_SEARCH = "New search"
KINDS = {
    PARALLEL: "Parallel axes",
    "slice": "Slice",
    "contour": "Contour",
    "pareto": "Pareto",
    "timeline": "Timeline",
}
HINTS = {
    PARALLEL: HINT,
    "slice": "The lighter or darker a point, the better the trial; gray was stopped early. Click one to see it.",
    "contour": "Color shows the rank of the loss, and between the trials the mean rank nearby.",
    "pareto": "The line joins the trials that no cheaper trial beats.",
    "timeline": "One bar for each trial, from its start to its end.",
}
NO_POINTS = "Trials appear here once they have a score."
WAITING = "The first trial is training. Its line appears here when it has finished."
ELSEWHERE = "runs in another process"


class PlotCard(Card):
    """The view of a search's progress; its buttons emit signals and act on nothing."""

    chosen = Signal(str)
    new_wanted = Signal()
    pause_wanted = Signal(bool)
    stop_wanted = Signal()
    go_on_wanted = Signal()
    export_wanted = Signal()

    def __init__(self, find_record: FindRecord) -> None:
        super().__init__("Search")
        self._find_record = find_record
        self.searches, self.empty, self.notice = ShortComboBox(), label(NONE, role="quiet", wrap=True), NoticeBox()
        self.settings = IconButton("settings", "Search space and settings", checkable=True)
        self.new = Button(NEW_SEARCH, icon_name="plus")
        self.new.setToolTip("Set up a new search")
        self.new.setAccessibleName(NEW_SEARCH)
        self.pause, self.stop = Button("Pause", icon_name="pause"), Button("Stop and keep", "danger", "stop")
        self.go_on = Button("Resume", "primary", "play")
        self.pages, self.axes, self.hint = QStackedWidget(), ParallelCoordinates(), PartsLabel(HINT)
        self.points, self.views = PointPlot("trials as points"), QStackedWidget()
        self.kind, self.across, self.along = ShortComboBox(), ShortComboBox(), ShortComboBox()
        self._found: SearchSnapshot | None = None
        self.clear, self.save = Button("Clear filters", "link"), IconButton("export", "Export image or table")
        self._drawn: tuple[object, ...] = ()
        self._is_held, self._held_elsewhere = False, ""
        self.hint.setProperty("role", "caption")
        self.searches.setAccessibleName("search")
        self.searches.setMinimumContentsLength(9)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self._picture())
        self._header.insertWidget(1, self.searches)
        for part in (self.pause, self.stop, self.go_on, self.new, self.save, self.settings):
            self.add_action(part)
        self.facts = label(role="caption", wrap=True)
        self.add(self.facts)
        self.add(self.notice)
        self.add(self.pages, 1)
        self.searches.activated.connect(lambda: self.chosen.emit(self.searches.currentData()))
        self.new.clicked.connect(self.new_wanted)
        self.pause.clicked.connect(self._on_pause_clicked)
        self.stop.clicked.connect(self.stop_wanted)
        self.go_on.clicked.connect(self.go_on_wanted)
        self.save.clicked.connect(self.export_wanted)
        self.clear.clicked.connect(self.axes.clear_brushes)
        self.axes.brushed.connect(self._show_hint)
        self._on_view_chosen()

    def _picture(self) -> QWidget:
        """Return the axes with their actions below."""
        page, line = QWidget(), QHBoxLayout()
        for kind, title in KINDS.items():
            self.kind.addItem(title, kind)
        boxes = {"kind of plot": self.kind, "x axis": self.across, "y axis": self.along}
        for name, box in boxes.items():
            box.setAccessibleName(name)
            box.setMinimumContentsLength(len(KINDS[PARALLEL]) if box is self.kind else CHOICE_LETTERS)
            box.activated.connect(self._on_view_chosen)
            line.addWidget(box)
        for view in (self.axes, self.points):
            self.views.addWidget(view)
        line.addWidget(self.hint)
        kept = self.clear.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # otherwise the axes would move under the mouse during a brush
        self.clear.setSizePolicy(kept)
        line.addWidget(self.clear)
        line.addStretch()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.views, 1)
        column.addLayout(line)
        return page

    def show_names(self, names: Sequence[str], shown: str) -> None:
        """List the searches of the folder; none is selected while the form of a new one is open."""
        with QSignalBlocker(self.searches):
            listed = [self.searches.itemData(place) for place in range(self.searches.count())]
            if listed != list(names):
                self.searches.clear()
                for name in names:
                    self.searches.addItem(name, name)
            self.searches.setCurrentIndex(self.searches.findData(shown))
        self.searches.setVisible(bool(names))
        self.searches.setPlaceholderText("Open a search")

    def set_snapshot(self, found: SearchSnapshot | None, job: JobController) -> None:
        """Show the progress of the search, and enable the actions that apply."""
        self.facts.setText(self._status_text(found, job) if found else "")
        self.facts.setVisible(found is not None)
        mine = found is not None and job.search == found.name
        running = mine or (found is not None and found.busy)
        elsewhere = found is not None and self._held_elsewhere == found.name and found.busy
        self._is_held = job.state in ("paused", "pausing") if mine else elsewhere
        for button in (self.pause, self.stop):
            button.setVisible(running)
        self.pause.setText("Continue" if self._is_held else "Pause")
        self.pause.set_icon("play" if self._is_held else "pause")
        self.pause.setEnabled(not mine or job.state in ("running", "paused"))
        self.stop.setText("Stopping…" if mine and job.state == "stopping" else "Stop and keep")
        self.stop.setEnabled(not mine or job.state != "stopping")
        self.go_on.setVisible(found is not None and not running and found.can_go_on)
        self.go_on.setEnabled(not job.is_busy())
        self.go_on.setToolTip("" if not job.is_busy() else "Another job is running.")
        self.new.setVisible(found is not None)
        # Beside Pause and Stop, a narrow window has no room for the words.
        self.new.setText("" if running else NEW_SEARCH)
        self.settings.setVisible(found is not None)
        self.empty.setText(WAITING if found else CHOOSE + NONE if self.searches.count() else NO_SEARCH + NONE)
        self._draw(found)

    def _draw(self, found: SearchSnapshot | None) -> None:
        """Draw the trials that have ended, if they have changed."""
        over = tuple(trial for trial in found.trials if trial.is_done) if found else ()
        drawn = (found.search.path, found.plan.space, over) if found else ()
        if drawn != self._drawn:
            if not self._drawn or not drawn or self._drawn[0] != drawn[0]:
                self.axes.clear()
            self._drawn = drawn
            self.pages.setCurrentIndex(int(bool(over)))  # first, since a hidden plot is drawn again when it is shown
            self._found = found
            if found and over:
                self.axes.show_lines(*parallel_data(found))
            self._on_view_chosen()
        self.save.setVisible(bool(over))

    def select(self, key: str) -> None:
        """Mark a trial in every plot."""
        self.axes.select(key)
        self.points.select(key)

    def _on_view_chosen(self, *_: int) -> None:
        """Show the chosen kind of plot; only that one is drawn."""
        kind, found = self.kind.currentData(), self._found
        across, along = axes_for(found, kind) if found and kind != PARALLEL else ({}, {})
        _offer(self.across, across)
        _offer(self.along, along, place=1)
        self.views.setCurrentIndex(int(kind != PARALLEL))
        if found and kind != PARALLEL:
            view = kind, self.across.currentData() or "", self.along.currentData() or ""
            self.points.set_empty_text(NO_POINTS)
            self.points.show_points(*plot_of(found, view, self._find_record))
        self._show_hint()

    def _on_pause_clicked(self) -> None:
        """Request a pause or its end; remember a request to another process, since the ledger does not record it."""
        self._held_elsewhere = "" if self._is_held else str(self.searches.currentData())
        self.pause_wanted.emit(not self._is_held)

    def _show_hint(self) -> None:
        kept, count = self.axes.selection(), len(self.axes.model.lines.keys)
        hint = HINTS[self.kind.currentData()]
        self.hint.setText(hint if kept is None else f"{len(kept)} of {count} trials selected.")
        self.clear.setVisible(kept is not None)

    def _status_text(self, found: SearchSnapshot, job: JobController) -> str:
        if job.search == found.name and job.state in ("starting", "paused", "pausing", "stopping"):
            return f"{job.state} · {progress_text(found)}"
        return (
            f"{ELSEWHERE} · {progress_text(found)}" if found.busy and job.search != found.name else progress_text(found)
        )


def _offer(box: ShortComboBox, choices: Mapping[str, str], place: int = 0) -> None:
    """List these choices in a box and keep the chosen one if it is among them; a box without choices is hidden."""
    if [box.itemData(at) for at in range(box.count())] != list(choices):
        kept = box.currentData()
        box.clear()
        for key, title in choices.items():
            box.addItem(title, key)
        box.setCurrentIndex(max(box.findData(kept), min(place, len(choices) - 1)) if choices else -1)
    box.setVisible(bool(choices))
