"""The longest turn of the window's event loop while 100,000 thumbnails are shown, scrolled and filtered.

    python bench/thumbnails.py [--count 100000] [--side 64] [--steps 300]

The card of the Data panel over phantoms that repeat, in a file as the cache of prepared images has it. The images are
scrolled three rows at a time, a page at a time, and by dragging the bar through all of them; then one class is chosen.
The first number is the most that the loop's thread worked between two beats, which is what a quiet machine's longest
gap would be; the second is the longest gap by the clock, with what other programs took.
"""

import argparse
import os
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np
from live_window import ROOT, Beat, pause, tell_machine

GOAL_MS = 100
CLASSES = ("glioma_tumor", "meningioma_tumor", "no_tumor", "pituitary_tumor")
FRAME_MS = 16


def make_data(folder: Path, count: int, side: int):
    """Write the images of a made-up dataset; return it as the panels know it."""
    from engine.config import DataConfig
    from engine.data.phantom import phantom
    from engine.messages import LoadDataReply, SplitListing
    from gui.loaded_data import read_loaded_data

    few = np.stack([phantom(side, 0, index).image for index in range(64)])
    store = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (count, side, side))
    for start in range(0, count, 64):
        store[start : start + 64] = (few * 255).astype(np.uint8)[: count - start]
    store.flush()
    rows = np.arange(count)
    parts = {"train": rows[: count * 8 // 10], "validation": rows[count * 8 // 10 : count * 9 // 10]}
    parts["test"] = rows[count * 9 // 10 :]
    splits = {
        name: SplitListing(
            rows=part.tolist(), labels=(part % 4).tolist(), names=tuple(f"class/image-{row:06d}.png" for row in part)
        )
        for name, part in parts.items()
    }
    reply = LoadDataReply.model_construct(
        source="made up", fingerprint="made up", classes=CLASSES, counts={}, skipped=(), notes=(), leaked=(),
        store=str(folder / "images.npy"), splits=splits, repeats=None, unseen=(), patients=None,
    )  # fmt: skip
    return read_loaded_data(DataConfig(source="made up"), reply)


def longest(card, steps) -> tuple[float, float]:
    """Do steps, one a frame; return the most that the loop worked between two beats, and the longest gap (ms)."""
    beat = Beat(card)
    pause(50)
    beat.gaps.clear()
    beat.worked.clear()
    for step in steps:
        step()
        pause(FRAME_MS)
    pause(100)
    beat.end()
    return max(beat.worked), max(beat.gaps)


def measure(folder: Path, count: int, side: int, steps: int) -> None:
    from PySide6.QtWidgets import QApplication

    from gui import theme
    from gui.panels.data.scans_card import DataScansCard

    app = QApplication.instance() or QApplication(sys.argv[:1])
    theme.apply(app, "dark")
    data = make_data(folder, count, side)
    card = DataScansCard()
    card.resize(1000, 860)
    card.show()
    pause(100)
    print(f"{count:,} images of {side} x {side} px")
    tell_machine()
    found = {"shown": longest(card, [lambda: card.show_data(data)])}
    bar = card.grid.verticalScrollBar()
    row = card.grid.gridSize().height()
    scroll = {"by three rows": 3 * row, "by pages": bar.pageStep(), "through all": max(bar.maximum() // steps, 1)}
    for name, px in scroll.items():
        bar.setValue(0)
        found[name] = longest(card, [lambda px=px: bar.setValue(bar.value() + px) for _ in range(steps)])
    found["one class"] = longest(card, [lambda: card.classes[0].setChecked(True)])
    found["all again"] = longest(card, [lambda: card.classes[0].setChecked(False)])
    for name, (worked, gap) in found.items():
        mark = "" if worked <= GOAL_MS else " *"
        print(f"{name:15} longest turn {worked:5.0f} ms of its own work{mark}, gap {gap:.0f} ms")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    card.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--steps", type=int, default=300, help="of each way of scrolling")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.count, options.side, options.steps)


if __name__ == "__main__":
    main()
