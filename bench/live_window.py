"""A real window over one run, as the benches of panels open it, and how they wait in it and tell what they found."""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LONG_S = 240.0


class Beat:
    """The gaps between beats of the window's event loop, and for how much of each its thread had the processor (ms).

    On a busy machine the first are long whatever the window does; the second are its own.
    """

    def __init__(self, parent) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.gaps, self.worked = [], []
        self._last, self._last_worked = time.perf_counter(), time.thread_time()
        self._timer = QTimer(parent, interval=5)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_beat)
        self._timer.start()

    def _on_beat(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.gaps.append((now - self._last) * 1e3)
        self.worked.append((worked - self._last_worked) * 1e3)
        self._last, self._last_worked = now, worked

    def end(self) -> None:
        self._timer.stop()


def main(
    measure: Callable[[argparse.Namespace], None],
    about: str,
    turns: tuple[str, int],
    add_options: Callable[[argparse.ArgumentParser], object] = lambda parser: None,
) -> None:
    """Measure with the options of the command line, in a folder of runs that holds this one alone."""
    options = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("run", type=Path, help="folder of a run")
    options.add_argument("--data", default="phantom", help="source of the scans")
    options.add_argument(f"--{turns[0]}", type=int, default=turns[1])
    add_options(options)
    chosen = options.parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        runs.mkdir()
        (runs / chosen.run.name).symlink_to(chosen.run.absolute())
        os.environ |= {"XDG_CONFIG_HOME": folder, "ENGRAM_RUNS": str(runs)}
        measure(chosen)


def opened(data: str, key: str, seen: Callable):
    """Return the window and its panel, once `seen(panel)` and both engines are ready."""
    from PySide6.QtWidgets import QApplication

    from gui import theme
    from gui.app import make_window
    from gui.preferences import SettingsStore

    app = QApplication.instance() or QApplication(sys.argv[:1])
    theme.apply(app, "dark")
    memory = SettingsStore()
    memory.set("data", {"source": data, "size": 128, "fit": "squash"})
    window = make_window(memory)
    window.app = app  # lives as long as its window
    window.resize(1440, 900)
    window.show()
    session, ready = window.desk.session, []
    session.engine_ready.connect(ready.append)  # of the second engine, which is warmed up after the first
    window.start()
    wait(lambda: session.data is not None and bool(session.runs.records))
    panel = window.show_panel(key)
    wait(lambda: seen(panel))
    wait(lambda: bool(ready))
    return window, panel


def tell_machine() -> None:
    load = os.getloadavg()[0]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {load:.1f} at the start")


def tell(what: str, waits_ms: list[float], turns: str) -> None:
    waits = sorted(waits_ms)
    most = waits[min(int(len(waits) * 0.95), len(waits) - 1)]
    print(f"{what}: median {statistics.median(waits):.0f} ms, 95 % {most:.0f} ms, worst {waits[-1]:.0f} ms", end=" ")
    print(f"({len(waits)} {turns})")


def pause(ms: int) -> None:
    from PySide6.QtTest import QTest

    QTest.qWait(ms)


def wait(ready) -> None:
    """Let the window work until it is ready, without taking time from the engine."""
    from PySide6.QtCore import QEventLoop, QTimer

    end, loop = time.monotonic() + LONG_S, QEventLoop()
    look = QTimer(interval=3)
    look.timeout.connect(lambda: loop.quit() if ready() or time.monotonic() > end else None)
    look.start()
    loop.exec()
    if not ready():
        sys.exit("The window did not get ready in time.")
