"""How far data walk through the app: requests, calls of our own functions, and redraws of the plots.

    python bench/data_walk.py RUN [--epochs 8]

A real window with its two engine processes, phantoms, and one trained run. Two walks are counted with sys.setprofile,
in the process of the window:

scan    from the drop of an image file to its reconstruction on screen: requests sent to the explorer, and calls
epoch   from the engine's line with the metrics of an epoch to its point on the curves: calls, and redraws of each plot

A call is that of a named function whose file lies in gui/ or engine/. Left out is what Qt calls by itself, its virtual
methods (paintEvent, data, sizeHint), and what a clock starts (POLLS), with all below them, because how often they come
depends on the machine. Of the panel's refresh only the part that leads to the curves is counted; the whole refresh,
with the table, the previews and the log, is printed below. "Functions" counts each function once, however often it is
called. The first epoch is not counted.
"""

import argparse
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path

from live_window import ROOT, main, opened, tell_machine, wait

OWN = tuple(str(ROOT / room) + "/" for room in ("gui", "engine"))
SETTINGS = {"source": "phantom", "phantom_count": 48, "size": 32, "filters": (8, 16), "latent": 8, "batch_size": 8}
TARGETS = {"requests": 1, "calls of a scan": 90, "calls of an epoch": 40, "redraws": 1}
MOST_SHOWN = 12
LINE, REFRESH, CURVES, REDRAW = "_event", "TrainPanel.refresh", "CurvesCard.show_runs", "CurvePlot._redraw"
# What timers start again and again: the memory of the engines, a look into the folder of the runs.
POLLS = {"StatusBar.show_memory", "RunRepository.refresh"}
# Parts of the panel's refresh that do not lead to the curves.
ASIDE = {"RunsCard.refresh", "PreviewsCard.show_run", "LogCard.show_run"}


class Tracer:
    """Passes on each call of our own named functions, with what called it, as `on_call(name, path, frame)`.

    `path` holds the qualified names of the functions that are running, outermost first.
    """

    def __init__(self, on_call) -> None:
        self._on_call, self._path = on_call, []

    def __enter__(self) -> "Tracer":
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _note(self, frame, event: str, _: object) -> None:
        code = frame.f_code
        if event not in ("call", "return") or not code.co_filename.startswith(OWN) or code.co_name.startswith("<"):
            return
        if event == "call":
            self._path.append(code.co_qualname)
            if self._path[0] not in POLLS and not any(map(is_virtual, self._path)):
                self._on_call(code.co_qualname, self._path, frame)
        elif self._path:
            self._path.pop()


def is_virtual(name: str) -> bool:
    """Return whether a function has a name of Qt's style, as its virtual methods have."""
    own = name.rpartition(".")[2]
    return own in ("paint", "event", "data", "flags", "index", "parent") or (own[0].islower() and own != own.lower())


class EpochWalk:
    """Counts the calls and redraws of each epoch: those of its line, then those of the refresh that shows it."""

    def __init__(self) -> None:
        self.epochs: list[EpochCount] = []
        self._line: Counter[str] = Counter()
        self._shown: EpochCount | None = None

    def note(self, name: str, path: list[str], frame) -> None:
        from engine.messages import EpochEnded

        if name == LINE:
            self._line = Counter()
        if name == REFRESH and len(path) == 1:
            waiting = self.epochs and not self.epochs[-1].refresh
            self._shown = self.epochs[-1] if waiting else None
        if path[0] == REFRESH:
            if self._shown:
                self._shown.add(name, path, frame)
        else:
            self._line[name] += 1
        if name == "RunRecord.apply" and isinstance(frame.f_locals["event"], EpochEnded):
            self.epochs.append(EpochCount(self._line))


class EpochCount:
    """The calls of one epoch; `line` goes on to count while its line is being worked on."""

    def __init__(self, line: Counter[str]) -> None:
        self.line, self.curves, self.refresh, self.redraws = line, Counter(), Counter(), Counter()

    def add(self, name: str, path: list[str], frame) -> None:
        self.refresh[name] += 1
        if not ASIDE & set(path):
            self.curves[name] += 1
        if name == REDRAW:
            self.redraws[frame.f_locals["self"].y_label] += 1


def measure(chosen: argparse.Namespace) -> None:
    window, panel = opened(chosen.data, "compare", lambda panel: panel.board.shown() is not None)
    explorer = window.desk.session.explorer
    wait(lambda: not explorer.pending_kinds() and not panel._soon.isActive())  # the metrics of the runs are measured
    tell_machine()
    with tempfile.TemporaryDirectory() as folder:
        calls, requests = walk_scan(window, panel, write_scan(Path(folder) / "scan.png"))
    epochs = [each for each in walk_epochs(window, chosen.epochs)[1:] if each.refresh]
    if not epochs:
        sys.exit("No epoch was shown by a refresh of its own.")
    curves = [each.line + each.curves for each in epochs]
    redraws = Counter(count for each in epochs for count in each.redraws.values())
    tell_count("requests", len(requests), ", ".join(requests))
    tell_count("calls of a scan", calls.total(), f"{len(calls)} functions")
    per_epoch, functions = (statistics.median(map(count, curves)) for count in (Counter.total, len))
    tell_count("calls of an epoch", per_epoch, f"{functions:g} functions, {len(epochs)} epochs")
    tell_count("redraws", max(redraws), "of a plot, most in an epoch")
    whole = statistics.median((each.line + each.refresh).total() for each in epochs)
    print(f"{'calls with the whole refresh':<30}{whole:>7g}")
    tell_names("scan", calls)
    tell_names("epoch", curves[-1])
    window.close()


def tell_count(what: str, count: float, remark: str = "") -> None:
    print(f"{what:<30}{count:>7g}   at most {TARGETS[what]:>3}   {remark}")


def tell_names(what: str, calls: Counter[str]) -> None:
    print(f"\nmost called, {what}:")
    for name, count in calls.most_common(MOST_SHOWN):
        print(f"  {count:>5}  {name}")


def write_scan(path: Path) -> Path:
    """Write a phantom as an image file."""
    from PIL import Image

    from engine.config import DataConfig
    from engine.data import load

    images = load(config=DataConfig(source="phantom", phantom_count=24, size=128)).splits["test"].read([0])
    Image.fromarray((images[0, ..., 0] * 255).astype("uint8")).save(path)
    return path


def walk_scan(window, panel, path: Path) -> tuple[Counter[str], list[str]]:
    """Drop a file and wait until its reconstruction is shown; return the calls and the requests."""
    from gui.opened_files import classify

    calls, requests, shown, ended = Counter(), [], [], []

    def note(name: str, path: list[str], frame) -> None:
        if shown and len(path) == 1:
            ended.append(True)
        if not ended:
            calls[name] += 1
        if name == "EngineProcess.send":
            requests.append(frame.f_locals["message"].command)
        if name == "ComparisonView.show_pictures" and panel.gallery.scan is not None:
            shown.append(True)

    with Tracer(note):
        window.open_drop(classify([path]))
        wait(lambda: bool(shown))
    return calls, requests


def walk_epochs(window, epochs: int) -> list[EpochCount]:
    """Train a small run in view; return the counts of its epochs."""
    from engine import config

    panel, walk = window.show_panel("train"), EpochWalk()
    record = window.desk.session.start(config.from_flat({**SETTINGS, "epochs": epochs}))
    panel.choose([record.name])
    with Tracer(walk.note):
        wait(lambda: record.ended is not None and not panel._soon.isActive())
    return walk.epochs


if __name__ == "__main__":
    main(measure, __doc__, ("epochs", 8))
