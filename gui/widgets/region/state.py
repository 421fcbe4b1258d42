"""State of the region that several images share: its shape, its drawing mode, and its changes as undo steps."""

from typing import Literal

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from gui.widgets.region.region import Point, Region

Mode = Literal["", "ellipse", "polygon"]
LEAST_CORNERS = 3


class ChangeRegionCommand(QUndoCommand):
    """Undo step of a region that changed, appeared or vanished; it turns obsolete when another image is shown."""

    def __init__(self, state: "RegionState", before: Region | None, after: Region | None, text: str) -> None:
        super().__init__(text)
        self._state, self._before, self._after, self._of = state, before, after, state.of

    def redo(self) -> None:
        self._show(self._after)

    def undo(self) -> None:
        self._show(self._before)

    def _show(self, region: Region | None) -> None:
        if self._of == self._state.of:
            self._state.show_region(region)
        else:
            self.setObsolete(True)


class RegionState(QObject):
    """Region shared by several views: a change in one view shows in all.

    Signals: `changed` when anything looks different, `region_changed` when the region itself differs, `mode_changed`
    when drawing begins or ends.
    """

    changed = Signal()
    region_changed = Signal()
    mode_changed = Signal(str)

    def __init__(self, undo: QUndoStack, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._undo = undo
        self.region: Region | None = None
        self.mode: Mode = ""
        self.draft: tuple[Point, ...] = ()
        self.rim_px = 4
        self.of = ""
        self._kept: dict[str, Region | None] = {}
        self._before: Region | None = None

    def set_image(self, of: str, region: Region | None) -> None:
        """Switch to another image, with the region it had, or with this one if it is new."""
        self._kept[self.of] = self.region
        self.of = of
        self.set_mode("")
        self.show_region(self._kept.get(of, region))

    def show_region(self, region: Region | None) -> None:
        """Show a region, or none; this is not an undo step."""
        if region != self.region:
            self.region = region
            self.region_changed.emit()
            self.changed.emit()

    def change(self, region: Region | None, text: str) -> None:
        """Change the region as an undo step."""
        if region != self.region:
            self._undo.push(ChangeRegionCommand(self, self.region, region, text))

    def begin(self) -> None:
        """Begin a change by hand; `finish` turns it into an undo step."""
        self._before = self.region

    def finish(self, text: str) -> None:
        """Finish a change by hand."""
        after, before = self.region, self._before
        if after != before:
            self._undo.push(ChangeRegionCommand(self, before, after, text))

    def set_mode(self, mode: Mode) -> None:
        """Begin to draw an ellipse or a polygon, or stop drawing."""
        self.draft = ()
        if mode != self.mode:
            self.mode = mode
            self.mode_changed.emit(mode)
        self.changed.emit()

    def set_draft(self, points: tuple[Point, ...]) -> None:
        """Set the corners of an unfinished polygon; the last one follows the cursor."""
        self.draft = points
        self.changed.emit()

    def close_polygon(self) -> None:
        """Turn the corners so far into a region, if there are enough."""
        corners = tuple(dict.fromkeys(self.draft))
        if len(corners) >= LEAST_CORNERS:
            self.set_mode("")
            self.change(Region("polygon", corners), "draw polygon")

    def set_rim(self, rim_px: int) -> None:
        """Set the width of the background ring, in pixels of the image."""
        if rim_px != self.rim_px:
            self.rim_px = rim_px
            self.region_changed.emit()
            self.changed.emit()
