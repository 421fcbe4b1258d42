"""View of one plane: a slice in true proportions, with the crosshair, outlined letters and what is measured on it."""

from typing import Final

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QWidget

from gui import palette
from gui.widgets.image_view import UNKNOWN, ImageView
from gui.widgets.view_state import Point, Size
from gui.widgets.volume.measure import Kind, Measurement
from gui.widgets.volume.model import CrosshairModel, Plane, crop

CROSS_GAP_PX, MARGIN_PX, END_PX = 8.0, 8.0, 4.0
_CENTER: Final = 0.5


class MeasureModel(QObject):
    """The chosen tool, and the one ruler or region; `changed` is emitted when either changes."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tool: Kind | None = None
        self.measured: Measurement | None = None

    def set_tool(self, tool: Kind | None) -> None:
        """Choose what a drag draws; None moves the crosshair."""
        self.tool = tool
        self.changed.emit()

    def show(self, measured: Measurement | None) -> None:
        """Show a ruler or a region, or nothing."""
        self.measured = measured
        self.changed.emit()


class PlaneView(ImageView):
    """One plane of the volume of a crosshair model. Its letters are always visible."""

    def __init__(self, plane: Plane, cross: CrosshairModel, measures: MeasureModel) -> None:
        super().__init__()
        self.plane, self.cross, self.measures = plane, cross, measures
        self.range = 1.0
        cross.moved.connect(self.refresh)
        measures.changed.connect(self.update)

    @property
    def index(self) -> int:
        """Return the slice that is shown."""
        return self.cross.at[self.plane.across]

    def refresh(self) -> None:
        """Show the slice at the crosshair."""
        volume = self.cross.volume
        if volume is None:
            self.set_image(None)
            return
        self.set_image(volume.slice(self.plane, self.index))
        self.data_span = self.range
        self.set_orientation(volume.letters(self.plane))

    def set_value_range(self, span: float) -> None:
        """Set the range of the values of the volume, which the speed of a window drag follows."""
        self.range = self.data_span = max(span, 1e-12)

    def stretch(self) -> Point:
        """Return width and height of a pixel, the shorter one as 1."""
        spacing = self.cross.volume.spacing(self.plane) if self.cross.volume else None
        if spacing is None:
            return 1.0, 1.0
        return spacing[1] / min(spacing), spacing[0] / min(spacing)

    def picture_size(self) -> Size:
        across, down = self.stretch()
        wide, high = super().picture_size()
        return wide * across, high * down

    def to_pixels(self, at: Point) -> Point:
        """Return the point of the slice, in pixels, below a point of the view."""
        (x, y), (across, down) = self.placement().to_picture(at), self.stretch()
        return x / across, y / down

    def to_view(self, at: Point) -> QPointF:
        """Return the point of the view that shows a point of the slice."""
        across, down = self.stretch()
        return QPointF(*self.placement().to_view((at[0] * across, at[1] * down)))

    def size_in_pixels(self) -> Size:
        """Return width and height of the slice in pixels."""
        return super().picture_size()

    def paint_picture(self, painter: QPainter) -> None:
        """Draw the slice: nearest neighbor past 100%, smooth below."""
        if self.values is None:
            return
        image, placement = self.colored(self.values), self.placement()
        wide, high = (side * placement.scale for side in self.picture_size())
        ratio = self.devicePixelRatioF()
        if min(wide / image.width(), high / image.height()) * ratio < 1:
            smooth = Qt.TransformationMode.SmoothTransformation
            ignore = Qt.AspectRatioMode.IgnoreAspectRatio
            image = image.scaled(max(round(wide * ratio), 1), max(round(high * ratio), 1), ignore, smooth)
        painter.drawImage(QRectF(placement.left, placement.top, wide, high), image, QRectF(image.rect()))
        self._paint_measured(painter)

    def paint_crosshair(self, painter: QPainter) -> None:
        """Draw two lines through the voxel that all planes show."""
        if self.cross.volume is None:
            return
        x, y = self.cross.volume.to_pixel(self.plane, self.cross.at)
        at = self.to_view((x + _CENTER, y + _CENTER))
        painter.setPen(QPen(QColor(palette.PICTURE_CHOSEN), 1))
        for before, after in (
            (QPointF(at.x(), 0), QPointF(at.x(), self.height())),
            (QPointF(0, at.y()), QPointF(self.width(), at.y())),
        ):
            step = QPointF(0, CROSS_GAP_PX) if before.x() == after.x() else QPointF(CROSS_GAP_PX, 0)
            painter.drawLine(before, at - step)
            painter.drawLine(at + step, after)

    def paint_orientation(self, painter: QPainter) -> None:
        """Draw the letters at the edges, or that they are unknown, with an outline that shows on white too."""
        metrics = painter.fontMetrics()
        middle, high = metrics.ascent() / 2 - 1, self.height()
        if self.orientation is None:
            self._paint_outlined(painter, QPointF(MARGIN_PX, high - MARGIN_PX), UNKNOWN)
            return
        left, right, top, bottom = list(self.orientation)
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        wide = painter.fontMetrics().horizontalAdvance
        self._paint_outlined(painter, QPointF(MARGIN_PX, high / 2 + middle), left)
        self._paint_outlined(painter, QPointF(self.width() - MARGIN_PX - wide(right), high / 2 + middle), right)
        self._paint_outlined(painter, QPointF((self.width() - wide(top)) / 2, MARGIN_PX + metrics.ascent()), top)
        self._paint_outlined(painter, QPointF((self.width() - wide(bottom)) / 2, high - MARGIN_PX), bottom)

    def _paint_outlined(self, painter: QPainter, at: QPointF, text: str) -> None:
        path = QPainterPath()
        path.addText(at, painter.font(), text)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.strokePath(path, QPen(QColor(palette.PICTURE_BACK), 3.5, j=Qt.PenJoinStyle.RoundJoin))
        painter.fillPath(path, QColor(palette.PICTURE_TEXT))

    def _paint_measured(self, painter: QPainter) -> None:
        """Draw the ruler or the region of this slice."""
        measured = self.measures.measured
        if measured is None or (measured.plane, measured.index) != (self.plane, self.index):
            return
        start, end = self.to_view(measured.start), self.to_view(measured.end)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for color, width in ((palette.PICTURE_BACK, 3.5), (palette.PICTURE_MARK, 1.5)):
            painter.setPen(QPen(QColor(color), width))
            if measured.kind == "ruler":
                painter.drawLine(start, end)
                for at in (start, end):
                    painter.drawEllipse(at, END_PX, END_PX)
            elif measured.kind == "ellipse":
                painter.drawEllipse(QRectF(start, end).normalized())
            else:
                painter.drawRect(QRectF(start, end).normalized())
        painter.restore()


def place_default(view: PlaneView, kind: Kind) -> Measurement | None:
    """Return a ruler or a region around the crosshair, as wide as a quarter of the slice."""
    if view.cross.volume is None:
        return None
    size = view.size_in_pixels()
    x, y = view.cross.volume.to_pixel(view.plane, view.cross.at)
    half = size[0] / 8, 0.0 if kind == "ruler" else size[1] / 8
    start, end = crop((x - half[0], y - half[1]), size), crop((x + half[0], y + half[1]), size)
    return Measurement(kind, view.plane, view.index, start, end)


def describe_view(view: QWidget, title: str, index: int, count: int) -> None:
    """Name a view for screen readers."""
    view.setAccessibleName(f"{title} slice {index + 1} of {count}")
