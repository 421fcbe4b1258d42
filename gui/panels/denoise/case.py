"""The noise that is added to an image, and the methods that denoise it. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import noise as noises
from engine.config import NoiseConfig
from engine.denoising.baselines import BASELINES, PCA
from gui.run_record import RunRecord

Picture = NDArray[np.float32]
SIGMA_MOST, SIGMA_DEFAULT = 0.3, 0.1
NO_NOISE = "none"
KINDS = {
    "gaussian": "Gaussian",
    "rician": "Rician (magnitude MR)",
    "speckle": "Speckle",
    "poisson": "Poisson (photons)",
    "salt-and-pepper": "Salt and pepper",
    "ghosting": "Motion ghosting",
    "rings": "Ring artifacts (concentric)",
    NO_NOISE: "None (image is already noisy)",
}
LEVEL_NAMES = {"salt-and-pepper": "Fraction"}
NOTHING = "none"
SHORT = {"gaussian": "Gaussian", "median": "Median", "nlm": "NL means", "tv": "TV"}
DEFAULT_COMPONENTS = 512


@dataclass(frozen=True)
class Noise:
    """The noise: kind, level in units of the data range, seed; the kind NO_NOISE is for an image that is noisy."""

    kind: str = "gaussian"
    sigma: float = SIGMA_DEFAULT
    seed: int = 0

    @property
    def is_added(self) -> bool:
        """Return whether noise is added; otherwise there is no noise-free reference."""
        return self.kind != NO_NOISE

    def fields(self) -> dict[str, Any]:
        """Return the fields of a request about it."""
        if not self.is_added:
            return {"noise": "gaussian", "sigma": 0.0, "seed": 0}
        return {"noise": self.kind, "sigma": self.sigma, "seed": self.seed}

    def apply_to(self, original: Picture) -> Picture:
        """Add the noise to a (height, width) image, as the engine does."""
        if not self.is_added:
            return original
        return noises.add_noise(original[None, ..., None], self.kind, self.sigma, self.seed)[0, ..., 0]

    @property
    def text(self) -> str:
        """Return its level as text."""
        if not self.is_added:
            return "no noise added"
        name = "fraction" if self.kind in LEVEL_NAMES else "σ"
        return f"{name} = {self.sigma:.3f}"


@dataclass(frozen=True)
class Methods:
    """The methods: titles of runs by path and of classical filters by key.

    `epochs` are those of the best models, `trained_on` the noise that each run was trained on.
    """

    runs: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    epochs: tuple[int, ...] = ()
    components: int = DEFAULT_COMPONENTS
    trained_on: Mapping[str, NoiseConfig] = field(default_factory=dict)

    def without(self, key: str) -> "Methods":
        """Return these methods without one of the filters: a PCA is fitted to the loaded images, at their size."""
        return replace(self, filters={name: title for name, title in self.filters.items() if name != key})

    def title(self, key: str) -> str:
        """Return the name of a method on screen."""
        return self.runs.get(key) or self.filters.get(key) or key


def filters(components: int) -> dict[str, str]:
    """Return the installed classical filters, titles by key, the weakest first."""
    titles = {
        key: SHORT.get(key, each.title) for key, each in BASELINES.items() if key != NOTHING and each.is_installed()
    }
    return {key: f"PCA-{components}" if key == PCA else title for key, title in titles.items()}


def of_runs(records: list[RunRecord]) -> Methods:
    """Return these runs and all classical filters; the PCA has the latent size of the first run that has one.

    Equal lists of runs give equal methods, so that no request is sent twice.
    """
    sizes = [record.config.model.latent_size for record in records if record.config]
    components = next((size for size in sizes if size), DEFAULT_COMPONENTS)
    return Methods(
        {str(record.run.path): record.name for record in records},
        filters(components),
        tuple(record.best.epoch if record.best else 0 for record in records),
        components,
        {str(record.run.path): record.config.noise for record in records if record.config},
    )
