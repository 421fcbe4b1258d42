"""How far recorded activations differ between backends: pure numpy, one layer in memory at a time.

The measure is the largest absolute difference between two backends anywhere in a layer. Float32 carries seven digits
whatever a number's size, so where a layer's values are large the difference is taken relative to the largest of them:

    share = max|a - b| / max(1, max|a|, max|b|) < 1e-4

which for layers within [-1, 1], and so for pictures, is the absolute difference itself.
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
    """What one backend computed: a folder with `index.json` and an `.npy` file, float32, for each layer and output."""

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
        """Where it computed."""
        return str(self._index["device"])

    def entries(self, group: str) -> list[dict[str, str]]:
        """Name, kind, part and file of each of the 'layers' or 'outputs'."""
        return list(self._index[group])

    def read(self, file: str) -> NDArray[np.float32]:
        """One layer's activations, (n, ...)."""
        array: NDArray[np.float32] = np.load(self.path / file, mmap_mode="r")
        return array


@dataclass(frozen=True)
class LayerComparison:
    """One layer or output on all backends.

    Args:
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
        """Largest absolute difference between any two backends; infinite where one gives no number."""
        return max(self.differences.values())

    @property
    def share(self) -> float:
        """The difference that `LIMIT` is for: relative to the largest magnitude where that is above 1."""
        return self.difference / self.scale if np.isfinite(self.difference) else self.difference

    @property
    def scale(self) -> float:
        """What the difference is divided by: the largest magnitude, at least 1."""
        return max(1.0, self.largest)

    @property
    def ok(self) -> bool:
        """Whether all backends agree here."""
        return self.share < LIMIT

    @property
    def outlier(self) -> Sequence[str]:
        """Backends that differ from all those which agree with each other; all of a differing pair when none does."""
        apart = [pair for pair, difference in self.differences.items() if not difference / self.scale < LIMIT]
        involved = sorted({name for pair in apart for name in pair})
        common = [name for name in involved if all(name in pair for pair in apart)]
        return common if len(common) == 1 else involved

    def content(self) -> dict[str, Any]:
        """As JSON takes it."""
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
    """Compare what two backends or more recorded.

    Args:
        recorded: backend -> its activations; the same layers in the same order.

    Returns:
        Layers, outputs.

    Raises:
        TrainingError: they have not the same layers.
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
    """max|first - second| in float64; infinite where the shapes differ or either holds what is no number."""
    if first.shape != second.shape:
        return float("inf")
    with np.errstate(invalid="ignore"):
        found = float(np.abs(np.subtract(first, second, dtype=np.float64)).max(initial=0.0))
    return found if np.isfinite(found) else float("inf")
