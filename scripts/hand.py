"""A hand on the real program: mouse and keyboard events through the X server, counted, and a picture of the screen."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QAbstractListModel, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QLabel,
    QMenu,
    QMenuBar,
    QTabBar,
    QTreeView,
    QWidget,
)

Found = TypeVar("Found")
HEAD = "| goal | first walks | clicks, keys, scrolls | time |\n| --- | --- | --- | --- |"
PATIENCE_S, NAP_S, SETTLED_S = 900, 0.05, 0.35
NOTCHES, MOST_ROWS, TICK_PX = 60, 200, 12
# A window that offers a file, to be dragged: X has no other way to begin a real drop.
SOURCE = """
import sys
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QDrag
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication([])
class Source(QLabel):
    def mousePressEvent(self, event):
        drag, data = QDrag(self), QMimeData()
        data.setUrls([QUrl.fromLocalFile(sys.argv[1])])
        drag.setMimeData(data)
        drag.exec(Qt.DropAction.CopyAction)
source = Source("file")
source.setWindowFlags(Qt.WindowType.BypassWindowManagerHint)
source.setGeometry(0, 0, 30, 20)
source.show()
print("shown", flush=True)
app.exec()
"""


@dataclass
class Effort:
    """What one goal cost: clicks (a drag is one), chords of keys, and scrolls; typing is not counted."""

    goal: str
    before: str
    clicks: int = 0
    keys: int = 0
    scrolls: int = 0
    pictures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    failure: str = ""

    def row(self) -> str:
        """Return the row of a table in Markdown."""
        now = f"{self.clicks}, {self.keys}, {self.scrolls}"
        return f"| {self.goal} | {self.before} | {self.failure or now} | {self.seconds:.0f} s |"


class Errand(QObject):
    """Calls a function in the thread of the window and returns its result to the thread that asks."""

    asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.asked.connect(lambda do: do(), Qt.ConnectionType.BlockingQueuedConnection)

    def __call__(self, function: Callable[[], Found]) -> Found:
        """Return the result of a function, or raise what it raised."""
        kept: list[Any] = []

        def keep() -> None:
            try:
                kept.append(function())
            except Exception as error:  # noqa: BLE001 - it is raised again where it was asked
                kept.append(error)

        self.asked.emit(keep)
        if isinstance(kept[0], Exception):
            raise kept[0]
        return kept[0]


class Hand:
    """Finds a control by the words on it, and uses it where it lies on the screen."""

    def __init__(self, ask: Errand, pictures: Path, files: dict[str, str], lesion: tuple[float, ...]) -> None:
        self.ask, self._pictures, self._files, self._lesion = ask, pictures, files, lesion
        self.efforts: list[Effort] = []

    def reach(self, goal: str, before: str, steps: Sequence[str]) -> None:
        """Take the steps to a goal, such as "click Train", and count; a goal that fails does not end the walk."""
        effort, began = Effort(goal, before), time.monotonic()
        self.efforts.append(effort)
        try:
            for step in steps:
                verb, _, words = step.partition(" ")
                getattr(self, verb)(*words.split("|"))
        except (LookupError, TimeoutError) as error:
            effort.failure = f"{step}: {error}"
            self.picture("failed")
            for _ in range(2):
                tool("key", "Escape")
        effort.seconds = time.monotonic() - began
        print(effort.row(), flush=True)

    def table(self) -> str:
        """Return what each goal cost, as a table in Markdown."""
        return "\n".join([HEAD, *(effort.row() for effort in self.efforts), ""])

    def click(self, words: str, times: str = "1", hold: str = "", left: bool = False) -> None:
        """Click on a control when it is visible, enabled and inside the window; scroll to it if need be."""
        spot = self.point(words)
        if left:
            spot = self.ask(lambda: min(find(words), key=Spot.rank).left)
        self._move(spot)
        self.efforts[-1].clicks += 1
        tool(*(["keydown", hold] if hold else []), "click", "--repeat", times, "--delay", "60", "1")
        if hold:
            tool("keyup", hold)
        self.settle()

    def choose(self, box: str, entry: str) -> None:
        """Choose an entry of a drop-down: two clicks."""
        self.click(box)
        if not self.shows(entry):
            # A slow machine takes the release of the button for a choice.
            tool("click", "1")
        self.click(entry)

    def shows(self, words: str) -> bool:
        """Return whether a control is there now."""
        self.settle("1")
        return self.ask(lambda: any(spot.visible for spot in find(words)))

    def attempt(self, words: str) -> None:
        """Click on a control if it is there."""
        if self.shows(words):
            self.click(words)

    def key(self, chord: str) -> None:
        """Press keys at once."""
        self.efforts[-1].keys += 1
        tool("key", chord)
        self.settle()

    def leave(self, title: str) -> None:
        """Close a window that stands beside the app: a click gives it the keys, and Escape closes it."""
        tops = self.ask(lambda: [top for top in QApplication.topLevelWidgets() if top.windowTitle() == title])
        self._move(self.ask(lambda: tops[0].mapToGlobal(QPoint(tops[0].width() // 2, 4))))
        self.efforts[-1].clicks += 1
        tool("click", "1")
        self.key("Escape")
        self.until(lambda: not self.ask(lambda: tops[0].isVisible()), f"the end of “{title}”", 10)

    def tick(self, words: str) -> None:
        """Click on the check box at the left of a row of a list."""
        self.click(words, left=True)

    def fill(self, name: str, value: str) -> None:
        """Replace the value of a field: one click, three to select what it holds, and the words."""
        self.click(name, "3")
        tool("key", "ctrl+a")
        tool("type", value)
        tool("key", "Tab")
        self.settle()

    def scroll(self, name: str) -> None:
        """Turn the wheel over a control, as one action."""
        self._move(self.point(name))
        self.efforts[-1].scrolls += 1
        tool("click", "--repeat", "3", "5")
        self.settle()

    def drag_over(self, name: str) -> None:
        """Drag from corner to corner of the lesion in an image; it counts as a click."""
        left, top, right, bottom = self._lesion
        self._drag(name, (left, top), (right, bottom))

    def slide(self, name: str) -> None:
        """Drag the handle of a slider from the middle to the right; it counts as a click."""
        self._drag(name, (0.5, 0.5), (0.85, 0.5))

    def _drag(self, name: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.point(name)
        corners = [self.ask(lambda at=at: place_in(name, *at)) for at in (start, end)]
        self.efforts[-1].clicks += 1
        self._move(corners[0])
        tool("mousedown", "1")
        for step in range(1, 9):
            self._move(corners[0] + (corners[1] - corners[0]) * step / 8)
        tool("mouseup", "1")
        self.settle()

    def drop(self, name: str) -> None:
        """Drag a file or folder from another program onto the middle of the window."""
        if name not in self._files:
            raise LookupError("not given")
        self.efforts[-1].clicks += 1
        source = subprocess.Popen([sys.executable, "-c", SOURCE, self._files[name]], stdout=subprocess.PIPE)
        assert source.stdout
        source.stdout.readline()
        time.sleep(SETTLED_S)
        middle = self.ask(lambda: window().mapToGlobal(window().rect().center()))
        tool("mousemove", "10", "10", "mousedown", "1")
        for step in range(1, 13):
            self._move(QPoint(10, 10) + (middle - QPoint(10, 10)) * step / 12)
        time.sleep(SETTLED_S)
        tool("mouseup", "1")
        # The data are fetched after the button is up.
        time.sleep(3 * SETTLED_S)
        source.terminate()
        source.wait(PATIENCE_S)
        self.settle()

    def wait(self, *words: str) -> None:
        """Wait until a text on the screen matches one of these regular expressions."""
        self.until(lambda: self._stands("|".join(words)), f"“{words[0]}”")

    def gone(self, *words: str) -> None:
        """Wait until no text on the screen matches any of these regular expressions."""
        self.until(lambda: not self._stands("|".join(words)), f"the end of “{words[0]}”")

    def _stands(self, words: str) -> bool:
        return any(re.search(words, text) for text in self.ask(lambda: list(texts())))

    def until(self, ready: Callable[[], bool], what: str, patience: float = PATIENCE_S) -> None:
        """Wait for a condition. Raises TimeoutError."""
        end = time.monotonic() + patience
        while not ready():
            if time.monotonic() > end:
                raise TimeoutError(f"{what} did not come within {patience} s")
            time.sleep(NAP_S)

    def picture(self, name: str) -> None:
        """Save what the screen shows."""
        time.sleep(SETTLED_S)
        file = f"{sum(len(effort.pictures) for effort in self.efforts):02d}-{name}.png"
        self.efforts[-1].pictures.append(file)
        path = str(self._pictures / file)
        self.ask(lambda: QApplication.primaryScreen().grabWindow(0).save(path))

    def settle(self, seconds: str = "0.05") -> None:
        """Let the window do what an event asks of it."""
        time.sleep(float(seconds))
        self.ask(lambda: None)
        time.sleep(NAP_S)

    def point(self, words: str, patience: float = 60) -> QPoint:
        """Return where a control can be clicked, after it was scrolled into view."""
        spots: list[Spot] = []

        def look() -> bool:
            spots[:] = self.ask(lambda: sorted(find(words), key=Spot.rank))
            return bool(spots) and (spots[0].visible or spots[0].area is not None)

        self.until(look, f"“{words}”", patience)
        spot = spots[0]
        if not spot.visible:
            self._scroll(words, spot)
            spot = self.ask(lambda: min(find(words), key=Spot.rank))
        if not spot.visible:
            raise LookupError(f"“{words}” is not visible")
        return spot.place

    def _scroll(self, words: str, spot: "Spot") -> None:
        """Turn the wheel over the nearest scroll area, as one action, until the control is in view."""
        self.efforts[-1].scrolls += 1
        for _ in range(NOTCHES):
            if spot.visible or spot.area is None:
                return
            self._move(spot.area.center())
            tool("click", "5" if spot.place.y() > spot.area.center().y() else "4")
            self.settle()
            spot = self.ask(lambda: min(find(words), key=Spot.rank))

    def _move(self, point: QPoint) -> None:
        ratio = self.ask(lambda: QApplication.primaryScreen().devicePixelRatio())
        tool("mousemove", str(round(point.x() * ratio)), str(round(point.y() * ratio)))


@dataclass
class Spot:
    """A place of a control on the screen; `area` is the part of the screen in which it can be scrolled."""

    place: QPoint
    visible: bool
    exact: bool
    area: QRect | None
    left: QPoint

    def rank(self) -> tuple[bool, bool]:
        """Return the key by which the best of several is found."""
        return not self.exact, not self.visible


def tool(*words: str) -> None:
    subprocess.run(["xdotool", *words], check=True)


def is_shown() -> bool:
    """Return whether the app's window is on the screen."""
    return any(top.inherits("QMainWindow") and top.isVisible() for top in QApplication.topLevelWidgets())


def window() -> QWidget:
    """Return the window that takes events now: a pop-up, a dialog or the main window."""
    found = QApplication.activePopupWidget() or QApplication.activeModalWidget()
    return found or next(each for each in QApplication.topLevelWidgets() if each.inherits("QMainWindow"))


def windows() -> list[QWidget]:
    """Return the windows whose controls can be used now."""
    first = window()
    if first.isModal() or first.inherits("QMenu") or QApplication.activePopupWidget():
        return [first]
    return [each for each in QApplication.topLevelWidgets() if each.isVisible() and not each.isModal()]


def texts() -> Iterator[str]:
    """Yield the texts that stand on the screen."""
    for top in windows():
        yield top.windowTitle()
        for widget in [top, *top.findChildren(QWidget)]:
            if widget.isVisible():
                yield from (text for text, _ in pieces(widget))
                if isinstance(widget, QLabel):
                    yield widget.text()


def find(words: str) -> Iterator[Spot]:
    """Yield the enabled controls with these words, or with words that begin with them."""
    for top in windows():
        for widget in [top, *top.findChildren(QWidget)]:
            if not widget.isVisible() or not widget.isEnabled():
                continue
            for text, spot in pieces(widget):
                if text.lower().startswith(words.lower()) and not spot.isEmpty():
                    yield locate(widget, spot, text == words)


def place_in(name: str, x: float, y: float) -> QPoint:
    """Return the place at shares of the width and height of the control with an accessible name."""
    named = (each for each in window().findChildren(QWidget) if each.isVisible())
    found = next(each for each in named if each.accessibleName().startswith(name))
    return found.mapToGlobal(QPoint(round(x * found.width()), round(y * found.height())))


def pieces(widget: QWidget) -> Iterator[tuple[str, QRect]]:
    """Yield the texts of a control, each with its rectangle."""
    if isinstance(widget, QMenu | QMenuBar):
        for action in widget.actions():
            if action.isEnabled() and action.isVisible():
                yield plain(action), widget.actionGeometry(action)
    elif isinstance(widget, QTabBar):
        for place in range(widget.count()):
            yield widget.tabText(place), widget.tabRect(place)
    elif isinstance(widget, QAbstractItemView):
        yield widget.accessibleName(), widget.rect()
        yield from rows(widget)
    else:
        texts = [widget.accessibleName()]
        if isinstance(widget, QAbstractButton):
            texts += [widget.text().replace("&", ""), widget.toolTip()]
        if isinstance(widget, QComboBox):
            texts.append(widget.currentText())
        for text in dict.fromkeys(filter(None, texts)):
            yield text, widget.rect()


def rows(view: QAbstractItemView) -> Iterator[tuple[str, QRect]]:
    """Yield the entries of a list, tree or table."""
    model, offset = view.model(), view.viewport().pos()
    columns = range(1) if isinstance(model, QAbstractListModel) else range(model.columnCount())
    stack = [model.index(row, column) for row in range(min(model.rowCount(), MOST_ROWS)) for column in columns]
    while stack:
        index = stack.pop(0)
        yield str(index.data() or ""), view.visualRect(index).translated(offset)
        if isinstance(view, QTreeView) and index.column() == 0 and view.isExpanded(index):
            stack += [model.index(row, column, index) for row in range(model.rowCount(index)) for column in columns]


def plain(action: QAction) -> str:
    return action.text().replace("&", "").split("\t")[0]


def locate(widget: QWidget, spot: QRect, exact: bool) -> Spot:
    """Return where a part of a control lies, and whether a click would reach it."""
    center = spot.center()
    if isinstance(widget, QAbstractButton) and widget.inherits("QCheckBox"):
        center = QPoint(min(spot.left() + 10, spot.right()), center.y())
    place = widget.mapToGlobal(center)
    hit = QApplication.widgetAt(place)
    reached = hit is not None and (hit is widget or widget.isAncestorOf(hit))
    top = widget.window()
    inside = top.screen().geometry().contains(place) and top.frameGeometry().contains(place)
    parent: QWidget | None = widget
    area = None
    while parent is not None and area is None:
        if isinstance(parent, QAbstractScrollArea) and parent.verticalScrollBar().maximum() > 0:
            view = parent.viewport()
            area = QRect(view.mapToGlobal(QPoint()), view.size())
        parent = parent.parentWidget()
    return Spot(place, reached and inside, exact, area, widget.mapToGlobal(QPoint(spot.left() + TICK_PX, center.y())))
