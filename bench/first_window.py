"""Time from starting the program to what its window first shows, each start in a process of its own.

    python bench/first_window.py [--times 5]

Three starts with an empty home: to the first paint of the window, to an image given as argument, and to the first
phantoms. The clock starts before the interpreter does. Beside the wall clock stand the processor seconds that the
window and the explorer had used by then, which a busy machine changes less. The runs folder, the caches and the
settings are thrown away after each start.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FRAMEWORKS = ("keras", "tensorflow", "torch", "jax", "pyqtgraph", "matplotlib", "scipy")
WAIT_S = 60
# What is measured, and the goal in seconds.
STARTS = {"window": 0.7, "image": 2.0, "phantoms": 3.0}
CHILD = """
import os, sys, time
began, what, paths = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
from pathlib import Path
from gui.app import open_window
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication
imported = time.time() - began
app = QApplication.instance() or QApplication(sys.argv[:1])

def shows(window):
    panel = window.current()
    if what == "window":
        return True
    if what == "phantoms":
        return bool(panel.scans.grid.shown()) and panel.scans.grid.isVisible()
    return window.desk.session.selection.image is not None and bool(panel.board.shown())

class Watch(QObject):
    done = False
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and not self.done and window is not None and shows(window):
            self.done = True
            QTimer.singleShot(0, report)
        return False

def processor_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

def report():
    engine = window.desk.session.explorer.engine
    other = processor_s(engine.pid) if engine and os.path.exists(f"/proc/{engine.pid}/stat") else float("nan")
    print(time.time() - began, time.process_time(), other, imported, *[n for n in FRAMEWORKS if n in sys.modules])
    sys.stdout.flush()
    window.close()
    app.quit()

window, watch = None, Watch()
app.installEventFilter(watch)
window = open_window([Path(path) for path in paths])
QTimer.singleShot(WAIT_MS, app.quit)
app.exec()
"""


def measure(what: str, picture: Path) -> tuple[list[float], list[str]]:
    """Return wall seconds, processor seconds of the window and of the explorer, those of the imports; frameworks."""
    with tempfile.TemporaryDirectory() as folder:
        places = {"ENGRAM_RUNS": f"{folder}/runs", "ENGRAM_CACHE": f"{folder}/cache", "XDG_CONFIG_HOME": folder}
        environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, **places, "PYTHONPATH": str(ROOT)}
        child = CHILD.replace("WAIT_MS", str(1000 * WAIT_S)).replace("FRAMEWORKS", repr(FRAMEWORKS))
        paths = [str(picture)] if what == "image" else []
        command = [sys.executable, "-c", child, str(time.time()), what, *paths]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    if not done.stdout:
        sys.exit(f"The window showed no {what} within {WAIT_S} s. {done.stderr}")
    words = done.stdout.split()
    return [float(word) for word in words[:4]], words[4:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5, help="starts of each kind; the median counts")
    parser.add_argument("--only", choices=STARTS, help="one kind of start only")
    options = parser.parse_args()
    starts = [options.only] if options.only else list(STARTS)
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "head.png"
        _write_picture(picture)
        measure(starts[-1], picture)  # warms the disk
        rounds = [{what: measure(what, picture) for what in starts} for _ in range(options.times)]
    print(f"{'':10}{'wall s':>8}  {'lowest to highest':>18}{'window CPU s':>14}{'explorer CPU s':>16}{'goal s':>8}")
    for what in starts:
        wall, own, other, _ = zip(*(each[what][0] for each in rounds), strict=True)
        spread = f"{min(wall):.2f} to {max(wall):.2f}"
        medians = [statistics.median(values) for values in (wall, own, other)]
        print(f"{what:10}{medians[0]:8.2f}  {spread:>18}{medians[1]:14.2f}{medians[2]:16.2f}{STARTS[what]:8.1f}")
    imported = statistics.median(each[starts[0]][0][3] for each in rounds)
    print(f"imports alone {imported:.2f} s, frameworks imported: {', '.join(rounds[0][starts[0]][1]) or 'none'}")


def _write_picture(file: Path) -> None:
    """Write a phantom as a PNG file."""
    sys.path.insert(0, str(ROOT))
    from PIL import Image

    from engine.data.phantom import phantom

    Image.fromarray((phantom(256, 0, 0).image * 255).astype("uint8")).save(file)


if __name__ == "__main__":
    main()
