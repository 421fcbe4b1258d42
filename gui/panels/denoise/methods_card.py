"""The table of methods: PSNR and SSIM against the noise-free reference, and lesion contrast retained."""

import csv
import io
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu

from engine.denoising.baselines import BASELINES
from engine.lesions import Retention
from gui.formatting import format_fixed
from gui.panel import DISCLAIMER
from gui.panels.denoise.case import Methods, of_runs
from gui.panels.denoise.results_data import NOISY, NONE, WORKING, DenoisedImage, decibels, similarity
from gui.run_chooser import RunChooser
from gui.run_record import RunRecord
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.flow_layout import FlowLayout
from gui.widgets.labels import label
from gui.widgets.number_model import TableColumn, TableRow
from gui.widgets.number_table import NumberTable
from gui.widgets.run_list.widget import ListMode

MOST = 4
# More of them scroll in their card; fewer scroll with the column of cards.
MAX_ROWS = 12
LOW, NEARLY = "▼ ", "≈ "
EMPTY = "No trained model yet. Train one, or compare the baseline filters above."
TIP = (
    "Select up to four methods. PSNR in dB. Lesion % = lesion contrast retained, after ÷ before (100% = unchanged, "
    "< 0% = inverted), ± half the 95% interval; — = too variable to measure. ≈ = quick estimate; … = computing."
)
FIELDS = ("method", "psnr_db", "ssim", "kept", "kept_low", "kept_high")


class MethodsCard(Card):
    """A table whose ticks choose runs to compute and show, and classical filters to show."""

    changed = Signal()
    figure_wanted, numbers_wanted, copy_wanted, report_wanted = Signal(), Signal(), Signal(), Signal()
    result_wanted = Signal(str, str)

    def __init__(self, session: Session) -> None:
        super().__init__("Methods")
        self._session, self._followed, self._has_reference = session, "", True
        self._rows: list[TableRow] = []
        self._listed: list[str] = []
        self.runs = RunChooser(session, "Runs", ListMode.CHECK)
        self.runs.show_text("Runs")
        self.runs.setToolTip("Choose the runs to compare from the list of all runs")
        self.add_action(self.runs)
        self.table = NumberTable(list_columns(True), checkable=True, wrapped=True)
        self._empty = label(EMPTY, role="caption", wrap=True)
        self.table.setAccessibleName("methods")
        self.table.setToolTip(TIP)
        self.add(self.table, 1)
        self.add(self._empty)
        self.result = Button("Result")
        self.result.setMenu(QMenu(self))
        self.result.setToolTip("Report on this image, or save what a method made as a PNG file of 8 or 16 bits")
        self.result.menu().aboutToShow.connect(self._fill_results)
        line = FlowLayout(gap=6)
        for text, wanted in (
            ("Figure…", self.figure_wanted),
            ("CSV…", self.numbers_wanted),
            ("Copy as Python", self.copy_wanted),
        ):
            button = Button(text)
            button.setProperty("kind", "chip")
            button.clicked.connect(wanted)
            line.addWidget(button)
        self.result.setProperty("kind", "chip")
        line.addWidget(self.result)
        self.add(line)
        self.table.checked_changed.connect(self._on_checked_changed)
        self.runs.checked_changed.connect(self._on_runs_checked)

    def trained_runs(self) -> list[RunRecord]:
        """Return the runs that have a model, newest first."""
        records = self._session.runs.records.values()
        return [record for record in reversed(list(records)) if record.epochs and not record.damage]

    def methods(self) -> Methods:
        """Return the ticked runs, oldest first, and the classical filters."""
        return of_runs(self.ticked_runs())

    def ticked_runs(self) -> list[RunRecord]:
        """Return the ticked runs, oldest first."""
        ticked = self.table.checked()
        return [record for record in reversed(self.trained_runs()) if str(record.run.path) in ticked]

    def ticked(self) -> list[str]:
        """Return the keys of the ticked methods, whose images are shown."""
        return self.table.checked()

    def follow_run(self, path: str) -> None:
        """Tick a run in the place of the one that was followed before."""
        ticked = [key for key in self.ticked() if key != self._followed or key == path]
        self._followed = path
        if path not in ticked:
            self.set_checked([path, *ticked])
            self.changed.emit()

    def set_checked(self, keys: Sequence[str]) -> None:
        """Tick these methods, the first ones if there are too many; runs among them are listed from now on."""
        kept = list(keys)[:MOST]
        self._listed += [key for key in kept if key not in self._listed]
        known, titles = {row.key: row for row in self._rows}, self._titles()
        blank = [""] * (len(list_columns(self._has_reference)) - 1)
        self._rows = [known.get(key) or TableRow(key, (title, *blank), title) for key, title in titles.items()]
        self.table.set_rows(self._rows)
        self.table.require_height(MAX_ROWS)
        self.table.set_checked(kept)
        self._show_choice()

    def show_columns(self, has_reference: bool) -> None:
        """Show the columns for an image with a noise-free reference, or for one without."""
        if has_reference != self._has_reference:
            self._has_reference = has_reference
            columns = list_columns(has_reference)
            self.table.set_columns(columns)
            blank = [""] * (len(columns) - 1)
            self.table.set_rows([replace(row, values=(row.values[0], *blank), roles={}) for row in self._rows])

    def show_numbers(
        self, made: Mapping[str, DenoisedImage], working: Collection[str], kept: Mapping[str, Retention], share: float
    ) -> None:
        """Update the table from the known results."""
        methods, titles = self.methods(), self._titles()
        shown = [each for key, each in made.items() if key in titles]
        is_perfect = any(each.ssim is not None and each.psnr_db is None for each in shown)
        best = None if is_perfect else max((each.psnr_db or 0.0 for each in shown), default=0.0)
        rows = []
        for key, title in titles.items():
            found, retention = made.get(key), kept.get(key)
            texts = numbers(found, retention, share, key in working)[: 3 if self._has_reference else 2]
            roles = {1: "accent"} if found and found.psnr_db is not None and found.psnr_db == best else {}
            if retention is not None and retention.is_below(share):
                roles[len(texts)] = "danger"
            tip = "\n".join(filter(None, (_about(key, title), _interval(retention))))
            rows.append(
                TableRow(
                    key, (title, *texts), "" if key in (NOISY, *methods.filters) else title, roles, tip, key != NOISY
                )
            )
        self._rows = rows
        self.table.set_rows(rows)
        self._empty.setVisible(not self.trained_runs())

    def _titles(self) -> dict[str, str]:
        """Return the names of the methods that the table lists, by key."""
        runs = {str(each.run.path): each.name for each in self.trained_runs() if str(each.run.path) in self._listed}
        return {NOISY: "Noisy input"} | runs | dict(self.methods().filters)

    def _fill_results(self) -> None:
        """Offer a report, and the image of each ticked method in both depths."""
        menu, methods = self.result.menu(), self.methods()
        menu.clear()
        menu.addAction("Report on this image…").triggered.connect(self.report_wanted)
        menu.addSeparator()
        for key in self.ticked():
            for depth in ("8-bit", "16-bit"):
                action = menu.addAction(f"{methods.title(key)}, {depth} PNG…")
                action.triggered.connect(lambda _=False, key=key, depth=depth: self.result_wanted.emit(key, depth))
        menu.addSeparator()
        hint = menu.addAction("NIfTI and DICOM: see Whole volume")
        hint.setEnabled(False)

    def _show_choice(self) -> None:
        """Check the ticked runs in the list of all runs, and say how many more methods there is room for."""
        runs = self.methods().runs
        self.runs.set_checked(list(runs.values()))
        ticked = len(self.ticked())
        self.set_subtitle(f"{ticked} of {MOST}" if ticked else "")

    def _on_runs_checked(self, names: list[str]) -> None:
        """List and tick the runs that are checked in the list of all runs; it keeps no more than there is room for."""
        paths = {record.name: str(record.run.path) for record in self.trained_runs()}
        others = [key for key in self.ticked() if key not in paths.values()]
        wanted = [paths[name] for name in names if name in paths]
        before = [key for key in wanted if key in self.ticked()]
        runs = [*before, *(key for key in wanted if key not in before)][: MOST - len(others)]
        self._listed = [key for key in self._listed if key in runs]
        self.set_checked([*runs, *others])
        self.changed.emit()

    def _on_checked_changed(self, keys: list[str]) -> None:
        if len(keys) > MOST:
            self.table.set_checked(keys[:MOST])
            return
        self._show_choice()
        self.changed.emit()


def list_columns(has_reference: bool) -> list[TableColumn]:
    """Return the columns: errors where there is a noise-free reference, else what was removed."""
    titles = ("PSNR", "SSIM", "Lesion %") if has_reference else ("Residual", "Lesion %")
    return [TableColumn("Method", str, False), *(TableColumn(title, str) for title in titles)]


def numbers(made: DenoisedImage | None, kept: Retention | None, share: float, is_working: bool) -> tuple[str, ...]:
    """Return the texts of a row: PSNR, SSIM, lesion contrast retained with half its interval."""
    if made is None:
        return (WORKING if is_working else NONE, "", "")
    if made.ssim is None and made.residual is None:
        return (f"{'' if made.exact else NEARLY}{decibels(made.psnr_db)}", WORKING, WORKING)
    low = LOW if kept is not None and kept.is_below(share) else ""
    retained = low + NONE
    if kept is not None and not kept.is_unclear:
        half = 50 * (kept.interval[1] - kept.interval[0])
        retained = f"{low}{format_fixed(100 * kept.value, 0)} ± {format_fixed(half, 0)}"
    if made.residual is not None:
        return made.residual.verdict.replace("-", " "), retained
    return decibels(made.psnr_db), similarity(made.ssim), retained


def table_text(titles: Mapping[str, DenoisedImage], kept: Mapping[str, Retention], about: str) -> str:
    """Return all numbers as CSV in full precision, under the disclaimer and a description."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(FIELDS)
    for key, made in titles.items():
        found = kept.get(key)
        retained = (found.value, *found.interval) if found and math.isfinite(found.value) else ("", "", "")
        psnr = "" if made.psnr_db is None else made.psnr_db
        writer.writerow((made.title, psnr, made.ssim, *retained))
    return f"# {DISCLAIMER}\n# {about}\n{file.getvalue()}"


def interval_text(kept: Retention | None) -> str:
    """Return the lesion contrast retained with its interval, short enough for below an image; empty if unknown."""
    if kept is None:
        return ""
    if not math.isfinite(kept.value):
        return "lesion: too variable"
    low, high = (format_fixed(100 * end, 0) for end in kept.interval)
    return f"lesion {format_fixed(100 * kept.value, 0)}% ({low} to {high}%)"


def _about(key: str, title: str) -> str:
    if key == NOISY:
        return BASELINES["none"].text
    return f"{BASELINES[key].title}: {BASELINES[key].text}" if key in BASELINES else title


def _interval(kept: Retention | None) -> str:
    if kept is None:
        return ""
    if not math.isfinite(kept.value):
        return kept.reason
    low, high = (format_fixed(100 * end, 0) for end in kept.interval)
    pattern = f", {format_fixed(100 * kept.pattern, 0)}% of its pattern" if math.isfinite(kept.pattern) else ""
    return f"Lesion contrast retained: {format_fixed(100 * kept.value, 0)}% (95% interval {low}% to {high}%){pattern}."
