"""The shortcut sheet: every key of the program on one page."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from gui.widgets.text import label

PICTURES = (
    ("Wheel, + and −", "zoom at the cursor"),
    ("Middle-drag, Shift+arrows", "move the picture"),
    ("W + left-drag, W + arrows", "window and level"),
    ("A", "contrast from 0.1 to 99.9 %"),
    ("I", "invert"),
    ("R", "whole picture, first contrast"),
    ("Shift + move", "the same point in all pictures"),
    ("Double-click, Enter", "look closer; again to go back"),
    ("F", "hold to flicker between two pictures"),
    ("Arrows", "next picture; move the border when swiping"),
    ("Page up, Page down", "previous or next page"),
)
LESION = (
    ("Drag inside, drag a handle", "move or resize the lesion"),
    ("Alt + arrows, with Shift", "move or resize it by a pixel"),
    ("Enter, double-click", "close a polygon; Enter sets an ellipse"),
    ("Backspace, Escape", "take a corner back; stop drawing"),
    ("Delete", "remove the lesion"),
)
CURVES = (
    ("Left, right", "read the values of an epoch"),
    ("Wheel, drag", "zoom and move"),
    ("R, double-click", "show everything again"),
)
FORMS = (
    ("Up, down", "one step more or less"),
    ("Page up, Page down", "ten steps more or less"),
    ("Double-click a name", "back to the default"),
    ("Space", "tick a run in a list"),
    ("F2, Delete", "rename or delete a run"),
)
AXES = (
    ("Drag, click on a name", "brush, flip"),
    ("Left, right; with Ctrl", "another axis; move it"),
    ("Up, down; with Shift", "brush a value; grow the brush"),
    ("F, L, Delete, Escape", "flip, log, clear this brush, all"),
)
LAYERS = (
    ("Arrows", "another channel"),
    (", and .", "the layer before, the next one"),
    ("< and >", "also norms and activations"),
    ("Enter", "enlarge the channel; again to go back"),
    ("P", "pin the channel first, or let it go"),
    ("B", "before and after the non-linearity;"),
    ("", "beside another run or scan: it and back"),
)
MAP = (
    ("Arrows, Enter", "next scan that way; choose it"),
    ("Drag, Escape", "take a group; let it go"),
    ("Wheel, + and −, R", "zoom; whole map again"),
    ("Middle-drag, Shift+arrows", "move the map"),
)
LAYERS_TITLE, MAP_TITLE = "Layers", "Map of scans"
GROUPS = (
    ("Pictures", PICTURES),
    ("Lesion", LESION),
    ("Curves", CURVES),
    ("Axes of a search", AXES),
    (LAYERS_TITLE, LAYERS),
    (MAP_TITLE, MAP),
    ("Forms and lists", FORMS),
)


class ShortcutSheet(QDialog):
    """Two columns: what the menus offer, what the pictures, curves and forms obey."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard and mouse")
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addLayout(_group("Program", menu_keys(window)))
        for title, keys in GROUPS:
            (left if title in (LAYERS_TITLE, MAP_TITLE) else right).addLayout(_group(title, keys))
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
    """Return keys and names of all actions of a window that have keys."""
    actions = [action for action in window.findChildren(QAction) if action.text() and not action.shortcut().isEmpty()]
    native = QKeySequence.SequenceFormat.NativeText
    return [(action.shortcut().toString(native), _plain(action.text())) for action in actions]


def _plain(text: str) -> str:
    """Return what an action does whatever it would do it to now."""
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
