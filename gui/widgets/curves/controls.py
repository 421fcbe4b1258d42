"""Controls for a set of plots: smoothing, axes, outliers, export as an image or as numbers."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from gui.widgets.buttons import IconButton
from gui.widgets.curves.export import WRITERS
from gui.widgets.curves.plot import CurvePlot
from gui.widgets.curves.series import Scale
from gui.widgets.flow_layout import FlowLayout
from gui.widgets.labels import FilterChip
from gui.widgets.number_fields import SliderRange, SliderRow

SLIDER_PX = 218
KINDS = {"png": "image (PNG)", "svg": "drawing (SVG)", "pdf": "page (PDF)", "csv": "values (CSV)"}
OUTLIERS_TIP = "Fit the y axis to the middle 90% of the values of each curve."
AskPath = Callable[[QWidget, str, str], str]


def ask_path(parent: QWidget, name: str, kinds: str) -> str:
    """Ask for a path to write to; an empty answer means that the user canceled."""
    return QFileDialog.getSaveFileName(parent, "Export", name, kinds)[0]


class CurveControls(QWidget):
    """Smoothing, axes and export for several plots at once, which share one crosshair.

    Every exported file carries `footer`; `more` are further controls of the owner.
    """

    export_failed = Signal(str)

    def __init__(
        self,
        plots: Sequence[CurvePlot],
        footer: str = "",
        more: Sequence[QWidget] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._plots, self._footer = list[CurvePlot](), footer
        self.ask_path: AskPath = ask_path
        self.smoothing = SliderRow("Smoothing", SliderRange(0.0, 0.99, 0.0))
        self.log_x, self.log_y = FilterChip("Log x"), FilterChip("Log y")
        self.clip = FilterChip("Clip outliers")
        self.clip.setToolTip(OUTLIERS_TIP)
        self.export, self._menu = IconButton("export", "Export the plots"), QMenu(self)
        self.smoothing.setFixedWidth(max(SLIDER_PX, self.smoothing.sizeHint().width()))
        row = FlowLayout(self, gap=6)
        for part in (self.smoothing, *more[:-1], self.log_x, self.log_y, self.clip, self.export, *more[-1:]):
            row.addWidget(part)
        self.smoothing.value_changed.connect(self._on_smoothing_changed)
        for chip in (self.log_x, self.log_y, self.clip):
            chip.toggled.connect(self._on_scale_changed)
        for plot in plots:
            self.add_plot(plot)
        self._menu.aboutToShow.connect(self.fill_menu)
        self.export.setMenu(self._menu)
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def add_plot(self, plot: CurvePlot) -> None:
        """Let the controls act on one more plot."""
        self._plots.append(plot)
        plot.pointed.connect(partial(self._on_pointed, plot))
        plot.set_smoothing(self.smoothing.value())
        plot.set_scale(self._scale())

    def fill_menu(self) -> None:
        """List the plots that are shown, in each kind of file."""
        self._menu.clear()
        for plot, (kind, what) in product((plot for plot in self._plots if not plot.isHidden()), KINDS.items()):
            action = self._menu.addAction(f"{plot.y_label or 'curves'}: {what}")
            action.triggered.connect(partial(self.export_as, plot, kind))

    def _on_smoothing_changed(self, weight: float) -> None:
        for plot in self._plots:
            plot.set_smoothing(weight)

    def _on_scale_changed(self) -> None:
        for plot in self._plots:
            plot.set_scale(self._scale())

    def _scale(self) -> Scale:
        return Scale(self.log_x.isChecked(), self.log_y.isChecked(), self.clip.isChecked())

    def _on_pointed(self, source: CurvePlot, x: float | None) -> None:
        for plot in self._plots:
            if plot is not source and plot.isVisible():
                plot.follow(x)

    def export_as(self, plot: CurvePlot, kind: str, *_: bool) -> None:
        """Ask for a path and write the plot there; emit `export_failed` with the reason if that fails."""
        path = self.ask_path(self, f"curves.{kind}", f"*.{kind}")
        if not path:
            return
        try:
            WRITERS[kind](plot, Path(path), self._footer)
        except OSError as error:
            reason = error.strerror or error
            self.export_failed.emit(f"Could not write {path}: {reason}. Choose another folder.")
