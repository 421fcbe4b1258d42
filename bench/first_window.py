"""Time from starting the program to the first picture of its window: median of five, each in a process of its own.

    python bench/first_window.py

The clock starts before the interpreter does. The runs folder and the settings are thrown away afterwards; the second
number is what the imports alone take.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TIMES = 5
FRAMEWORKS = ("keras", "tensorflow", "torch", "jax", "pyqtgraph")
CHILD = """
import sys, time
began = float(sys.argv[1])
from gui.app import FirstPaint, open_window
from PySide6.QtWidgets import QApplication
imported = time.time() - began
app = QApplication(sys.argv[:1])
window = open_window()
def painted():
    print(time.time() - began, imported, *[name for name in {frameworks!r} if name in sys.modules])
    window.close()
    app.quit()
FirstPaint(window, painted)
app.exec()
"""


def measure(environment: dict[str, str]) -> tuple[float, float, list[str]]:
    command = [sys.executable, "-c", CHILD.format(frameworks=FRAMEWORKS), str(time.time())]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    painted, imported, *heavy = done.stdout.split()
    return float(painted), float(imported), heavy


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        places = {"ENGRAM_RUNS": f"{folder}/runs", "ENGRAM_CACHE": f"{folder}/cache", "XDG_CONFIG_HOME": folder}
        environment = {**os.environ, **places}
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
        measure(environment)  # warms the disk
        found = [measure(environment) for _ in range(TIMES)]
    painted = [one[0] for one in found]
    print(f"first picture of the window: median {statistics.median(painted):.2f} s", end=" ")
    print(f"({', '.join(f'{one:.2f}' for one in sorted(painted))})")
    print(f"imports alone:               median {statistics.median(one[1] for one in found):.2f} s")
    print(f"frameworks imported:         {', '.join(found[0][2]) or 'none'}")


if __name__ == "__main__":
    main()
