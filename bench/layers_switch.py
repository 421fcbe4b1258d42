"""Time from a key to the painted picture in the Layers panel: the real panel, a real engine process, one run.

    python bench/layers_switch.py RUN [--data SOURCE] [--keys 100]

Four numbers: an arrow to the next channel, until that channel is painted large; '.' and ',' from layer to layer, back
and forth as one looks around, until the first channel of that layer is painted; '.' held through the whole network as
fast as the pictures come, where nothing has been asked for ahead; and the longest time in which the window's event loop
did not turn meanwhile.
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
THINK_MS = 400


class Watch:
    """Notes when the large picture of a layer and channel was painted."""

    def __init__(self, panel) -> None:
        self.panel, self.painted = panel, None
        panel.cards.channel.view.add_overlay(self._on_painted)

    def time_ms(self, key) -> float:
        """Press a key; how long until what it leads to is painted."""
        from PySide6.QtTest import QTest

        self.painted, start = None, time.perf_counter()
        QTest.keyClick(self.panel.cards.mosaic.mosaic, key)
        wait(lambda: self.painted is not None)
        return (self.painted - start) * 1e3

    def _on_painted(self, painter) -> None:
        seen, choice = self.panel.showing.seen, self.panel.choice
        if seen is not None and seen.look.layer == choice.layer and self.painted is None:
            self.painted = time.perf_counter()


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
    options.add_argument("--keys", type=int, default=100)
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
    from PySide6.QtCore import Qt
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
    panel = window.show_panel("layers")
    wait(lambda: panel.showing.seen is not None)
    wait(lambda: bool(ready))
    layers = len(panel.showing.network.layers)
    load = os.getloadavg()[0]
    print(f"{chosen.run.name}, {layers} layers, {len(panel.choice.scans)} scans of {chosen.data}, 128 x 128")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {load:.1f} at the start")
    watch, beat = Watch(panel), Beat(window)
    point, comma = Qt.Key.Key_Period, Qt.Key.Key_Comma
    order = panel.cards.mosaic.mosaic.channels.order
    panel.doing.choose_channel(order[len(order) // 2])  # there is one at either side
    tell("from channel to channel", around(watch, (Qt.Key.Key_Right, Qt.Key.Key_Left), chosen.keys, 20))
    through = [watch.time_ms(point) for _ in range(len(panel.showing.network.groups) - 1)]
    tell("straight through the network, as fast as pictures come", through)
    tell(f"from layer to layer, {THINK_MS} ms between keys", around(watch, (comma, comma, point, point), chosen.keys))
    print(f"longest gap of the event loop: {max(beat.gaps):.0f} ms")
    window.close()


def around(watch: Watch, keys, count: int, think_ms: int = THINK_MS) -> list[float]:
    """Press keys in turn, with a pause before each."""
    found = []
    for number in range(count):
        pause(think_ms)
        found.append(watch.time_ms(keys[number % len(keys)]))
    return found


def tell(what: str, waits_ms: list[float]) -> None:
    waits = sorted(waits_ms)
    most = waits[min(int(len(waits) * 0.95), len(waits) - 1)]
    print(f"{what}: median {statistics.median(waits):.0f} ms, 95 % {most:.0f} ms, worst {waits[-1]:.0f} ms", end=" ")
    print(f"({len(waits)} keys)")


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
