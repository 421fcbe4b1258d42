"""Facts of the reference study: its losses and the names of its tables and figures. Spaces and settings are presets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine import config
from engine.config import RESOURCES, RunConfig
from engine.search import space_file
from engine.search.space import Space

SOURCE = RESOURCES / "study" / "seed-study.json"
MODELS = ("ae", "vae")


@dataclass(frozen=True)
class PublishedResult:
    """The study's result for one model.

    Args:
        model: 'ae' or 'vae'.
        preset: name of the preset that holds its best settings.
        loss: loss of its best model: a mean squared error (ae), or nats summed over a batch (vae).
        space: the search space.
    """

    model: str
    preset: str
    loss: float
    space: Space

    @property
    def best(self) -> RunConfig:
        """Return the best settings of the study."""
        return config.preset(self.preset)

    @property
    def nats_per_image(self) -> float:
        """Return the loss of the VAE per image."""
        return self.loss / self.best.training.batch_size


@cache
def load_published() -> Mapping[str, Any]:
    """Load the study's file."""
    return dict(json.loads(SOURCE.read_text(encoding="utf-8")))


def claim(model: str) -> PublishedResult:
    """Return the study's result for a model."""
    said = load_published()["models"][model]
    return PublishedResult(model, said["preset"], said["loss"], space_file.preset(said["preset"])[1])


def table_title(number: int) -> str:
    """Return the title of a table, such as 'Table 1. Search space, AE'."""
    return f"Table {number}. {load_published()['tables'][str(number)]}"


def figure_title(number: int) -> str:
    """Return the title of a figure, such as 'Figure 5. Loss of the ten best AEs'."""
    return f"Figure {number}. {load_published()['figures'][str(number)]}"
