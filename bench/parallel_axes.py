"""How long parallel axes take with 500 trials: a new picture, a brush being drawn, a line being pointed at.

python bench/parallel_axes.py [--lines 500] [--axes 7]
"""

import argparse
import os
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui import theme
from gui.widgets.parallel.model import Lines, ParallelAxis
from gui.widgets.parallel.widget import ParallelCoordinates

ROUNDS = 200


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lines", type=int, default=500)
    options.add_argument("--axes", type=int, default=7)
    chosen = options.parse_args()
    app = QApplication([])
    theme.apply(app, "dark")
    view = filled(chosen.lines, chosen.axes)
    print(f"{chosen.lines} lines over {chosen.axes} axes, 1000 x 320 px; milliseconds in the middle and at 95 %")
    for name, act in (("new picture", redrawn), ("brush", brushed), ("point at a line", pointed)):
        took_ms = [act(view, turn) for turn in range(ROUNDS)]
        print(f"{name:18} {np.median(took_ms):6.1f} {np.percentile(took_ms, 95):6.1f}")


def filled(lines, axes):
    rng = np.random.default_rng(0)
    values = rng.random((lines, axes))
    values[:, 1] = rng.integers(3, size=lines)
    specs = [ParallelAxis(f"a{n}", f"setting {n}") for n in range(axes - 1)] + [ParallelAxis("score", "val MSE")]
    view = ParallelCoordinates()
    view.resize(1000, 320)
    view.show()
    QTest.qWaitForWindowExposed(view)
    view.show_lines(specs, Lines(tuple(map(str, range(lines))), values, np.zeros(lines, np.int8), "score"))
    view.repaint()
    return view


def redrawn(view, turn):
    view.clear_brushes()
    return timed(view, view.refresh)


def brushed(view, turn):
    """One move of the mouse while a brush is drawn, and the picture that follows."""
    if turn == 0:
        QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=at(view, "a2", 0.1))
    place = 0.3 + 0.6 * abs(np.sin(turn / 20))
    took = timed(view, lambda: QTest.mouseMove(view, at(view, "a2", place)))
    if turn == ROUNDS - 1:
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=at(view, "a2", place))
        view.clear_brushes()
    return took


def pointed(view, turn):
    frame = view.frame()
    x = round(frame.x("a3") + frame.step() * (0.2 + 0.6 * (turn % 10) / 10))
    return timed(view, lambda: QTest.mouseMove(view, QPoint(x, round(60 + turn))))


def at(view, key, place):
    frame = view.frame()
    return QPoint(round(frame.x(key)), round(frame.y(place)))


def timed(view, act):
    start = time.perf_counter()
    act()
    view.repaint()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
