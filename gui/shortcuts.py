"""Shortcut sheet: every key of the app on one page."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from gui.theme import GAP
from gui.widgets.card import PlainScrollArea
from gui.widgets.labels import label

SCREEN_SHARE = 0.9

PICTURES = (
    ("Wheel, + and −", "zoom at the cursor"),
    ("Middle-drag, Shift+arrows", "move the image"),
    ("W + left-drag, W + arrows", "change window and level"),
    ("A", "auto window/level (0.1–99.9 percentile)"),
    ("I", "invert intensities"),
    ("R", "reset zoom and contrast"),
    ("Shift + move", "show the same point in all images"),
    ("Double-click, Enter", "enlarge; again to go back"),
    ("Click in the grid", "make an image the current one"),
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
    ("Drag", "zoom to a box"),
    ("Wheel, Shift+wheel", "zoom x; zoom y"),
    ("Shift+drag, middle-drag", "pan"),
    ("R, double-click", "reset zoom"),
    ("E, Escape", "enlarge a plot of Train; leave it"),
)
FORMS = (
    ("Up, down", "increase or decrease by one step"),
    ("Page up, Page down", "increase or decrease by ten steps"),
    ("Double-click a name", "restore the default"),
    ("Type; arrows, Enter", "filter a list of runs; move and choose in it"),
    ("Space, Enter", "check a run or a baseline to compare"),
    ("F2, Delete", "rename or delete a run"),
    ("Ctrl+click a run", "show several runs at once"),
    ("V, click an eye", "show or hide the curves of a run"),
    ("Right-click a run", "note, tags, baseline, settings side by side"),
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
    ("Ctrl+wheel", "change the size of the channels"),
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
    """All keys in two columns that scroll: those of the menus; those of images, curves and forms. A field searches."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard and mouse shortcuts")
        self.field, self.empty = QLineEdit(), label("No shortcut matches.", role="quiet")
        self.field.setPlaceholderText("Search shortcuts")
        self.field.setAccessibleName("Search shortcuts")
        self.field.setClearButtonEnabled(True)
        left, right = QVBoxLayout(), QVBoxLayout()
        self.groups = [ShortcutGroup(title, keys) for title, keys in (("App", menu_keys(window)), *GROUPS)]
        for group in self.groups:
            (left if group.title in ("App", LAYERS_TITLE, MAP_TITLE, SCAN_TITLE) else right).addWidget(group)
        content, scroll = QWidget(), PlainScrollArea()
        content.setProperty("kind", "plain")
        columns = QHBoxLayout(content)
        columns.setContentsMargins(0, 0, GAP, 0)
        columns.setSpacing(40)
        for column in (left, right):
            column.setSpacing(18)
            column.addStretch()
            columns.addLayout(column)
        scroll.setWidget(content)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setMinimumWidth(content.minimumSizeHint().width())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        page = QVBoxLayout(self)
        page.setContentsMargins(24, 20, 24, 16)
        page.setSpacing(18)
        for part in (self.field, self.empty):
            page.addWidget(part)
        page.addWidget(scroll, 1)
        page.addWidget(buttons)
        self.field.textChanged.connect(self.search)
        self.search("")
        self.resize(self.sizeHint().boundedTo(self.screen().availableGeometry().size() * SCREEN_SHARE))

    def search(self, text: str) -> None:
        """Show the shortcuts whose keys or meaning hold all words of a text."""
        words = text.casefold().split()
        self.empty.setVisible(not any([group.search(words) for group in self.groups]))


class ShortcutGroup(QWidget):
    """Title and shortcuts of one part of the app."""

    def __init__(self, title: str, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.title, self._rows = title, []
        column, grid = QVBoxLayout(self), QGridLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (key, what) in enumerate(keys):
            parts = label(key), label(what, role="quiet")
            self._rows.append((f"{title} {key} {what}".casefold(), parts))
            for place, part in enumerate(parts):
                grid.addWidget(part, row, place)
        column.addWidget(label(title, role="title"))
        column.addLayout(grid)

    def search(self, words: Sequence[str]) -> bool:
        """Show the rows that hold all words, and the group if there is one; return whether there is."""
        found = False
        for text, parts in self._rows:
            fits = all(word in text for word in words)
            found |= fits
            for part in parts:
                part.setVisible(fits)
        self.setVisible(found)
        return found


def menu_keys(window: QWidget) -> list[tuple[str, str]]:
    """Return keys and names of all actions of a window that have keys; the panels share one line."""
    actions = [action for action in window.findChildren(QAction) if action.text() and not action.shortcut().isEmpty()]
    native = QKeySequence.SequenceFormat.NativeText
    keys = [(action.shortcut().toString(native), _plain(action.text())) for action in actions]
    panels = [pair for pair in keys if pair[0][-1].isdigit() and pair[0][-2:-1] == "+"]
    if len(panels) < 2:
        return keys
    (first, one), (last, other) = panels[0], panels[-1]
    others = [pair for pair in keys if pair not in panels]
    return [*others, (f"{first} to {last}", f"panels, from {one} to {other}")]


def _plain(text: str) -> str:
    """Return the name of an action without its current target, such as "Undo" alone."""
    text = text.replace("&", "").rstrip("…")
    return next((word for word in ("Undo", "Redo") if text.startswith(word)), text)
