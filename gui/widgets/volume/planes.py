"""The three planes side by side: one large, two small; they share the crosshair, and window and level."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from gui.formatting import format_number
from gui.widgets.buttons import IconButton
from gui.widgets.labels import label
from gui.widgets.number_fields import SliceRow
from gui.widgets.view_state import View
from gui.widgets.volume.model import PLANES, CrosshairModel, Levels, Plane, PlaneName, Volume
from gui.widgets.volume.plane_gestures import PlaneGestures
from gui.widgets.volume.plane_view import MeasureModel, PlaneView, describe_view

GAP = 10


class PlaneCell(QWidget):
    """A plane below its name, above the slider of its slices."""

    def __init__(self, plane: Plane, cross: CrosshairModel, measures: MeasureModel) -> None:
        super().__init__()
        self.plane, self._cross = plane, cross
        self.view, self.title, self.row = PlaneView(plane, cross, measures), label(role="title"), SliceRow()
        self.enlarge = IconButton("maximise", f"Enlarge the {plane.name} plane", checkable=True)
        self.gestures = PlaneGestures(self.view)
        self.row.slider.setAccessibleName(f"{plane.name} slice")
        self.row.moved.connect(lambda index: cross.show_slice(plane, index))
        head, column = QHBoxLayout(), QVBoxLayout(self)
        head.addWidget(self.title, 1)
        head.addWidget(self.enlarge)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        column.addWidget(self.row)
        cross.moved.connect(self._refresh)

    def _refresh(self) -> None:
        volume = self._cross.volume
        if volume is None:
            return
        index, count = self.view.index, volume.voxels.shape[self.plane.across]
        self.row.show_slice(index, count)
        self.row.slider.setEnabled(count > 1)
        self.title.setText(volume.title(self.plane))
        describe_view(self.view, volume.title(self.plane), index, count)


class VolumePlanes(QWidget):
    """The planes of one volume.

    Signals: `contrast_changed` when window, level or inversion change, `auto_wanted`, `active_changed` with the name of
    the plane that was used last, `pointed` with a text on the voxel below the cursor.
    """

    contrast_changed = Signal()
    auto_wanted = Signal()
    active_changed = Signal(str)
    pointed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.cross, self.measures = CrosshairModel(self), MeasureModel(self)
        self.cells = {plane.name: PlaneCell(plane, self.cross, self.measures) for plane in PLANES}
        self.active: PlaneName = "axial"
        self._enlarged: PlaneName | None = None
        self._linking = False
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP)
        for cell in self.cells.values():
            self._connect(cell)
        self._arrange()

    @property
    def contrast(self) -> View:
        """Return the view whose window, level and inversion all planes share."""
        return self.cells["axial"].view.state.view

    def show_volume(self, volume: Volume | None, span: float = 1.0) -> None:
        """Show a volume whose values cover a range of this width, or nothing."""
        for cell in self.cells.values():
            cell.view.set_value_range(span)
            cell.view.state.update(zoom=1.0, centre=(0.5, 0.5))
        self.measures.show(None)
        self.cross.set_volume(volume)
        self._arrange()

    def set_levels(self, levels: Levels, default: bool = False) -> None:
        """Set the values that are black and white, also as what R restores."""
        changes = {"window": levels[1] - levels[0], "level": (levels[0] + levels[1]) / 2}
        for cell in self.cells.values():
            cell.view.state.set_default_view(**changes) if default else cell.view.state.update(**changes)

    def set_inverted(self, inverted: bool) -> None:
        """Show low values bright, also as what R restores."""
        for cell in self.cells.values():
            cell.view.state.set_default_view(invert=inverted)

    def enlarge(self, name: PlaneName) -> None:
        """Show one plane alone, or all three again."""
        self._enlarged = None if self._enlarged == name else name
        self._arrange()

    def _connect(self, cell: PlaneCell) -> None:
        name = cell.plane.name
        cell.setParent(self)
        cell.view.state.changed.connect(lambda: self._link(cell))
        cell.view.maximized.connect(lambda: self.enlarge(name))
        cell.enlarge.clicked.connect(lambda: self.enlarge(name))
        cell.view.hovered.connect(lambda x, y: self._on_hovered(cell, x, y))
        cell.view.hover_ended.connect(lambda: self.pointed.emit(""))
        cell.gestures.auto_wanted.connect(self.auto_wanted)
        cell.gestures.activated.connect(lambda: self._on_activated(name))

    def _arrange(self) -> None:
        """Show the planes that have more than a line of pixels, the enlarged one alone, the first one large."""
        volume = self.cross.volume
        flat = [
            name
            for name, cell in self.cells.items()
            if volume and min(volume.voxels.shape[cell.plane.down], volume.voxels.shape[cell.plane.along]) < 2
        ]
        shown = [name for name in self.cells if name not in flat] or ["axial"]
        if self._enlarged in shown:
            shown = [self._enlarged]
        for cell in self.cells.values():
            self._grid.removeWidget(cell)
            cell.setVisible(cell.plane.name in shown)
            cell.enlarge.setChecked(self._enlarged == cell.plane.name)
        rows = max(len(shown) - 1, 1)
        for at, name in enumerate(shown):
            self._grid.addWidget(self.cells[name], max(at - 1, 0), min(at, 1), rows if at == 0 else 1, 1)
        self._grid.setColumnStretch(0, 3)
        self._grid.setColumnStretch(1, 2 if len(shown) > 1 else 0)

    def _link(self, source: PlaneCell) -> None:
        """Copy window, level and inversion of one plane to all."""
        if self._linking:
            return
        self._linking = True
        view = source.view.state.view
        for cell in self.cells.values():
            cell.view.state.update(window=view.window, level=view.level, invert=view.invert)
        self._linking = False
        self.contrast_changed.emit()

    def _on_activated(self, name: PlaneName) -> None:
        if name != self.active:
            self.active = name
            self.active_changed.emit(name)

    def _on_hovered(self, cell: PlaneCell, x: int, y: int) -> None:
        volume, values = self.cross.volume, cell.view.values
        if volume is None or values is None:
            return
        across, down = cell.view.stretch()
        column, row = (min(int(x / across), values.shape[1] - 1), min(int(y / down), values.shape[0] - 1))
        value = f"{format_number(float(values[row, column]))} {volume.units}".strip()
        title = f"{volume.title(cell.plane)} {cell.view.index + 1}"
        self.pointed.emit(f"{title} · x {column + 1}, y {row + 1} · {value}")
