"""The chosen image, and the noise that is added to it. Pure data."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import noise as noises
from engine.config import DataConfig
from gui.loaded_data import scan_title
from gui.opened_scan import OpenedScan

Picture = NDArray[np.float32]
SIGMA_MOST, SIGMA_DEFAULT = 0.3, 0.1
KINDS = {
    "gaussian": "Gaussian",
    "rician": "Rician (magnitude MR)",
    "speckle": "Speckle",
    "poisson": "Poisson (photons)",
    "salt-and-pepper": "Salt and pepper",
    "ghosting": "Motion ghosting",
    "rings": "Ring artifacts (concentric)",
}
LEVEL_NAMES = {"salt-and-pepper": "Fraction"}


@dataclass(frozen=True)
class Case:
    """One image of the dataset, or one slice of a file."""

    name: str
    data: DataConfig
    split: str = ""
    index: int = 0
    scan: OpenedScan | None = None

    @property
    def key(self) -> str:
        """Return the key of its lesion region."""
        return f"{self.scan.path} {self.scan.slice}" if self.scan else f"{self.data.source} {self.name}"

    @property
    def title(self) -> str:
        """Return its name without most of its folders."""
        return self.scan.title if self.scan else scan_title(self.name)

    def request_fields(self) -> dict[str, Any]:
        """Return the fields of a request about it."""
        if self.scan is not None:
            return {"data": self.data, "scan": self.scan.path, "slice": self.scan.slice}
        return {"data": self.data, "split": self.split, "indices": (self.index,)}


@dataclass(frozen=True)
class Noise:
    """The noise: kind, level in units of the data range, seed."""

    kind: str = "gaussian"
    sigma: float = SIGMA_DEFAULT
    seed: int = 0

    def fields(self) -> dict[str, Any]:
        """Return the fields of a request about it."""
        return {"noise": self.kind, "sigma": self.sigma, "seed": self.seed}

    def apply_to(self, original: Picture) -> Picture:
        """Add the noise to a (height, width) image, as the engine does."""
        return noises.add_noise(original[None, ..., None], self.kind, self.sigma, self.seed)[0, ..., 0]

    @property
    def text(self) -> str:
        """Return its level as text."""
        name = "fraction" if self.kind in LEVEL_NAMES else "σ"
        return f"{name} = {self.sigma:.3f}"
