"""Exports of every panel: a figure of a widget, and a Python script that repeats the user's actions without the app."""

from pprint import pformat
from typing import Any

from PySide6.QtCore import QMarginsF, QPoint, QRect, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPageSize, QPainter, QPdfWriter
from PySide6.QtWidgets import QWidget

from engine import config as settings
from engine.config import DataConfig, RunConfig
from gui import palette
from gui.panel import DISCLAIMER

FIGURES = "PNG image (*.png);;PDF (*.pdf)"
RATIO = 2
# A pixel is 1/96 inch, a point 1/72 inch.
POINTS = 0.75
MARGIN, LINE = 16, 24
WIDTH = 100


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


def non_default_settings(config: RunConfig) -> str:
    """Return the settings that differ from the defaults of their model, as Python."""
    model = config.model.model
    plain = settings.to_flat(settings.from_flat({"model": model}))
    values: dict[str, Any] = {"model": model} if model != RunConfig().model.model else {}
    values |= {name: value for name, value in settings.to_flat(config).items() if value != plain[name]}
    return pformat(values, width=WIDTH, sort_dicts=False)


def changed_data(config: DataConfig) -> str:
    """Return a DataConfig as Python, with the fields that differ from the defaults."""
    plain = DataConfig().model_dump()
    values = [f"{name}={value!r}" for name, value in config.model_dump().items() if value != plain[name]]
    return f"engine.config.DataConfig({', '.join(values)})"


def read_images(places: tuple[str, list[int]], opened: tuple[str, int] | None) -> list[str]:
    """Return the lines of a script that define `read(size)`: the shown images as a model of a size sees them.

    Args:
        places: a split and indices in it.
        opened: path and slice of a file, if that is shown instead.
    """
    if opened is None:
        content = f"engine.data.load(config=config).splits[{places[0]!r}].read({places[1]})"
    else:
        content = f"engine.data.prepare(engine.data.open_scan({opened[0]!r}), config, {opened[1]})[None, ..., None]"
    return [
        "def read(size):",
        "    config = data.model_copy(update={'size': size})",
        f"    return {content}",
        "",
    ]


def join_script(*lines: str, imports: tuple[str, ...] = ("import engine",)) -> str:
    """Return lines as a script."""
    return "\n".join([*imports, "", *lines, ""])
