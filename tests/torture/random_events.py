"""One piece of the mode 'events', in a process of its own: python -m tests.torture.random_events COUNT SEED.

Windows are opened, played with and closed until so many events were played. A fault is printed with the events before
it, and the piece goes on; its exit code says whether there was one.
"""

import faulthandler
import gc
import os
import random
import re
import sys
import threading
import time
import traceback
from collections import Counter, deque
from pathlib import Path

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QMessageBox

from gui import theme
from gui.app import make_window
from gui.main_window import MainWindow
from gui.preferences import SettingsStore
from tests.torture.event_kinds import KINDS, Player, replace_dialogs, write_files
from tests.torture.jobs import JobStarter

MAX_STALL_S = 2.0
SHOWN_STALL_S = 0.25
PLACE_AFTER_S = 1.0
BEAT_MS = 5
# Said by the platform without a screen, and of a click beside a window that has just shrunk.
HARMLESS = ("This plugin does not support", "propagateSizeHints", "occurs outside", "does not support raise")
LAST = 8


class Heart:
    """Measures how long the event loop does not turn, on the wall and in its thread's processor time, and where."""

    def __init__(self, what: deque[str], places: Path) -> None:
        self.stalls: list[tuple[float, float, str]] = []
        self._what, self._last, self._worked = what, time.monotonic(), time.thread_time()
        # Written by a thread of C: one of Python would hold the frames, and with them a painter, for too long.
        self._places = places.open("w+")
        self._timer = QTimer(interval=BEAT_MS)
        self._timer.timeout.connect(self._on_beat)
        self._timer.start()

    def watch(self) -> None:
        """Write down where the main thread is if the loop does not turn for a while from now on."""
        faulthandler.dump_traceback_later(PLACE_AFTER_S, file=self._places)

    def _on_beat(self) -> None:
        now, worked = time.monotonic(), time.thread_time()
        if now - self._last > SHOWN_STALL_S:
            self._places.seek(0)
            frames = re.findall(r'File ".*/(.+?)", line (\d+) in (\w+)', self._places.read())
            place = " < ".join(f"{name}:{line} {function}" for name, line, function in frames[:4])
            self.stalls.append((now - self._last, worked - self._worked, f"{self._what[-1]} in {place}"))
            self._places.seek(0)
            self._places.truncate()
        self._last, self._worked = now, worked


class Piece(QObject):
    """Plays the events of one seed."""

    def __init__(self, folder: Path, count: int, seed: int) -> None:
        super().__init__()
        self.folder, self.count, self.seed, self.number = folder, count, seed, 0
        self.recent: deque[str] = deque(["start"], LAST)
        self.faults: Counter[str] = Counter()
        self.heart, self.kinds = Heart(self.recent, folder / "places"), Counter[str]()
        self._is_acting = False
        self.window: MainWindow | None = None
        self.player: Player | None = None
        self.windows, self.first_objects, self.objects = 0, 0, 0
        self.files = write_files(folder / "files")
        self.log = (folder / "events").open("w")

    def fault(self, text: str) -> None:
        """Note a fault, and print it with the last events when it is new."""
        key = text.strip().splitlines()[-1] if text.strip() else text
        self.faults[key] += 1
        if self.faults[key] == 1:
            print(f"FAULT at event {self.number}: {text}\n    after", *self.recent, sep="\n    ", flush=True)

    def note(self, event: str) -> None:
        """Write down an event before it is played."""
        self.recent.append(f"{self.number} {event}")
        self.log.write(f"{self.number} {event}\n")
        self.log.flush()

    def step(self) -> None:
        """Play the next event; the one after it is due even while this one waits in a dialog."""
        chance = random.Random(f"{self.seed}-{self.number}")
        QTimer.singleShot(chance.choice((0, 0, 5, 20, 60)), self.step)
        if self._is_acting and not (QApplication.activeModalWidget() or QApplication.activePopupWidget()):
            return  # QTest turns the event loop within an event
        self.heart.watch()
        self._is_acting, was = True, self._is_acting
        self._act(chance)
        self._is_acting = was

    def _act(self, chance: random.Random) -> None:
        if self.window is None:
            self._open()
        elif self.window.isHidden() and not QApplication.activeModalWidget():
            self._check_closed()
        elif self.number >= self.count:
            self._close()
        else:
            self.number += 1
            self.jobs.tend(self.number)
            kind = chance.choices(list(KINDS), [weight for weight, _ in KINDS.values()])[0]
            self.kinds[kind] += 1
            KINDS[kind][1](self.player, chance)

    def _open(self) -> None:
        self.windows += 1
        self.note(f"window {self.windows}")
        self.window = make_window(SettingsStore())
        scratch, remove = self.window._scratch, self.window._scratch.remove
        scratch.remove = lambda: (self._read_logs(scratch.path), remove())
        self.player = Player(self.window, self.files, self.note)
        self.jobs = JobStarter(self.window.desk.session, self.note)
        self.window.show()
        self.window.start()

    def _close(self) -> None:
        """Answer the dialogs that are open, then close the window and stop its job."""
        popup, modal = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        if popup:
            popup.close()
        elif isinstance(modal, QMessageBox) and modal.windowTitle() == "Close Engram":
            modal.buttons()[0].click()
        elif modal:
            modal.close()
        else:
            self.window.close()

    def _read_logs(self, scratch: Path) -> None:
        for log in scratch.glob("*.log"):
            if "Traceback" in (text := log.read_text(errors="replace")):
                self.fault(f"{log.name}: {text[text.index('Traceback') :][:3000]}")

    def _check_closed(self) -> None:
        """Delete the window, and look for what is left of it."""
        self.window.deleteLater()
        self.window = self.player = self.jobs = None
        self.recent.append("closed")
        for _ in range(3):
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            gc.collect()
        left = [f"{type(each).__name__} {each.windowTitle()!r}" for each in QApplication.topLevelWidgets()]
        if left:
            self.fault(f"top-level widgets left: {', '.join(left)}")
        if widgets := len(QApplication.allWidgets()):
            self.fault(f"{widgets} widgets left: {Counter(type(each).__name__ for each in QApplication.allWidgets())}")
        kinds = Counter(type(each).__name__ for each in shiboken6.getAllValidWrappers() if isinstance(each, QObject))
        print(f"window {self.windows} closed; {sum(kinds.values())} objects: {dict(kinds.most_common(6))}", flush=True)
        if children := list_children():
            self.fault(f"processes left: {children}")
        if self.number >= self.count:
            QApplication.instance().quit()

    def report(self) -> int:
        """Print the stalls and the faults; return the exit code."""
        worst = sorted(self.heart.stalls, reverse=True)
        load = os.getloadavg()[0]
        print(f"{self.number} events, {self.windows} windows, {self.jobs_started()} {dict(self.kinds)}")
        print(
            f"stalls above {SHOWN_STALL_S} s: {len(worst)}; load {load:.1f}. The longest on the wall, and of processor:"
        )
        for wall, worked, where in worst[:12]:
            print(f"    {wall:.2f} s, {worked:.2f} s: {where}")
        for wall, worked, where in worst:
            if worked > MAX_STALL_S:
                self.fault(f"event loop waited {wall:.2f} s, {worked:.2f} s of work: {where}")
        print(f"faults: {dict(self.faults) or 'none'}", flush=True)
        return 1 if self.faults else 0

    def jobs_started(self) -> str:
        return f"jobs {dict(JobStarter.started)}"


def list_children() -> list[int]:
    """Return the processes that this one started and that still live."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.append(int(entry.parent.name))
    return found


def main() -> int:
    """Play one piece."""
    app = QApplication(sys.argv[:1])
    app.setQuitOnLastWindowClosed(False)
    folder = Path(os.environ["ENGRAM_EVENTS"])
    theme.apply(app, "dark")
    piece = Piece(folder, int(sys.argv[1]), int(sys.argv[2]))
    sys.excepthook = lambda *error: piece.fault("".join(traceback.format_exception(*error)))
    threading.excepthook = lambda args: piece.fault("".join(traceback.format_exception(args.exc_value)))
    sys.unraisablehook = lambda args: piece.fault("".join(traceback.format_exception(args.exc_value)))

    def hear(kind: QtMsgType, _context: object, text: str) -> None:
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) and not any(each in text for each in HARMLESS):
            piece.fault(f"Qt: {text}\n{''.join(traceback.format_stack(limit=6))}\nQt: {text}")

    qInstallMessageHandler(hear)
    replace_dialogs(folder, piece.files)
    piece.step()
    app.exec()
    return piece.report()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
