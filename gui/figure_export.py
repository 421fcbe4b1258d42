"""Figure of a widget with its title above and the disclaimer below."""

from PySide6.QtCore import QMarginsF, QPoint, QRect, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPageSize, QPainter, QPdfWriter
from PySide6.QtWidgets import QWidget

from gui import palette
from gui.panel import DISCLAIMER

FIGURES = "PNG image (*.png);;PDF (*.pdf)"
RATIO = 2
# A pixel is 1/96 inch, a point 1/72 inch.
POINTS = 0.75
MARGIN, LINE = 16, 24


def render_figure(widget: QWidget, title: str) -> QImage:
    """Return a widget as it is shown, at twice its size, with a title and the disclaimer."""
    size = QSize(widget.width() + 2 * MARGIN, widget.height() + 2 * (MARGIN + LINE))
    image = QImage(size * RATIO, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(RATIO)
    image.fill(QColor(palette.current().card))
    painter = QPainter(image)
    painter.setFont(widget.font())
    painter.setPen(QColor(palette.current().text))
    wide = size.width() - 2 * MARGIN
    painter.drawText(QRect(MARGIN, MARGIN // 2, wide, LINE), Qt.AlignmentFlag.AlignVCenter, title)
    below = QRect(MARGIN, MARGIN + LINE + widget.height() + MARGIN // 2, wide, LINE)
    painter.setPen(QColor(palette.current().quiet))
    painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, f"Engram · {DISCLAIMER}")
    widget.render(painter, QPoint(MARGIN, MARGIN + LINE))
    painter.end()
    return image


def save_figure(widget: QWidget, title: str, path: str) -> bool:
    """Write a figure as an image, or as a PDF if the path ends so; return False if it cannot be written."""
    image = render_figure(widget, title)
    if not path.lower().endswith(".pdf"):
        return image.save(path)
    writer = QPdfWriter(path)
    writer.setCreator("Engram")
    writer.setTitle(f"{title} · {DISCLAIMER}")
    writer.setPageSize(QPageSize(QSizeF(image.deviceIndependentSize()) * POINTS, QPageSize.Unit.Point))
    writer.setPageMargins(QMarginsF())
    painter = QPainter()
    if not painter.begin(writer):
        return False
    painter.drawImage(QRect(0, 0, writer.width(), writer.height()), image)
    return painter.end()
