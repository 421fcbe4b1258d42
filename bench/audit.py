"""How well the audit finds planted copies, and how long it takes.

    python bench/audit.py FOLDER [--copies 600] [--keep DIR]

FOLDER is audited as it is, for the time. Then one scan of each group that was found is taken, copies of some of them
are planted in train and in test, and the audit is asked for them. A reported pair is right where one scan is a copy of
the other, or both are copies of a third.
"""

import argparse
import io
import itertools
import os
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.config import DataConfig
from engine.data.audit import audit
from engine.data.folder import FolderSource

Change = Callable[[Image.Image], Image.Image]


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("L")


def gray(picture: Image.Image, gamma: float = 1.0, gain: float = 1.0, shift: float = 0.0) -> Image.Image:
    values = (np.asarray(picture) / 255) ** gamma * gain + shift
    return Image.fromarray(np.rint(values.clip(0, 1) * 255).astype(np.uint8))


def resized(picture: Image.Image, width: float, height: float | None = None) -> Image.Image:
    shape = round(picture.width * width), round(picture.height * (height or width))
    return picture.resize(shape, Image.Resampling.BICUBIC)


def turned(picture: Image.Image, *how: Image.Transpose) -> Image.Image:
    for each in how:
        picture = picture.transpose(each)
    return picture


FLIP, TOP, QUARTER = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_90
CHANGES: dict[str, Change] = {
    "JPEG 50": lambda picture: jpeg(picture, 50),
    "JPEG 90": lambda picture: jpeg(picture, 90),
    "half the size": lambda picture: resized(picture, 0.5),
    "1.5 times the size": lambda picture: resized(picture, 1.5),
    "other proportions": lambda picture: resized(picture, 0.6, 0.8),
    "flipped left to right": lambda picture: turned(picture, FLIP),
    "flipped top to bottom": lambda picture: turned(picture, TOP),
    "rotated by 90°": lambda picture: turned(picture, QUARTER),
    "rotated by 180°": lambda picture: turned(picture, QUARTER, QUARTER),
    "gamma 0.8": lambda picture: gray(picture, 0.8),
    "gamma 1.25": lambda picture: gray(picture, 1.25),
    "a fifth darker": lambda picture: gray(picture, gain=0.8),
    "brighter by 20 of 255": lambda picture: gray(picture, shift=20 / 255),
    "gamma 0.8, JPEG 50": lambda picture: jpeg(gray(picture, 0.8), 50),
    "rotated by 90°, gamma 1.25": lambda picture: gray(turned(picture, QUARTER), 1.25),
    "flipped, half, JPEG 50": lambda picture: jpeg(resized(turned(picture, FLIP), 0.5), 50),
    "rotated, flipped, half, gamma 0.8, JPEG 50": lambda picture: jpeg(
        gray(resized(turned(picture, QUARTER, FLIP), 0.5), 0.8), 50
    ),
    "rotated, 1.5 times, gamma 1.25, JPEG 90": lambda picture: jpeg(
        gray(resized(turned(picture, QUARTER), 1.5), 1.25), 90
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--copies", type=int, default=600)
    parser.add_argument("--keep", type=Path, help="leave the planted folder here, to look at")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["ENGRAM_CACHE"] = f"{scratch}/cache"
        found = timed(options.folder, "first time")
        timed(options.folder, "from the cache")
        place = options.keep or Path(scratch) / "planted"
        truth = plant(options.folder, found, place, options.copies)
        report(truth, timed(place, "planted"))


def timed(folder: Path, what: str) -> dict[str, Any]:
    begun = time.perf_counter()
    found = audit(DataConfig(source=str(folder)))
    count = sum(counts["n"] for counts in found["splits"].values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {count:,} scans in {time.perf_counter() - begun:.1f} s, at most {peak:.0f} MB of memory")
    return found


def plant(folder: Path, found: dict[str, Any], place: Path, count: int) -> dict[str, tuple[str, str]]:
    """Write one scan of each group, and copies; return for each file its original and the change."""
    groups = [group["members"] for group in found["groups"] + found["near"]["groups"]]
    repeats = {member["name"] for members in groups for member in members[1:]}
    names = [item.name for item in FolderSource(DataConfig(source=str(folder))).items if item.name not in repeats]
    truth = {}
    for number, name in enumerate(names):
        target = place / "Training" / f"{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((folder / name).read_bytes())
        truth[target.relative_to(place).as_posix()] = (name, "")
    (place / "Testing").mkdir(exist_ok=True)
    chosen = np.random.default_rng(0).choice(len(names), count, replace=False)
    for number, (at, what) in enumerate(zip(chosen.tolist(), itertools.cycle(CHANGES), strict=False)):
        target = place / ("Testing" if number // len(CHANGES) % 2 else "Training") / f"copy-{number}.png"
        CHANGES[what](Image.open(folder / names[at]).convert("L")).save(target)
        truth[target.relative_to(place).as_posix()] = (names[at], what)
    return truth


def report(truth: dict[str, tuple[str, str]], found: dict[str, Any]) -> None:
    right, wrong = set(), []
    for group in found["near"]["groups"] + found["groups"]:
        for one, other in itertools.combinations([member["name"] for member in group["members"]], 2):
            if truth[one][0] == truth[other][0]:
                right |= {one, other}
            else:
                wrong.append((one, other))
    by_change: dict[str, list[bool]] = defaultdict(list)
    for name, (_, what) in truth.items():
        if what:
            by_change[what].append(name in right)
    for what, hits in by_change.items():
        print(f"{what:<44} {sum(hits):>4} of {len(hits)}")
    hits = list(itertools.chain(*by_change.values()))
    print(f"recall {sum(hits) / len(hits):.4f}, precision {sum(hits) / (sum(hits) + len(wrong)):.4f}; wrong: {wrong}")


if __name__ == "__main__":
    main()
