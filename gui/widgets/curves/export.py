"""Curves as files: an image of the plot, and its numbers."""

import csv
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter

from gui import palette
from gui.widgets.curves.plot import CurvePlot

RATIO = 2
FOOTER_PX = 24


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
