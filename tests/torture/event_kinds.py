"""The kinds of random events, and what stands for the file dialogs and other programs while they are played."""

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import shiboken6
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QDropEvent, QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QSlider,
    QTabBar,
    QWidget,
)

from gui import main_window
from gui.main_window import MainWindow
from gui.widgets.image_view import ImageView

CONTROLS = (QAbstractButton, QComboBox, QSlider, QAbstractSpinBox, QLineEdit, QAbstractItemView, QTabBar, ImageView)
BUTTONS = (Qt.MouseButton.LeftButton, Qt.MouseButton.LeftButton, Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton)
MODIFIERS = (
    *(Qt.KeyboardModifier.NoModifier,) * 6,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
NAMES = (
    "Tab Tab Space Return Escape Left Right Up Down Home End PageUp PageDown Delete Backspace F1 F2 F6 F11 Period Comma"
)
KEYS = [getattr(Qt.Key, f"Key_{name}") for name in (*NAMES.split(), *"ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789")]
TEXTS = ("0", "1", "32", "-1", "0.5", "1e9", "abc", "", "4,8", "nan", "ä", "64", "3", "vae")
SIZES = ((1024, 700), (1440, 900), (1920, 1080), (800, 600), (1200, 760))
MODALITY = 0.2


class Player:
    """Sends events to whatever a user could reach now: a popup, a dialog, or the windows."""

    def __init__(self, window: MainWindow, files: list[Path], note: Callable[[str], None]) -> None:
        self.window, self.files, self.note = window, files, note

    def target(self, chance: random.Random) -> QWidget:
        """Return the window that has the user's attention."""
        above = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        if isinstance(above, QMenu) and above.testAttribute(Qt.WidgetAttribute.WA_DeleteOnClose):
            # The menu of a field is deleted within the event that closes it, where QTest still uses it; X does not.
            self.note("close the menu of a field")
            above.close()
            above = QApplication.activeModalWidget()
        if above:
            return above.window()
        others = [each for each in QApplication.topLevelWidgets() if each.isVisible() and each.windowHandle()]
        return chance.choice(others) if others and chance.random() < MODALITY else self.window

    def spot(self, chance: random.Random) -> tuple[QWidget, QPoint]:
        """Return a window, and a point in it, mostly on something that can be used."""
        window = self.target(chance)
        share = chance.random(), chance.random()
        able = [each for each in window.findChildren(QWidget) if isinstance(each, CONTROLS) and each.isEnabled()]
        seen = [each for each in able if each.isVisible() and not each.visibleRegion().isEmpty()]
        place = chance.choice(seen) if seen and chance.random() < 0.7 else window
        area = place.visibleRegion().boundingRect() if place is not window else window.rect()
        at = QPoint(area.left() + int(share[0] * area.width()), area.top() + int(share[1] * area.height()))
        return window, place.mapTo(window, at)

    def describe(self, window: QWidget, at: QPoint) -> str:
        """Return what lies at a point."""
        child = window.childAt(at) or window
        text = child.text() if isinstance(child, QAbstractButton) else child.accessibleName() or child.toolTip()
        panel = self.window.current_key() if window is self.window else type(window).__name__
        return f"{panel}: {type(child).__name__} {text[:40]!r} at {at.x()}, {at.y()}"


def click(player: Player, chance: random.Random) -> None:
    """Click, now and then twice or with the right button."""
    window, at = player.spot(chance)
    button, modifier = chance.choice(BUTTONS), chance.choice(MODIFIERS)
    # The first half of a double click may delete a menu.
    is_double = chance.random() < 0.1 and not isinstance(window, QMenu)
    act = QTest.mouseDClick if is_double else QTest.mouseClick
    player.note(f"{act.__name__} {button.name} {modifier.name} {player.describe(window, at)}")
    if handle := window.windowHandle():
        act(handle, button, modifier, at)


def drag(player: Player, chance: random.Random) -> None:
    """Press, move in steps, release."""
    window, at = player.spot(chance)
    ends = QPoint(chance.randint(-200, 200), chance.randint(-150, 150))
    player.note(f"drag by {ends.x()}, {ends.y()} {player.describe(window, at)}")
    handle, modifier = window.windowHandle(), chance.choice(MODIFIERS)
    if handle is None:
        return
    gone = watch(handle)
    QTest.mousePress(handle, Qt.MouseButton.LeftButton, modifier, at)
    for step in range(1, 5):
        if not gone and inside(window, at + ends * step / 4):
            QTest.mouseMove(handle, at + ends * step / 4)
    if not gone:
        QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, modifier, at + ends if inside(window, at + ends) else at)


def watch(handle: QWindow) -> list[bool]:
    """Return a list that is no longer empty once a window is gone, as a menu or a dialog may be between two events.

    PySide cannot say it of a window that Qt made.
    """
    gone: list[bool] = []
    handle.destroyed.connect(lambda *_: gone.append(True))
    return gone


def inside(window: QWidget, at: QPoint) -> bool:
    """Return whether a window still has a point."""
    return shiboken6.isValid(window) and window.isVisible() and window.rect().contains(at)


def hover(player: Player, chance: random.Random) -> None:
    """Move the mouse."""
    window, at = player.spot(chance)
    player.note(f"move {player.describe(window, at)}")
    if handle := window.windowHandle():
        QTest.mouseMove(handle, at)


def wheel(player: Player, chance: random.Random) -> None:
    """Turn the wheel."""
    window, at = player.spot(chance)
    by, modifier = chance.choice((-360, -120, 120, 360)), chance.choice(MODIFIERS)
    player.note(f"wheel {by} {modifier.name} {player.describe(window, at)}")
    if handle := window.windowHandle():
        QTest.wheelEvent(handle, QPointF(at), QPoint(0, by), QPoint(), modifier)


def key(player: Player, chance: random.Random) -> None:
    """Press a key."""
    window, pressed, modifier = player.target(chance), chance.choice(KEYS), chance.choice(MODIFIERS)
    if QApplication.activeModalWidget() or QApplication.activePopupWidget():
        # QTest presses the modifier first and turns the event loop, in which the next event may delete the window.
        modifier = Qt.KeyboardModifier.NoModifier
    focused = QApplication.focusWidget()
    player.note(f"key {modifier.name} {pressed.name} in {player.window.current_key()} {type(focused).__name__}")
    if handle := window.windowHandle():
        gone = watch(handle)
        QTest.keyPress(handle, pressed, modifier)
        if not gone:
            QTest.keyRelease(handle, pressed, modifier)


def text(player: Player, chance: random.Random) -> None:
    """Write something into a field in place of its text."""
    found = filter(shiboken6.isValid, player.target(chance).findChildren(QLineEdit))
    fields = [each for each in found if each.isVisible() and each.isEnabled()]
    if fields:
        field, written = chance.choice(fields), chance.choice(TEXTS)
        player.note(f"write {written!r} into {field.accessibleName() or field.placeholderText()!r}")
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, written) if written.isascii() else field.setText(written)
        QTest.keyClick(field, chance.choice((Qt.Key.Key_Return, Qt.Key.Key_Tab)))


def menu(player: Player, chance: random.Random) -> None:
    """Choose an entry of a menu, unless a dialog is in the way."""
    if not QApplication.activeModalWidget():
        found = [each for each in player.window.top_bar.menus.findChildren(QAction) if each.isEnabled() and each.text()]
        chosen = chance.choice([each for each in found if each.menu() is None])
        player.note(f"menu {chosen.text()!r}")
        if chosen.text() != "Quit" or chance.random() < 0.1:
            chosen.trigger()


def panel(player: Player, chance: random.Random) -> None:
    """Switch to another panel by its button."""
    if not QApplication.activeModalWidget():
        wanted = chance.choice(list(player.window.places))
        player.note(f"panel {wanted}")
        player.window.rail._buttons[wanted].click()


def dress(player: Player, chance: random.Random) -> None:
    """Switch to another theme."""
    mode = chance.choice(("dark", "light"))
    player.note(f"theme {mode}")
    player.window.commands.use_theme(mode)


def resize(player: Player, chance: random.Random) -> None:
    """Resize the window."""
    width, height = chance.choice(SIZES)
    player.note(f"resize to {width} x {height}")
    player.window.setWindowState(Qt.WindowState.WindowNoState)
    player.window.resize(width, height)


def drop(player: Player, chance: random.Random) -> None:
    """Drop a file or a folder on the window."""
    if not QApplication.activeModalWidget():
        chosen, mime = chance.choice(player.files), QMimeData()
        player.note(f"drop {chosen.name}")
        mime.setUrls([QUrl.fromLocalFile(str(chosen))])
        action, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
        event = QDropEvent(QPointF(300, 300), action, mime, Qt.MouseButton.LeftButton, none)
        QApplication.sendEvent(player.window, event)


def undo(player: Player, chance: random.Random) -> None:
    """Undo or redo."""
    if not QApplication.activeModalWidget():
        action = chance.choice((player.window.menus.undo, player.window.menus.undo, player.window.menus.redo))
        player.note(f"menu {action.text()!r}")
        action.trigger()


def job(player: Player, chance: random.Random) -> None:
    """Pause, continue or stop the job."""
    action = chance.choice((player.window.menus.pause, player.window.menus.pause, player.window.menus.stop))
    player.note(f"menu {action.text()!r}")
    action.trigger()


KINDS: dict[str, tuple[float, Callable[[Player, random.Random], None]]] = {
    "click": (34, click),
    "drag": (9, drag),
    "move": (5, hover),
    "wheel": (7, wheel),
    "key": (16, key),
    "text": (4, text),
    "menu": (5, menu),
    "panel": (8, panel),
    "theme": (1, dress),
    "resize": (2, resize),
    "drop": (2, drop),
    "undo": (4, undo),
    "job": (1, job),
}


def write_files(folder: Path) -> list[Path]:
    """Write what can be dropped or opened: images, a volume, a folder of classes, and what is none of these."""
    rng = np.random.default_rng(0)
    for label in ("healthy", "tumor"):
        (folder / "images" / label).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 256, (40, 48), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "images" / label / f"{number}.png")
    (folder / "empty").mkdir()
    (folder / "broken.png").write_bytes(b"no image")
    (folder / "notes.txt").write_text("no image")
    shutil.copy(folder / "images" / "tumor" / "0.png", folder / "one.png")
    volume = nibabel.Nifti1Image(rng.integers(0, 1000, (24, 28, 20), dtype=np.int16), np.eye(4))
    nibabel.save(volume, folder / "volume.nii.gz")
    return [*sorted(folder.iterdir()), folder / "gone.png"]


def replace_dialogs(folder: Path, files: list[Path]) -> None:
    """Answer file dialogs at random, and open nothing outside."""
    chance, exports = random.Random(0), folder / "exports"
    exports.mkdir()

    def save(*words: object) -> tuple[str, str]:
        kinds = str(words[3]) if len(words) > 3 else ""
        suffix = chance.choice(re.findall(r"\*(\.\w+)", kinds) or [".txt"])
        return (str(exports / f"{chance.randint(0, 20)}{suffix}") if chance.random() < 0.8 else "", kinds)

    folders = [each for each in files if each.is_dir()]
    QFileDialog.getSaveFileName = staticmethod(save)
    QFileDialog.getOpenFileName = staticmethod(lambda *words: (str(chance.choice([*files, ""])), ""))
    QFileDialog.getExistingDirectory = staticmethod(lambda *words: str(chance.choice([*folders, ""])))
    QDesktopServices.openUrl = staticmethod(lambda url: True)
    main_window._detach = lambda command: True
