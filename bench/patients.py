"""How well groups of look-alike images match known patients.

    python bench/patients.py FOLDER [--groups TABLE]

FOLDER is a source whose patients are known, at least for some images. A pair of images is right where both are of one
patient; only pairs of images with known patients count. The default threshold is marked.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.config import DataConfig
from engine.data import loading
from engine.data.audit import look_alikes
from engine.data.patients import find_patients
from engine.job_context import UNATTENDED

THRESHOLDS = (0.98, 0.97, 0.96, 0.95, 0.94, 0.93, 0.92, 0.90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--groups", default="")
    options = parser.parse_args()
    config = DataConfig(source=str(options.folder), groups=options.groups)
    source = loading.open_source(config)
    begun = time.perf_counter()
    items, thumbnails = look_alikes.read_thumbnails(source, UNATTENDED)
    known = find_patients(source, config).groups
    patients = [known[item] for item in items]
    count = sum(map(bool, patients))
    print(f"{len(items):,} images, {count:,} with one of {len(set(patients) - {''}):,} known patients")
    print(f"{'correlation':<12}{'groups':>8}{'images':>8}{'largest':>9}{'precision':>11}{'recall':>8}")
    for threshold in THRESHOLDS:
        components = look_alikes.link_look_alikes(thumbnails, threshold)
        sizes = np.bincount([component for component in components if component >= 0])
        precision, recall = measure_pairs(patients, components)
        mark = " default" if threshold == look_alikes.MIN_CORRELATION else ""
        shape = f"{np.count_nonzero(sizes):>8,}{sizes.sum():>8,}{sizes.max():>9,}"
        print(f"> {threshold:<10}{shape}{precision:>11.3f}{recall:>8.3f}{mark}")
    print(f"{time.perf_counter() - begun:.0f} s")


def measure_pairs(patients: Sequence[str], components: Sequence[int]) -> tuple[float, float]:
    """Return the share of grouped pairs of one patient, and the share of the patients' pairs that are grouped."""
    pairs = [(patient, component) for patient, component in zip(patients, components, strict=True) if patient]
    right = count_pairs([pair for pair in pairs if pair[1] >= 0])
    grouped = count_pairs([component for _, component in pairs if component >= 0])
    return right / max(1, grouped), right / max(1, count_pairs([patient for patient, _ in pairs]))


def count_pairs(values: Sequence[object]) -> int:
    """Return the number of pairs of equal values."""
    counts: dict[object, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return sum(count * (count - 1) // 2 for count in counts.values())


if __name__ == "__main__":
    main()
