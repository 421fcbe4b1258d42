"""Time from a move of the noise slider to the painted picture: the real panel, a real engine process, one run.

    python bench/denoise_slider.py RUN [--data SOURCE] [--moves 200]

Three numbers: slider at rest between moves, until the picture of that level is painted; slider dragged without a
pause, 60 moves a second, until a picture of that level or a later one is painted; and the longest time in which the
window's event loop did not turn while it was dragged. The noisy picture alone is there at once: the window draws it.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LONG_S = 240.0
DRAG_MS = 16


class Watch:
    """Notes when the slider was moved to a level and when the picture of that level was painted."""

    def __init__(self, panel) -> None:
        self.panel, self.moved, self.painted = panel, {}, {}
        board = panel.stage.pictures.board
        board.view(board.shown()[-1]).add_overlay(self._on_painted)

    def move(self, level: float) -> None:
        self.moved[level] = time.perf_counter()
        self.panel.case.noise.sigma.set_value(level)

    def _on_painted(self, painter) -> None:
        """The last of the pictures, the difference, has just been painted."""
        self.painted.setdefault(self.panel.experiment.shown[1].sigma, time.perf_counter())

    def waits_ms(self) -> list[float]:
        """For each move, until its picture or that of a later move was painted."""
        order = {level: number for number, level in enumerate(self.moved)}
        shown = sorted((order[level], at) for level, at in self.painted.items() if level in order)
        found = []
        for level, number in order.items():
            later = [at for other, at in shown if other >= number]
            found.append((min(later) - self.moved[level]) * 1e3)
        return found


class Beat:
    """The longest gap between two beats of the window's event loop."""

    def __init__(self, parent) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.gaps, self._last = [], time.perf_counter()
        self._timer = QTimer(parent, interval=5)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_beat)
        self._timer.start()

    def _on_beat(self) -> None:
        now = time.perf_counter()
        self.gaps.append((now - self._last) * 1e3)
        self._last = now


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("run", type=Path, help="folder of a run")
    options.add_argument("--data", default="phantom", help="source of the scans")
    options.add_argument("--moves", type=int, default=200)
    chosen = options.parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        runs.mkdir()
        (runs / chosen.run.name).symlink_to(chosen.run.absolute())
        os.environ |= {"XDG_CONFIG_HOME": folder, "ENGRAM_RUNS": str(runs)}
        measure(chosen)


def measure(chosen: argparse.Namespace) -> None:
    from PySide6.QtWidgets import QApplication

    from gui import theme
    from gui.app import make_window
    from gui.memory import Memory

    app = QApplication(sys.argv[:1])
    theme.apply(app, "dark")
    memory = Memory()
    memory.put("data", {"source": chosen.data, "size": 128, "fit": "squash"})
    window = make_window(memory)
    window.resize(1440, 900)
    window.show()
    session, ready = window.desk.session, []
    session.engine_ready.connect(ready.append)  # of the second engine, which is warmed up after the first
    window.begin()
    wait(lambda: session.data is not None and bool(session.book.records))
    panel = window.show_panel("denoise")
    wait(lambda: panel.experiment.is_current() and not panel.experiment.working() and panel.experiment.curve)
    wait(lambda: bool(ready))
    load = os.getloadavg()[0]
    levels = [round(0.001 + 0.299 * ((number * 0.618034) % 1), 3) for number in range(chosen.moves)]
    print(f"{chosen.run.name}, {panel.case.images.case.count()} scans of {chosen.data}, 128 x 128")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {load:.1f} at the start")
    tell("slider at rest before each move", at_rest(panel, levels))
    beat = Beat(window)
    tell(f"dragged, a move every {DRAG_MS} ms", dragged(panel, levels))
    print(f"longest gap of the event loop while dragged: {max(beat.gaps):.0f} ms")
    window.close()


def at_rest(panel, levels: list[float]) -> list[float]:
    watch = Watch(panel)
    for level in levels:
        if level not in watch.moved:
            watch.move(level)
            wait(lambda level=level: level in watch.painted)
            pause(30)
    return watch.waits_ms()


def dragged(panel, levels: list[float]) -> list[float]:
    watch = Watch(panel)
    for level in sorted(set(levels)):
        watch.move(level)
        pause(DRAG_MS)
    wait(lambda: max(levels) in watch.painted)
    return watch.waits_ms()


def tell(what: str, waits_ms: list[float]) -> None:
    waits = sorted(waits_ms)
    most = waits[min(int(len(waits) * 0.95), len(waits) - 1)]
    print(f"{what}: median {statistics.median(waits):.0f} ms, 95 % {most:.0f} ms, worst {waits[-1]:.0f} ms", end=" ")
    print(f"({len(waits)} moves)")


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


if __name__ == "__main__":
    main()
