"""Controls for a set of plots: smoothing, logarithmic axes, export as an image or as numbers."""

import csv
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QToolButton, QWidget

from gui import palette
from gui.widgets.buttons import IconButton
from gui.widgets.curves.plot import CurvePlot
from gui.widgets.labels import FilterChip
from gui.widgets.number_fields import SliderRange, SliderRow

RATIO = 2
FOOTER_PX = 24
KINDS = {"png": "image (PNG)", "csv": "values (CSV)"}
AskPath = Callable[[QWidget, str, str], str]


def export_png(plot: CurvePlot, path: Path, footer: str = "") -> None:
    """Write the plot as it is shown, at twice its size, with a line of text below it. Raises OSError."""
    plot.point_at(None)
    extra = FOOTER_PX if footer else 0
    image = QImage(plot.width() * RATIO, (plot.height() + extra) * RATIO, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(RATIO)
    image.fill(QColor(palette.current().field))
    painter = QPainter(image)
    plot.render(painter, QPoint(0, 0))
    painter.setFont(plot.font())
    painter.setPen(QColor(palette.current().quiet))
    painter.drawText(QRect(10, plot.height(), plot.width() - 20, extra), Qt.AlignmentFlag.AlignVCenter, footer)
    painter.end()
    writer = QImageWriter(str(path), b"PNG")
    if not writer.write(image):
        raise OSError(writer.errorString())


def export_csv(plot: CurvePlot, path: Path, footer: str = "") -> None:
    """Write one row for each point: curve, x, raw value, smoothed value. Raises OSError."""
    with path.open("w", newline="", encoding="utf-8") as file:
        if footer:
            file.write(f"# {footer}\n")
        writer = csv.writer(file)
        writer.writerow(["curve", plot.x_label or "x", plot.y_label or "y", "smoothed"])
        for item in plot.items.values():
            series = item.series
            for x, y, smooth in zip(series.x, series.y, series.smooth, strict=True):
                writer.writerow([series.style.label, *(repr(float(value)) for value in (x, y, smooth))])


WRITERS = {"png": export_png, "csv": export_csv}


def ask_path(parent: QWidget, name: str, kinds: str) -> str:
    """Ask for a path to write to; an empty answer means that the user canceled."""
    return QFileDialog.getSaveFileName(parent, "Export", name, kinds)[0]


class CurveControls(QWidget):
    """Smoothing, log x and log y for several plots at once, and export; every exported file carries `footer`."""

    export_failed = Signal(str)

    def __init__(self, plots: Sequence[CurvePlot], footer: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plots, self._footer = plots, footer
        self.ask_path: AskPath = ask_path
        self.smoothing = SliderRow("Smoothing", SliderRange(0.0, 0.99, 0.0))
        self.log_x, self.log_y = FilterChip("Log x"), FilterChip("Log y")
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
        self._build_menu()

    def _build_menu(self) -> None:
        menu = QMenu(self)
        for plot, (kind, what) in product(self._plots, KINDS.items()):
            action = menu.addAction(f"{plot.y_label or 'curves'}: {what}")
            action.triggered.connect(partial(self.export_as, plot, kind))
        self.export.setMenu(menu)
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def _on_smoothing_changed(self, weight: float) -> None:
        for plot in self._plots:
            plot.set_smoothing(weight)

    def _on_log_toggled(self) -> None:
        for plot in self._plots:
            plot.set_log(self.log_x.isChecked(), self.log_y.isChecked())

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
