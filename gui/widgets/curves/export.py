"""Files of a plot: an image, a vector drawing, or its numbers."""

import csv
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMarginsF, QPoint, QRect, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QImageWriter, QPageSize, QPainter, QPdfWriter, QTextDocument
from PySide6.QtSvg import QSvgGenerator

from gui import palette
from gui.widgets.curves.plot import CurvePlot

RATIO = 2
FOOTER_PX = 24
MARGIN_PX = 10
DOTS_PER_INCH = 96


def export_png(plot: CurvePlot, path: Path, footer: str = "") -> None:
    """Write the plot as it is shown, at twice its size, with its legend and a line of text. Raises OSError."""
    size = _size(plot, footer)
    image = QImage(size * RATIO, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(RATIO)
    _paint(plot, QPainter(image), footer)
    writer = QImageWriter(str(path), b"PNG")
    if not writer.write(image):
        raise OSError(writer.errorString())


def export_svg(plot: CurvePlot, path: Path, footer: str = "") -> None:
    """Write the plot as a vector drawing, with its legend and a line of text. Raises OSError."""
    path.touch()
    drawing, size = QSvgGenerator(), _size(plot, footer)
    drawing.setFileName(str(path))
    drawing.setSize(size)
    drawing.setViewBox(QRect(QPoint(), size))
    drawing.setResolution(DOTS_PER_INCH)
    _paint(plot, QPainter(drawing), footer)


def export_pdf(plot: CurvePlot, path: Path, footer: str = "") -> None:
    """Write the plot as a page of its size, with its legend and a line of text. Raises OSError."""
    path.touch()
    page, size = QPdfWriter(str(path)), _size(plot, footer)
    page.setResolution(DOTS_PER_INCH)
    page.setPageSize(QPageSize(QSizeF(size) * 72 / DOTS_PER_INCH, QPageSize.Unit.Point))
    page.setPageMargins(QMarginsF())
    _paint(plot, QPainter(page), footer)


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


WRITERS: dict[str, Callable[[CurvePlot, Path, str], None]] = {
    "png": export_png,
    "svg": export_svg,
    "pdf": export_pdf,
    "csv": export_csv,
}


def _legend(plot: CurvePlot) -> QTextDocument:
    """Return the names of the curves where the plot itself has none."""
    legend = QTextDocument()
    legend.setDefaultFont(plot.font())
    legend.setDocumentMargin(0)
    legend.setTextWidth(plot.width() - 2 * MARGIN_PX)
    legend.setHtml(f'<span style="color:{palette.current().text}">{plot.legend_html()}</span>')
    return legend


def _size(plot: CurvePlot, footer: str) -> QSize:
    names = round(_legend(plot).size().height()) + MARGIN_PX if plot.legend_html() else 0
    return QSize(plot.width(), plot.height() + names + FOOTER_PX * bool(footer))


def _paint(plot: CurvePlot, painter: QPainter, footer: str) -> None:
    plot.point_at(None)
    size, colors = _size(plot, footer), palette.current()
    painter.fillRect(QRect(QPoint(), size), QColor(colors.field))
    button_was_visible = plot.enlarge.isVisible()
    plot.enlarge.setVisible(False)
    plot.render(painter, QPoint(0, 0))
    plot.enlarge.setVisible(button_was_visible)
    painter.save()
    painter.translate(MARGIN_PX, plot.height())
    if plot.legend_html():
        _legend(plot).drawContents(painter)
    painter.restore()
    painter.setFont(plot.font())
    painter.setPen(QColor(colors.quiet))
    foot = QRect(MARGIN_PX, size.height() - FOOTER_PX, size.width() - 2 * MARGIN_PX, FOOTER_PX)
    painter.drawText(foot, Qt.AlignmentFlag.AlignVCenter, footer)
    painter.end()
