"""Parallel coordinates as files: an image at twice the size, or a vector page."""

from pathlib import Path

from PySide6.QtCore import QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QImageWriter, QPageLayout, QPageSize, QPainter, QPdfWriter

from gui import palette
from gui.widgets.parallel.paint import draw_axes, draw_bar, draw_lines, frame_of
from gui.widgets.parallel.view import ParallelView

RATIO, LINE_PX, MARGIN_PX = 2, 26, 12
# A pixel of the screen is a dot of the page.
DOTS = 96


def write_png(view: ParallelView, path: Path, heading: str, footer: str) -> None:
    """Write the lines with their current brushes and axis order. Raises OSError."""
    image = QImage(view.width() * RATIO, (view.height() + 2 * LINE_PX) * RATIO, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(RATIO)
    painter = QPainter(image)
    _draw(painter, view, heading, footer)
    painter.end()
    writer = QImageWriter(str(path), b"PNG")
    if not writer.write(image):
        raise OSError(writer.errorString())


def write_pdf(view: ParallelView, path: Path, heading: str, footer: str) -> None:
    """Write the same as one page of vector lines and text. Raises OSError."""
    # Qt gives no reason for a path that it cannot write; this raises the OSError.
    path.write_bytes(b"")
    page = QPdfWriter(str(path))
    page.setResolution(DOTS)
    page.setTitle(heading)
    size = QSizeF(view.width() * 72 / DOTS, (view.height() + 2 * LINE_PX) * 72 / DOTS)
    page.setPageSize(QPageSize(size, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch))
    page.setPageOrientation(QPageLayout.Orientation.Portrait)
    page.setPageMargins(QMarginsF(0, 0, 0, 0))
    painter = QPainter(page)
    if not painter.isActive():
        raise OSError(f"no page could be started in {path.name}")
    _draw(painter, view, heading, footer)
    painter.end()


def _draw(painter: QPainter, view: ParallelView, heading: str, footer: str) -> None:
    wide, high, colours = view.width(), view.height(), palette.current()
    painter.fillRect(QRectF(0, 0, wide, high + 2 * LINE_PX), QColor(colours.field))
    painter.setFont(view.font())
    at_left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    for text, top, colour in ((heading, 0, colours.text), (footer, high + LINE_PX, colours.quiet)):
        painter.setPen(QColor(colour))
        painter.drawText(QRectF(MARGIN_PX, top, wide - 2 * MARGIN_PX, LINE_PX), at_left, text)
    painter.translate(0, LINE_PX)
    frame = frame_of(view.model, (wide, high))
    draw_lines(painter, view.model, frame)
    draw_bar(painter, view.model, frame)
    painter.setFont(view.font())
    draw_axes(painter, view.model, frame)
