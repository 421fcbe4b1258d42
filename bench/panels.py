"""The longest turn of the window's event loop as panels are first visited, visited again, and change their theme.

    python bench/panels.py [--rounds 3] [--no-engines]

The real window over the demo runs and phantoms. The first number is the most that the loop's thread worked between two
beats, which is what a quiet machine's longest gap would be; the second is all that it worked until the panel was quiet.
A first visit imports and builds the panel; all panels are built before the theme changes.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time

from live_window import ROOT, Beat, pause, tell_machine, wait

GOAL_MS = 100
QUIET_MS = 400


def work(window, act) -> tuple[float, float]:
    """Do something; return the most and all that the loop's thread worked (ms)."""
    beat = Beat(window)
    pause(30)
    beat.worked.clear()
    beat._last_worked = time.thread_time()
    act()
    pause(QUIET_MS)
    beat.end()
    return max(beat.worked), sum(beat.worked)


def open_started(engines: bool):
    from PySide6.QtWidgets import QApplication

    from gui import theme
    from gui.app import PanelImporter, make_window
    from gui.preferences import SettingsStore

    app = QApplication.instance() or QApplication(sys.argv[:1])
    theme.apply(app, "dark", by_parts=True)
    window = make_window(SettingsStore())
    window.app = app
    window.resize(1440, 900)
    window.show()
    ready: list[object] = []
    window.desk.session.engine_ready.connect(ready.append)
    if engines:
        window.start()
        wait(lambda: window.desk.session.data is not None and bool(ready))
    else:
        window._install_demo()
        window.open_runs()
    # What the idle window does ahead.
    importer = PanelImporter(["pyqtgraph", *(place.module for place in window.places.values())], window, delay_ms=0)
    imported: list[bool] = []
    importer.finished.connect(lambda: imported.append(True))
    wait(lambda: bool(imported))
    return window


def measure(rounds: int, engines: bool) -> None:
    window = open_started(engines)
    tell_machine()
    keys = [key for key in window.places if key != "data"]
    visits = {key: work(window, lambda key=key: window.show_panel(key)) for key in keys}
    again = {key: work(window, lambda key=key: window.show_panel(key)) for key in keys}
    print(f"{'panel':10}{'first visit, longest turn ms':>30}{'in all ms':>12}{'second visit, longest turn ms':>32}")
    for key in keys:
        mark = "" if visits[key][0] <= GOAL_MS else " *"
        print(f"{key:10}{visits[key][0]:28.0f}{mark:2}{visits[key][1]:12.0f}{again[key][0]:32.0f}")
    print(f"{'panel':10}{'theme, longest turn ms':>30}{'lowest to highest':>22}{'in all ms':>12}")
    for key in window.places:
        window.show_panel(key)
        pause(QUIET_MS)
        found = [work(window, lambda mode=mode: theme_to(window, mode)) for _ in range(rounds) for mode in MODES]
        turns = [one[0] for one in found]
        mark = "" if statistics.median(turns) <= GOAL_MS else " *"
        spread = f"{min(turns):.0f} to {max(turns):.0f}"
        in_all = statistics.median(one[1] for one in found)
        print(f"{key:10}{statistics.median(turns):28.0f}{mark:2}{spread:>22}{in_all:12.0f}")
    print(f"* above the goal of {GOAL_MS} ms")
    window.close()


MODES = "light", "dark"


def theme_to(window, mode: str) -> None:
    window.commands.use_theme(mode)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="changes of the theme, there and back")
    parser.add_argument("--no-engines", action="store_true", help="without data and engines, which take a minute")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        places = {"ENGRAM_RUNS": f"{folder}/runs", "ENGRAM_CACHE": f"{folder}/cache", "XDG_CONFIG_HOME": folder}
        os.environ |= places
        measure(options.rounds, not options.no_engines)


if __name__ == "__main__":
    main()
