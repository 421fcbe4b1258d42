"""The Compare panel: originals, reconstructions of several runs, signed differences, with one window/level."""

from typing import Any

from PySide6.QtWidgets import QFileDialog

from engine.messages import ExportFigure, JudgeScan
from gui.explorer_request import ExplorerRequest
from gui.export import FigureExporter, changed_data
from gui.follower import Follower
from gui.loaded_data import CLEAN
from gui.opened_files import OpenedScan
from gui.panel import AppContext, CompareRuns, OpenFile, Panel, ShowImage, Target, scroll_column
from gui.panels.compare.comparison import (
    MEAN,
    Comparison,
    baseline_of,
    figure_lines,
    from_reference,
    is_baseline,
    list_figure_rows,
)
from gui.panels.compare.comparison_view import ComparisonView
from gui.panels.compare.controller import CompareController
from gui.panels.compare.metrics import MetricsDialog
from gui.panels.compare.runs_card import MOST, CompareRunsCard
from gui.panels.compare.script import compare_script
from gui.panels.compare.view_card import CompareScanCard, ViewCard
from gui.run_record import RunRecord
from gui.selection import ImageRef
from gui.volume_card import VolumeCard
from gui.widgets.timers import make_timer
from gui.widgets.view_state import ViewState

VOLUME, JUDGE, FIGURE = "compare-volume", "compare-judge", "compare-figure"
JUDGE_MS = 400
SOON_MS = 60
FIRST_RUNS = 2
COMING = "Reconstructing images…"


class ComparePanel(Panel):
    """The panel with the choice at the left and the images at the right."""

    def __init__(self, desk: AppContext) -> None:
        super().__init__(desk)
        self.state = ViewState(parent=self)
        self.gallery, self.board = CompareController(self.session, self), ComparisonView(self.state)
        self.runs, self.view, self.scan = CompareRunsCard(self.session), ViewCard(self.state), CompareScanCard()
        self.volume = VolumeCard(self.session, VOLUME)
        self.judging = ExplorerRequest(self.session, self, debounce_ms=JUDGE_MS)
        self.ask_path, self.figure = QFileDialog.getSaveFileName, FigureExporter(self)
        self._wanted: list[str] = []
        self._baselines: list[str] = []
        self.follower = Follower(self, self._show_image, self._show_run)
        self.view.add_action(self.follower.pin)
        self._soon = make_timer(self, SOON_MS)
        self._soon.timeout.connect(self.refresh)
        self.lay_out(scroll_column(self.runs, self.scan, self.volume, self.view, stretched=self.runs), self.board)
        self._connect()
        self.board.show_message(self.session.missing_data_text())
        self.refresh()

    def _connect(self) -> None:
        session, view = self.session, self.view
        runs_or_data = (session.runs_changed, session.run_changed, session.loading_changed, session.data_loaded)
        for changed in (*runs_or_data, self.shown):
            changed.connect(self.schedule_refresh)
        self.connect_runs(self.runs.list)
        self.runs.changed.connect(self._on_choice_changed)
        self.runs.measures.found.connect(self.schedule_refresh)
        self.runs.numbers_wanted.connect(self.show_numbers)
        view.changed.connect(self._on_choice_changed)
        view.linked_changed.connect(self.board.rows.set_linked)
        view.figure_wanted.connect(self.export)
        self.figure.failed.connect(self.board.notice.show_notice)
        view.copy_wanted.connect(self.copy_python)
        self.gallery.found.connect(self._on_found)
        self.gallery.failed.connect(self.board.show_message)
        self.gallery.asked.connect(lambda: None if self.board.shown() else self.board.show_message(COMING))
        self.gallery.order_changed.connect(self.refresh)
        names = self.gallery.names
        self.judging.finished.connect(lambda reply: self.scan.show_judged(reply, names()))
        self.board.page_requested.connect(self._on_turned)
        self.board.resized.connect(self.schedule_refresh)
        self.board.maximized.connect(self._on_maximized)
        self.board.pointed.connect(self.status_changed)
        self.board.chosen.connect(lambda column: self.follower.choose_image(self.gallery.image(column)))
        session.selection.image_changed.connect(self._mark_current)
        self.scan.slice_changed.connect(self._on_slice_changed)
        self.scan.closed.connect(self._on_file_closed)

    def refresh(self) -> None:
        """Update lists and images from the session."""
        self.runs.refresh()
        data, known = self.session.data, self.session.runs.records
        if self._wanted and all(name in known for name in self._wanted):
            self.runs.choose([*self._wanted[: MOST - len(self._baselines)], *self._baselines])
            self._wanted, self._baselines = [], []
        self.view.show_splits(data.subsets() if data else {}, CLEAN)
        self._show_choice()

    def _show_choice(self) -> None:
        """Show the chosen images through the compared runs."""
        compared, values, scan = self.runs.compared(), self.view.values(), self.gallery.scan
        runs = {each.ref: each.name for each in compared if not is_baseline(each.ref)}
        self.view.show_for(values["layout"], scan is not None)
        self.scan.show_scan(scan, self.session.record(next(iter(runs.values()), None)))
        if values["layout"] == "grid" and not values["columns"]:
            values["columns"] = self.board.best_column_count(len(compared))
        self.gallery.set_view(compared, values)
        self.volume.show_for(scan, runs)

    def _judge(self) -> None:
        """Ask how unusual an opened image is for the compared runs."""
        scan, data = self.gallery.scan, self.session.data
        runs = [each.ref for each in self.gallery.compared if not is_baseline(each.ref)]
        if scan is None or not runs:
            self.judging.reset()
            return
        config = data.config if data else self.session.requested_data
        place = {"scan": scan.path, "slice": scan.slice}
        self.judging.send(JudgeScan(panel=JUDGE, runs=tuple(runs), data=config, **place))

    def show_numbers(self) -> None:
        """Open the dialog with all metrics of the ticked runs and their baselines."""
        data, compared = self.session.data, self.runs.compared()
        if data is not None and compared:
            refs = [baseline_of(record) for record in self.runs.records()] + [MEAN]
            more = [from_reference(ref) for ref in dict.fromkeys(filter(None, refs))]
            listed = list(dict.fromkeys([*compared, *more]))
            MetricsDialog(self.runs.measures, listed, data, self.window()).open()

    def show_scan(self, scan: OpenedScan | None) -> None:
        """Show a slice of a file, or the dataset again."""
        if scan is not None and self.view.values()["layout"] == "grid":
            self.view.set_values({"layout": "closer"})
        self.gallery.show_scan(scan)
        self._show_choice()

    def navigate(self, target: Target) -> None:
        """Show an image of the dataset, compare runs, or open a file."""
        if isinstance(target, OpenFile):
            runs = tuple(each.ref for each in self.gallery.compared)
            self.gallery.await_opening(self.follower.open_file(target.path, runs))
        elif isinstance(target, CompareRuns):
            self._wanted = list(target.names)
            self.refresh()
        elif isinstance(target, ShowImage):
            self.show_scan(None)
            self.view.set_values({"split": target.split, "order": "file", "layout": "closer"})
            self.refresh()
            self._go_to(target.index)

    def save_state(self) -> dict[str, Any]:
        baselines = [each.ref for each in self.runs.compared() if is_baseline(each.ref)]
        names = [record.name for record in self.runs.records()] or self._wanted
        return {"runs": names, "yardsticks": baselines, "view": self.view.values(), "pinned": self.follower.is_pinned()}

    def restore_state(self, kept: dict[str, Any]) -> None:
        view, names = kept.get("view"), kept.get("runs")
        self.follower.set_pinned(kept.get("pinned") is True)
        if isinstance(view, dict):
            self.view.set_values(view)
        ready = [name for name, record in self.session.runs.records.items() if record.epochs and not record.search]
        named = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
        self._wanted = named or ready[-FIRST_RUNS:]
        lines = kept.get("yardsticks")
        self._baselines = [ref for ref in lines if is_baseline(ref)][:MOST] if isinstance(lines, list) else []
        self.refresh()

    def export(self) -> None:
        """Export a figure of the visible images, their differences, metrics and warnings."""
        shown = self.board.shown()
        runs = [made.run for made in shown.made] if shown else []
        path = self.figure.ask(self.ask_path, "-".join(["compare", *runs])) if shown else ""
        if shown is None or not path:
            return
        view, warnings = self.state.view, (self.runs.notice.text(), self.scan.judged.text())
        limits = view.level - view.window / 2, view.level + view.window / 2
        texts: dict[str, Any] = {
            "heading": self.gallery.title(),
            "titles": tuple(shown.titles),
            "scale": "reconstruction − original",
        }
        texts["lines"] = tuple(figure_lines(shown, *warnings))
        self.figure.write(
            lambda: ExportFigure(
                panel=FIGURE, path=path, rows=list_figure_rows(shown, self.figure.save_array, limits), **texts
            )
        )

    def as_python(self) -> str:
        """Return a script that computes and measures the same reconstructions."""
        return compare_script(
            self.gallery, changed_data(self.session.data.config if self.session.data else self.session.requested_data)
        )

    def schedule_refresh(self, *_: object) -> None:
        """Refresh soon, or once the panel is visible."""
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _on_choice_changed(self) -> None:
        self.refresh()
        self.state_changed.emit()

    def _on_turned(self, step: int) -> None:
        """Turn a page of the dataset, or go to the next slice of a volume."""
        if self.gallery.scan is None:
            self.gallery.turn(step)
            self._report_single()
        else:
            self.scan.slider.setValue(self.scan.slider.value() + step)

    def _on_maximized(self, column: int) -> None:
        """Enlarge one image of the grid, or return to the grid."""
        grid = self.view.values()["layout"] == "grid"
        index = self.gallery.pages.indices[column] if grid and self.gallery.scan is None else None
        self.view.set_values({"layout": "closer" if grid else "grid"})
        self._on_choice_changed()
        if index is not None:
            self._go_to(index)

    def _go_to(self, index: int) -> None:
        self.gallery.go_to(index)
        self._report_single()

    def _report_single(self) -> None:
        """Make the image that is shown alone the current one."""
        if self.view.values()["layout"] != "grid":
            self.follower.choose_image(self.gallery.image())

    def _on_slice_changed(self, scan: OpenedScan) -> None:
        self.gallery.show_scan(scan)
        self.follower.choose_image(self.gallery.image())

    def _on_file_closed(self) -> None:
        self.follower.close_file()
        self.show_scan(None)

    def _show_image(self, image: ImageRef) -> None:
        """Show the current image: a file alone, an image of the dataset on its page."""
        if image.opened is not None:
            self._show_preview(image)
            self.show_scan(image.opened)
            return
        if self.gallery.scan is not None:
            self.show_scan(None)
        self.refresh()
        if self.gallery.split != image.split or image.index not in self.gallery.pages.order:
            self.view.set_values({"split": image.split})
            self.refresh()
        self.gallery.go_to(image.index)

    def _show_preview(self, image: ImageRef) -> None:
        """Show a file that was just opened at once, before it went through the models."""
        pixels = self.session.selection.preview(image)
        if pixels is not None:
            self.board.show_pictures(Comparison([image.title], pixels[None], []), "closer", image.orientation)
            self.board.set_subtitle(image.title)

    def _show_run(self, record: RunRecord) -> None:
        self.runs.follow_run(record.name)
        self._on_choice_changed()

    def _mark_current(self) -> None:
        """Frame the current image in the grid."""
        current, columns = self.session.selection.image, range(len(self.gallery.pages.indices))
        is_grid = self.view.values()["layout"] == "grid" and self.gallery.scan is None and current is not None
        found = (column for column in columns if is_grid and self.gallery.image(column) == current)
        self.board.rows.mark_column(next(found, -1))

    def _on_found(self, shown: Comparison) -> None:
        scan, pages, values = self.gallery.scan, self.gallery.pages, self.view.values()
        layout = "closer" if scan is not None and values["layout"] == "grid" else values["layout"]
        self.board.show_pictures(shown, layout, scan.orientation if scan else None)
        self.board.set_subtitle(
            " · ".join(
                filter(None, (self.gallery.title(), shown.titles[0] if layout != "grid" and scan is None else ""))
            )
        )
        at, count = (scan.slice + 1, scan.slices) if scan else (pages.page, pages.count)
        self._judge()
        self._mark_current()
        self.board.show_turning(at > 1, at < count)
