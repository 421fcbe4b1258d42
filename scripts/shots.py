"""Take pictures of every panel, dark and light, at 1440 x 900 and at scale 1.5.

    python scripts/shots.py [--out docs/images] [--data SOURCE] [--runs DIR] [--theme dark] [--scale 1.5]
        [--size 1024x700] [--panel layers]

What is committed shows phantoms and the ready-made runs. Each scale needs a process of its own, which this starts.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
THEMES, SCALES = ("dark", "light"), (1.0, 1.5)
WAIT_S = 240
# A lesion that everyone sees: its pixels, and its mean intensity above the ring around it.
LESION_PX, LESION_CONTRAST = 120, 0.25


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder of the pictures")
    options.add_argument("--data", default="", help="source of the scans; those of the ready-made runs when left out")
    options.add_argument("--runs", type=Path, help="folder of the runs; the ready-made ones when left out")
    options.add_argument("--theme", choices=THEMES, help="one theme instead of both")
    options.add_argument("--scale", type=float, help="one scale instead of both")
    options.add_argument("--size", default="1440x900", help="width and height of the window, in pixels at scale 1")
    options.add_argument("--panel", default="", help="key of one panel instead of all")
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    if chosen.theme and chosen.scale and os.environ.get("QT_SCALE_FACTOR") == str(chosen.scale):
        shoot(chosen)
        return
    for theme in [chosen.theme] if chosen.theme else THEMES:
        for scale in [chosen.scale] if chosen.scale else SCALES:
            command = [sys.executable, __file__, "--out", str(chosen.out), "--data", chosen.data, "--theme", theme]
            command += ["--scale", str(scale), *(["--runs", str(chosen.runs)] if chosen.runs else [])]
            command += ["--size", chosen.size, "--panel", chosen.panel]
            environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, "QT_SCALE_FACTOR": str(scale)}
            subprocess.run(command, env=environment, check=True)


def shoot(chosen: argparse.Namespace) -> None:
    """Open the window, go through its panels, and take a picture of each when it has something to show."""
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = folder
        os.environ["ENGRAM_RUNS"] = str(chosen.runs.absolute() if chosen.runs else Path(folder) / "runs")
        photograph(chosen, Path(folder))


def photograph(chosen: argparse.Namespace, folder: Path) -> None:
    from PySide6.QtWidgets import QApplication

    from gui import theme
    from gui.app import make_window
    from gui.first_start import is_first_part
    from gui.preferences import SettingsStore
    from scripts.sample_volumes import write_case

    app = QApplication(sys.argv[:1])
    theme.apply(app, chosen.theme)
    memory = SettingsStore()
    if chosen.data:
        memory.set("data", {"source": chosen.data})
    window = make_window(memory)
    window.showNormal()
    window.start()
    window.resize(*map(int, chosen.size.split("x")))
    session = window.desk.session
    # On a first start the phantoms come in parts.
    wait(lambda: session.data is not None and not is_first_part(session.data.config) and bool(session.runs.records))
    # The volume last: from then on the other panels show a slice of it.
    for key in [chosen.panel] if chosen.panel else sorted(window.places, key="scan".__eq__):
        panel = window.show_panel(key)
        if key == "scan":
            write_case(folder, number=3, finer=3)
            panel.open_volume(str(next(folder.glob("*/*_t2.nii.gz"))))
        wait(READY[key].__get__(panel))
        save(window, key, chosen)
        if key == "denoise" and not chosen.data:
            session.selection.set_run("demo-vae")
            mark_lesion(panel)
            wait(lambda panel=panel: READY["denoise"](panel) and bool(panel.results.keeping.found))
            save(window, "lesion", chosen)
    window.close()


def save(window: Any, name: str, chosen: argparse.Namespace) -> None:
    """Write a picture of the window."""
    scale = "" if chosen.scale == 1 else f"-{chosen.scale:g}x"
    path = chosen.out / f"{name}-{chosen.theme}{scale}.png"
    print(path, "written" if window.grab().save(str(path)) else "could not be written")


def is_clear(head: Any) -> bool:
    """Return whether everyone sees the lesion of a phantom."""
    from engine import lesions

    if head.label != "meningioma_tumor" or head.plane != "axial" or head.mask.sum() < LESION_PX:
        return False
    return lesions.retention(head.image, head.image, head.mask).before > LESION_CONTRAST


def mark_lesion(panel: Any) -> None:
    """Show the main job: a test phantom with a clear lesion, which is marked by its known outline."""
    import numpy as np

    from engine import lesions
    from engine.data.phantom import phantom
    from gui.panel import ShowImage
    from gui.widgets.region.region import Region

    data = panel.session.data
    names = [data.names[int(row)] for row in data.rows("test")]
    heads = (phantom(data.config.size, data.config.phantom_seed, int(name.rpartition("-")[2])) for name in names)
    place, head = next((place, head) for place, head in enumerate(heads) if is_clear(head))
    panel.navigate(ShowImage("test", place))
    rows, columns = np.nonzero(head.mask)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    corners = np.array(lesions.trace(head.mask[box[1] : box[3], box[0] : box[2]]))
    points = (box[:2] + corners * (box[2:] - box[:2])) / data.config.size
    panel.regions.change(Region("polygon", tuple(map(tuple, points.tolist()))), "draw lesion")


def wait(ready: Callable[[], bool]) -> None:
    """Let the window work until it is ready, and a moment longer for what comes with it."""
    from PySide6.QtTest import QTest

    end = time.monotonic() + WAIT_S
    while not ready():
        if time.monotonic() > end:
            sys.exit("The window did not get ready in time.")
        QTest.qWait(50)
    QTest.qWait(700)


READY = {
    "data": lambda panel: bool(panel.scans.grid.shown()),
    "scan": lambda panel: panel.volume is not None,
    "train": lambda panel: bool(panel.session.runs.records) and panel.previews.epoch() is not None,
    "search": lambda panel: True,
    "layers": lambda panel: bool(panel.counting.numbers(panel.choice.run, panel.choice.layer)[0]),
    "compare": lambda panel: panel.board.shown() is not None and bool(panel.runs.records()),
    "latent": lambda panel: panel.exploration.scene is not None,
    "denoise": lambda panel: not panel.experiment.pending_methods() and panel.experiment.curve is not None,
    "report": lambda panel: True,
}

if __name__ == "__main__":
    main()
