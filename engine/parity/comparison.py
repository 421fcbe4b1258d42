"""Differences between recorded activations of backends: pure numpy, one layer in memory at a time.

The measure is the largest absolute difference between two backends anywhere in a layer. Float32 has seven digits,
whatever the size of a number, so for layers with large values the difference is relative to the largest of them:

    share = max|a - b| / max(1, max|a|, max|b|) < 1e-4

which for layers within [-1, 1], and so for images, is the absolute difference itself.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import TrainingError

LIMIT = 1e-4


@dataclass(frozen=True)
class Recording:
    """Activations on one backend: a folder with `index.json` and an `.npy` file, float32, per layer and output."""

    path: Path

    @cached_property
    def _index(self) -> dict[str, Any]:
        return dict(json.loads((self.path / "index.json").read_text(encoding="utf-8")))

    @property
    def version(self) -> str:
        """Version of the backend."""
        return str(self._index["version"])

    @property
    def device(self) -> str:
        """Device that computed them."""
        return str(self._index["device"])

    def entries(self, group: str) -> list[dict[str, str]]:
        """Return name, kind, part and file of each of the 'layers' or 'outputs'."""
        return list(self._index[group])

    def read(self, file: str) -> NDArray[np.float32]:
        """Return one layer's activations, (n, ...)."""
        array: NDArray[np.float32] = np.load(self.path / file, mmap_mode="r")
        return array


@dataclass(frozen=True)
class LayerComparison:
    """One layer or output on all backends.

    name: name of the layer or output.
        name: of the layer or output.
        kind: the layer's class in Keras; empty for an output.
        part: the sub-model it belongs to.
        largest: largest magnitude on any backend.
        differences: (backend, backend) -> largest absolute difference between the two.
    """

    name: str
    kind: str
    part: str
    largest: float
    differences: Mapping[tuple[str, str], float]

    @property
    def difference(self) -> float:
        """Largest absolute difference between any two backends; infinite if one has NaN or infinity."""
        return max(self.differences.values())

    @property
    def share(self) -> float:
        """The difference that `LIMIT` bounds: relative to the largest magnitude if that is above 1."""
        return self.difference / self.scale if np.isfinite(self.difference) else self.difference

    @property
    def scale(self) -> float:
        """Divisor of the difference: the largest magnitude, at least 1."""
        return max(1.0, self.largest)

    @property
    def ok(self) -> bool:
        """Whether all backends agree here."""
        return self.share < LIMIT

    @property
    def outlier(self) -> Sequence[str]:
        """Backends that differ from all those that agree with each other; all of a differing pair if none agree."""
        apart = [pair for pair, difference in self.differences.items() if not difference / self.scale < LIMIT]
        involved = sorted({name for pair in apart for name in pair})
        common = [name for name in involved if all(name in pair for pair in apart)]
        return common if len(common) == 1 else involved

    def content(self) -> dict[str, Any]:
        """Return the comparison as JSON types."""
        pairs = {f"{first}-{second}": difference for (first, second), difference in self.differences.items()}
        return {
            "name": self.name,
            "kind": self.kind,
            "part": self.part,
            "ok": self.ok,
            "difference": self.difference,
            "largest": self.largest,
            "share": self.share,
            "pairs": pairs,
        }


def compare(recorded: Mapping[str, Recording]) -> tuple[list[LayerComparison], list[LayerComparison]]:
    """Compare the recordings of two or more backends.

    Args:
        recorded: backend -> its activations; the same layers in the same order.

    Returns:
        Layers, outputs.

    Raises:
        TrainingError: they have different layers.
    """
    layers, outputs = (_compare_group(recorded, group) for group in ("layers", "outputs"))
    return layers, outputs


def _compare_group(recorded: Mapping[str, Recording], group: str) -> list[LayerComparison]:
    entries = {name: side.entries(group) for name, side in recorded.items()}
    first, *others = entries.values()
    if any(other != first for other in others):
        raise TrainingError(
            "The model does not have the same layers on every backend.", "Please report this, with the run's settings."
        )
    return [_compare_entry(recorded, entry) for entry in first]


def _compare_entry(recorded: Mapping[str, Recording], entry: Mapping[str, str]) -> LayerComparison:
    arrays = {name: side.read(entry["file"]) for name, side in recorded.items()}
    differences = {
        (one, other): largest_difference(arrays[one], arrays[other]) for one, other in combinations(arrays, 2)
    }
    largest = max(float(np.abs(array).max(initial=0.0)) for array in arrays.values())
    return LayerComparison(entry["name"], entry["kind"], entry["part"], largest, differences)


def largest_difference(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Compute max|first - second| in float64; infinite if the shapes differ or either has NaN or infinity."""
    if first.shape != second.shape:
        return float("inf")
    with np.errstate(invalid="ignore"):
        found = float(np.abs(np.subtract(first, second, dtype=np.float64)).max(initial=0.0))
    return found if np.isfinite(found) else float("inf")
