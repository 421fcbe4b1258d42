"""Figure from a file: it fits its widget, the wheel zooms at the cursor, a drag moves it."""

from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsPixmapItem, QGraphicsScene, QGraphicsView, QWidget

from gui import palette

STEP = 1.25
LEAST, MOST = 0.1, 8.0


class FigureView(QGraphicsView):
    """View of one image file; a double-click or R fits it again."""

    zoomed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene, self._item = QGraphicsScene(self), QGraphicsPixmapItem()
        self._item.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        self._scene.addItem(self._item)
        self._fitted = True
        self.setScene(self._scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self._dress()
        self.setAccessibleName("figure")
        self.setToolTip("Wheel: zoom. Drag: pan. Double-click or R: fit.")

    def show_figure(self, path: Path | None) -> bool:
        """Show an image file, fitted, or nothing for None; return False if the file cannot be read."""
        picture = QPixmap(str(path)) if path else QPixmap()
        self._item.setPixmap(picture)
        self._scene.setSceneRect(self._item.boundingRect())
        self.setAccessibleDescription(path.name if path else "")
        self.fit()
        return path is None or not picture.isNull()

    def scale_now(self) -> float:
        """Return the current scale: 1 is one image pixel for one widget pixel."""
        return float(self.transform().m11())

    def fit(self) -> None:
        """Show the whole image, never larger than its own size."""
        self._fitted = True
        size, room = self._item.pixmap().size(), self.maximumViewportSize()
        if not size.isEmpty():
            share = min(room.width() / size.width(), room.height() / size.height(), 1.0)
            self._set_scale(max(share, LEAST))

    def zoom(self, steps: float) -> None:
        """Zoom in, or out for negative steps."""
        self._fitted = False
        self._set_scale(min(max(self.scale_now() * STEP**steps, LEAST), MOST))

    def changeEvent(self, event: QEvent) -> None:
        """Apply the colors of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._dress()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom(event.angleDelta().y() / 120)
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_R:
            self.fit()
        elif steps:
            self.zoom(steps)
        else:
            super().keyPressEvent(event)

    def _dress(self) -> None:
        self.setBackgroundBrush(QColor(palette.current().field))

    def _set_scale(self, scale: float) -> None:
        self.scale(scale / self.scale_now(), scale / self.scale_now())
        self.zoomed.emit(scale)
