"""Time to draw a map of 3,068 points, to zoom it, to hover a point, to draw a lasso, and to end it.

python bench/scatter_plot.py [--points 3068] [--csv FILE]
"""

import argparse
import os
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui import theme
from gui.pixmaps import image_of
from gui.widgets.scatter.model import Mark, Scatter
from gui.widgets.scatter.widget import ScatterPlot

ROUNDS = 200


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--points", type=int, default=3068)
    options.add_argument("--csv", help="points of a map as the Latent panel exports them")
    chosen = options.parse_args()
    app = QApplication([])
    theme.apply(app, "dark")
    plot = filled(read(chosen.csv) if chosen.csv else drawn(chosen.points))
    count = len(plot.scatter.points)
    print(f"{count} points, 930 x 420 px; milliseconds in the middle and at 95 %")
    for name, act in ACTIONS.items():
        took_ms = [act(plot, turn) for turn in range(ROUNDS)]
        print(f"{name:18} {np.median(took_ms):6.1f} {np.percentile(took_ms, 95):6.1f}")


def drawn(count):
    rng = np.random.default_rng(0)
    groups = rng.integers(4, size=count)
    return rng.normal(size=(count, 2)) + np.stack([groups, groups % 2], axis=1), groups


def read(path):
    with open(path, encoding="utf-8") as file:
        rows = [line.split(",") for line in file if not line.startswith(("#", "x,"))]
    labels = [row[-4] for row in rows]
    names = sorted(set(labels))
    return np.array([[float(row[0]), float(row[1])] for row in rows]), np.array([names.index(each) for each in labels])


def filled(points):
    picture = np.random.default_rng(1).integers(0, 256, (128, 128), dtype=np.uint8)
    marks = [
        Mark(f"class {n}", f"series:{n}", shape) for n, shape in enumerate(("circle", "square", "triangle", "diamond"))
    ]
    plot = ScatterPlot()
    plot.preview = lambda at: (image_of(picture), [f"scan {at}", "class 1 · train", "MSE 0.003"])
    plot.resize(930, 420)
    plot.show()
    QTest.qWaitForWindowExposed(plot)
    plot.show_points(Scatter(points[0], points[1], tuple(marks), ("component 1", "component 2")))
    plot.lassoed.connect(plot.select)
    plot.canvas.viewport().repaint()
    return plot


def redrawn(plot, turn):
    return timed(plot, plot.refresh)


def zoomed(plot, turn):
    return timed(plot, lambda: plot.canvas.zoom(0.8 if turn % 2 else 1.25, QPointF(460, 200)))


def pointed(plot, turn):
    at = plot.canvas.to_widget(plot.scatter.points[[turn * 7 % len(plot.scatter.points)]])[0]
    return timed(plot, lambda: QTest.mouseMove(plot, QPoint(round(at[0]), round(at[1]))))


def lassoed(plot, turn):
    if turn == 0:
        QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=corner(0))
    return timed(plot, lambda: QTest.mouseMove(plot, corner(turn + 1)))


def ended(plot, turn):
    """Let go of a lasso of 100 corners, and draw what it took."""
    if turn:
        QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=corner(0))
    for step in range(100 if turn else 0):
        QTest.mouseMove(plot, corner(step * 2 + 1))
    return timed(plot, lambda: QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=corner(200)))


def corner(step):
    angle = 2 * np.pi * step / 200
    return QPoint(round(460 + 150 * np.cos(angle)), round(200 + 150 * np.sin(angle)))


def timed(plot, act):
    start = time.perf_counter()
    act()
    plot.canvas.viewport().repaint()
    return (time.perf_counter() - start) * 1000


ACTIONS = {"new picture": redrawn, "zoom": zoomed, "point": pointed, "draw a lasso": lassoed, "end a lasso": ended}

if __name__ == "__main__":
    main()
