"""The link between a panel and the current image and run of the session, with the pin that holds the panel's own."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from gui.explorer_client import RequestHandle
from gui.panel import Panel
from gui.run_record import RunRecord
from gui.selection import ImageRef
from gui.widgets.labels import FilterChip

TIP = "Pin: keep the image and the run of this panel when others become the current ones"


class Follower(QObject):
    """Shows the current image and run in a visible panel, unless it is pinned.

    Args:
        panel: the panel.
        show_image: shows an image of the dataset or a file; called only with another image than the last one.
        show_run: shows a run; called only with another run than the last one, and never with a run without a model.
    """

    def __init__(
        self, panel: Panel, show_image: Callable[[ImageRef], object], show_run: Callable[[RunRecord], object]
    ) -> None:
        super().__init__(panel)
        self.pin = FilterChip("Pin")
        self.pin.setToolTip(TIP)
        self._panel, self._selection = panel, panel.session.selection
        self._show_image, self._show_run = show_image, show_run
        self._image: ImageRef | None = None
        self._run = ""
        for changed in (self._selection.image_changed, self._selection.run_changed, panel.session.runs_changed):
            changed.connect(self.follow)
        panel.session.run_changed.connect(lambda name: self.follow() if name == self._selection.run else None)
        panel.shown.connect(self.follow)
        self.pin.toggled.connect(self._on_pinned)

    def is_pinned(self) -> bool:
        """Return whether the panel keeps its own image and run."""
        return self.pin.isChecked()

    def set_pinned(self, pinned: bool) -> None:
        self.pin.setChecked(pinned)

    def follow(self) -> None:
        """Show the current image and run, as far as they are new."""
        if not self._panel.isVisible() or self.is_pinned():
            return
        image = self._selection.image
        if image is not None and image != self._image:
            self._image = image
            self._show_image(image)
        record = self._panel.session.current_run()
        if record is not None and record.name == self._selection.run != self._run:
            self._run = record.name
            self._show_run(record)

    def choose_image(self, image: ImageRef | None) -> None:
        """Make the image that the user chose in the panel the current one; one of a hidden panel is its own matter."""
        if image is None or not self._panel.isVisible():
            return
        self._image = image
        if not self.is_pinned():
            self._selection.set_image(image)

    def choose_run(self, name: str) -> None:
        """Make the run that the user chose in the panel the current one."""
        self._run = name
        if not self.is_pinned():
            self._selection.set_run(name)

    def open_file(self, path: str, runs: tuple[str, ...] | None = None) -> RequestHandle:
        """Open a file in the panel, which is then no longer pinned, and make it the current image.

        With `runs`, these models also reconstruct it.
        """
        self.set_pinned(False)
        return self._selection.open_file(path, runs=runs)

    def close_file(self) -> None:
        """Return from a file to the dataset."""
        self._image = None
        self._selection.close_file()

    def _on_pinned(self, pinned: bool) -> None:
        if not pinned:
            self.follow()
        self._panel.state_changed.emit()
