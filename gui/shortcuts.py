"""Shortcut sheet: every key of the app on one page."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from gui.widgets.labels import label

PICTURES = (
    ("Wheel, + and −", "zoom at the cursor"),
    ("Middle-drag, Shift+arrows", "move the image"),
    ("W + left-drag, W + arrows", "change window and level"),
    ("A", "auto window/level (0.1–99.9 percentile)"),
    ("I", "invert intensities"),
    ("R", "reset zoom and contrast"),
    ("Shift + move", "show the same point in all images"),
    ("Double-click, Enter", "enlarge; again to go back"),
    ("F", "hold to flicker between two images"),
    ("Arrows", "next image; move the divider when swiping"),
    ("Page up, Page down", "previous or next page"),
)
SCAN = (
    ("Wheel, Page up, Page down", "previous or next slice"),
    ("Click, drag, arrows", "move the crosshair in all planes"),
    ("Ctrl+wheel", "zoom at the cursor"),
    ("Enter, Alt+arrows", "place a ruler or region; move it"),
    ("Alt+Shift+arrows, Delete", "resize it; remove it"),
)
LESION = (
    ("Drag inside, drag a handle", "move or resize the lesion"),
    ("Alt + arrows", "move; with Shift, resize by one pixel"),
    ("Enter, double-click", "close the polygon; Enter places an ellipse"),
    ("Backspace, Escape", "undo last vertex; cancel drawing"),
    ("Delete", "remove the lesion"),
)
CURVES = (
    ("Left, right", "read the values at an epoch"),
    ("Wheel, drag", "zoom; pan"),
    ("R, double-click", "reset zoom"),
)
FORMS = (
    ("Up, down", "increase or decrease by one step"),
    ("Page up, Page down", "increase or decrease by ten steps"),
    ("Double-click a name", "restore the default"),
    ("Space", "select or clear a run in a list"),
    ("F2, Delete", "rename or delete a run"),
)
AXES = (
    ("Drag an axis, click its name", "filter; reverse"),
    ("Left, right; with Ctrl", "select an axis; move it"),
    ("Up, down; with Shift", "filter a value; widen the filter"),
    ("F, L, Delete, Escape", "reverse; log; clear this filter; clear all"),
)
LAYERS = (
    ("Arrows", "select a channel"),
    (", and .", "previous, next layer"),
    ("< and >", "same, including normalization and activation layers"),
    ("Enter", "enlarge the channel; again to go back"),
    ("P", "pin or unpin the channel"),
    ("B", "switch between before and after the activation;"),
    ("", "when comparing: switch to the other run or image"),
)
MAP = (
    ("Arrows, Enter", "move to the next image; select it"),
    ("Drag, Escape", "lasso-select; clear selection"),
    ("Shift+drag", "select a box"),
    ("Wheel, + and −, R", "zoom; reset zoom"),
    ("Middle-drag, Shift+arrows", "move the map"),
)
LAYERS_TITLE, MAP_TITLE, SCAN_TITLE = "Layers", "Latent map", "Scan (volumes)"
GROUPS = (
    ("Images", PICTURES),
    (SCAN_TITLE, SCAN),
    ("Lesion", LESION),
    ("Curves", CURVES),
    ("Parallel axes (Search)", AXES),
    (LAYERS_TITLE, LAYERS),
    (MAP_TITLE, MAP),
    ("Forms and lists", FORMS),
)


class ShortcutSheet(QDialog):
    """Two columns: keys of the menus; keys of images, curves and forms."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard and mouse shortcuts")
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addLayout(_group("App", menu_keys(window)))
        for title, keys in GROUPS:
            (left if title in (LAYERS_TITLE, MAP_TITLE, SCAN_TITLE) else right).addLayout(_group(title, keys))
        columns = QHBoxLayout()
        columns.setSpacing(40)
        for column in (left, right):
            column.setSpacing(18)
            column.addStretch()
            columns.addLayout(column)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        page = QVBoxLayout(self)
        page.setContentsMargins(24, 20, 24, 16)
        page.setSpacing(18)
        page.addLayout(columns)
        page.addWidget(buttons)


def menu_keys(window: QWidget) -> list[tuple[str, str]]:
    """Return keys and names of all actions of a window that have keys; the panels share one line."""
    actions = [action for action in window.findChildren(QAction) if action.text() and not action.shortcut().isEmpty()]
    native = QKeySequence.SequenceFormat.NativeText
    keys = [(action.shortcut().toString(native), _plain(action.text())) for action in actions]
    panels = [pair for pair in keys if pair[0][-1].isdigit() and "+" in pair[0]]
    if len(panels) < 2:
        return keys
    (first, one), (last, other) = panels[0], panels[-1]
    others = [pair for pair in keys if pair not in panels]
    return [*others, (f"{first} to {last}", f"panels, from {one} to {other}")]


def _plain(text: str) -> str:
    """Return the name of an action without its current target, such as "Undo" alone."""
    text = text.replace("&", "").rstrip("…")
    return next((word for word in ("Undo", "Redo") if text.startswith(word)), text)


def _group(title: str, keys: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> QVBoxLayout:
    column, grid = QVBoxLayout(), QGridLayout()
    column.setSpacing(6)
    grid.setHorizontalSpacing(18)
    grid.setVerticalSpacing(4)
    for row, (key, what) in enumerate(keys):
        grid.addWidget(label(key), row, 0)
        grid.addWidget(label(what, role="quiet"), row, 1)
    grid.setColumnStretch(1, 1)
    column.addWidget(label(title, role="title"))
    column.addLayout(grid)
    return column
