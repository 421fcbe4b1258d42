"""How a set of plots is read: smoothing, logarithmic axes, files."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QWidget

from gui.widgets.buttons import IconButton
from gui.widgets.chip import FilterChip
from gui.widgets.curve_export import export_csv, export_png
from gui.widgets.curve_plot import CurvePlot
from gui.widgets.slider_row import SliderRange, SliderRow

AskPath = Callable[[QWidget, str, str], str]


def ask_path(parent: QWidget, name: str, kinds: str) -> str:
    """Ask where to write; an empty answer means nowhere."""
    return QFileDialog.getSaveFileName(parent, "Export", name, kinds)[0]


class CurveControls(QWidget):
    """Smoothing, log x, log y for several plots at once, and export; `footer` stands in every exported file."""

    export_failed = Signal(str)

    def __init__(self, plots: Sequence[CurvePlot], footer: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plots, self._footer = plots, footer
        self.ask_path: AskPath = ask_path
        self.smoothing = SliderRow("Smoothing", SliderRange(0.0, 0.99, 0.0))
        self.log_x, self.log_y = FilterChip("log x"), FilterChip("log y")
        self.export = IconButton("export", "Export the plots")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for part in (self.smoothing, self.log_x, self.log_y, self.export):
            row.addWidget(part)
        self.smoothing.setMaximumWidth(300)
        self.smoothing.value_changed.connect(self._on_smoothing_changed)
        self.log_x.toggled.connect(self._on_log_toggled)
        self.log_y.toggled.connect(self._on_log_toggled)
        self.export.clicked.connect(self._on_export_clicked)

    def _on_smoothing_changed(self, weight: float) -> None:
        for plot in self._plots:
            plot.set_smoothing(weight)

    def _on_log_toggled(self) -> None:
        for plot in self._plots:
            plot.set_log(self.log_x.isChecked(), self.log_y.isChecked())

    def _on_export_clicked(self) -> None:
        menu = QMenu(self)
        for plot in self._plots:
            name = plot.y_label or "curves"
            menu.addAction(f"{name}: picture (PNG)").triggered.connect(
                lambda _=False, plot=plot: self.export_as(plot, "png")
            )
            menu.addAction(f"{name}: numbers (CSV)").triggered.connect(
                lambda _=False, plot=plot: self.export_as(plot, "csv")
            )
        menu.popup(self.export.mapToGlobal(self.export.rect().bottomLeft()))
        menu.aboutToHide.connect(menu.deleteLater)

    def export_as(self, plot: CurvePlot, kind: str) -> None:
        """Ask for a path and write the plot there; `export_failed` says why when that did not work."""
        path = self.ask_path(self, f"curves.{kind}", f"*.{kind}")
        if not path:
            return
        try:
            if kind == "csv":
                export_csv(plot, Path(path), self._footer)
            elif not export_png(plot, Path(path), self._footer):
                self.export_failed.emit(f"The picture could not be written to {path}. Choose another folder.")
        except OSError as error:
            self.export_failed.emit(
                f"The numbers could not be written to {path}: {error.strerror}. Choose another folder."
            )
