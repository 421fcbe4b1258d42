"""State that linked images share: zoom, center, window and level."""

from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

MOST_ZOOM = 64.0
LEAST_WINDOW = 1e-4


@dataclass(frozen=True)
class View:
    """One state of a view.

    A zoom of 1 fits the image into its view. Center and crosshair are fractions of the image, (0, 0) its upper left
    corner. Window and level are in the image's own unit; limit is the end of the symmetric scale of differences.
    """

    zoom: float = 1.0
    centre: tuple[float, float] = (0.5, 0.5)
    window: float = 1.0
    level: float = 0.5
    limit: float = 0.3
    invert: bool = False
    crosshair: tuple[float, float] | None = None


class ViewState(QObject):
    """Observable view that several images follow: share one to link them, give each its own to unlink them."""

    changed = Signal()

    def __init__(self, view: View | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view or View()
        self._default_view = self._view

    @property
    def view(self) -> View:
        return self._view

    def update(self, **changes: Any) -> None:
        """Change the named fields of the view, clamped to what can be shown."""
        view = _sane(replace(self._view, **changes))
        if view != self._view:
            self._view = view
            self.changed.emit()

    def reset(self) -> None:
        """Restore the full view and the initial contrast, or that of the last `set_default_view`."""
        self.update(**vars(self._default_view))

    def set_default_view(self, **changes: Any) -> None:
        """Change fields of the view and of the state that `reset` restores."""
        self._default_view = _sane(replace(self._default_view, **changes))
        self.update(**changes)

    def copy(self) -> "ViewState":
        """Return an independent state with the same view, to unlink an image."""
        twin = ViewState(self._default_view)
        twin.update(**vars(self._view))
        return twin


def _sane(view: View) -> View:
    zoom = min(max(view.zoom, 1.0), MOST_ZOOM)
    reach = 0.5 - 0.5 / zoom
    x, y = (min(max(at, 0.5 - reach), 0.5 + reach) for at in view.centre)
    return replace(
        view,
        zoom=zoom,
        centre=(x, y),
        window=max(view.window, LEAST_WINDOW),
        limit=max(view.limit, LEAST_WINDOW),
    )
