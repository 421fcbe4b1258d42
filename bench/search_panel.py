"""The longest gap in the window's event loop while a search of many trials is looked at and goes on.

    python bench/search_panel.py [--trials 500] [--turns 12]

The real Search panel and a real explorer process; the ledger is written here, over the settings of Table 1 and three
more, two of them words. Of the search being opened, and of a trial ending while it is looked at: the longest gap, and
the most that the loop's thread worked between two beats, which is what a quiet machine's gap would be.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from live_window import ROOT, Beat, pause, tell, tell_machine, wait

SPACE = {
    "learning_rate": {"low": 1e-5, "high": 1e-2, "log": True},
    "latent": {"low": 16, "high": 512},
    "batch_size": [16, 32, 64],
    "epochs": [20, 30, 40],
    "activation": ["relu", "elu", "gelu"],
    "filters": [[32, 64], [16, 32], [32, 64, 128]],
    "weight_decay": {"low": 1e-6, "high": 1e-2, "log": True},
}
NAME = "bench"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--trials", type=int, default=500)
    options.add_argument("--turns", type=int, default=12)
    chosen = options.parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = folder
        measure(Path(folder), chosen)


def measure(folder: Path, chosen: argparse.Namespace) -> None:
    from gui.panels.search import SearchPanel

    add = written(folder / "runs", chosen.trials)
    panel, session = shown(SearchPanel, folder)
    ready: list[object] = []
    session.explorer.ready.connect(ready.append)
    session.warm_up("tensorflow")
    wait(lambda: bool(ready))
    print(f"{chosen.trials} trials over {len(SPACE)} settings")
    tell_machine()
    told = [gap(panel, lambda: panel.open(NAME))]
    tell_gaps("search opened", told)
    told = [gap(panel, lambda: (add(), panel.watch.poll())) for _ in range(chosen.turns)]
    tell_gaps("a trial ends", told)
    session.close()


def tell_gaps(what: str, told: list[tuple[float, float]]) -> None:
    for name, values in zip(("longest gap", "of that loop's own work"), zip(*told, strict=True), strict=True):
        tell(f"{what}, {name}", list(values), "times")
        print()


def gap(panel, act) -> tuple[float, float]:
    """Do something; the longest gap until all is shown, and the most work in one."""
    beat = Beat(panel)
    pause(50)
    beat.gaps.clear()
    beat.worked.clear()
    act()
    pause(100)
    wait(lambda: bool(panel.importance.bars.effects()))
    pause(400)
    beat.end()
    return max(beat.gaps), max(beat.worked)


def shown(kind, folder: Path):
    from PySide6.QtGui import QUndoStack
    from PySide6.QtWidgets import QApplication

    from gui import theme
    from gui.panel import AppContext
    from gui.preferences import Preferences
    from gui.session import Session

    app = QApplication.instance() or QApplication(sys.argv[:1])
    theme.apply(app, "dark")
    (folder / "scratch").mkdir()
    session = Session(folder / "runs", folder / "scratch")
    session.open(folder / "runs")
    panel = kind(AppContext(session, QUndoStack(session), Preferences(theme="dark")))
    panel.app = app
    panel.resize(1440, 860)
    panel.show()
    return panel, session


def written(root: Path, count: int):
    """Write a search of so many finished trials; return a function that ends one more."""
    from engine import config
    from engine.messages import Search
    from engine.search import folder, space, space_file

    base = config.from_flat({})
    order = Search(name=NAME, root=str(root), base=base, space=SPACE, settings={"trials": 2 * count})
    search = folder.prepare_folder(order)
    points, rng = space_file.parse(SPACE, base), np.random.default_rng(0)
    ledger = search.open_storage()

    def add() -> None:
        values = points.sample(rng)
        row = ledger.add_trial(space.config_key(values, base), values, "search", {})
        if row is not None:
            loss = 0.01 * np.exp(0.1 * rng.standard_normal() - points.features(values)[0])
            ledger.update_trial(row.number, state="finished", score=float(loss), best_epoch=20, epochs=20, seconds=60.0)

    ledger._connection.execute("PRAGMA synchronous = OFF")
    for _ in range(count):
        add()
    return add


if __name__ == "__main__":
    main()
