"""Images of `channels`: top-activating images, activation maximization, saliency, and matched channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import backend
from engine.cli.console import ConsoleProgress
from engine.config import TrainingConfig
from engine.data import Split
from engine.figures import base, contact_sheet
from engine.figures.contact_sheet import Cell
from engine.figures.mosaic import value_range
from engine.runs import Run

Picture = NDArray[np.float32]


TITLES = {
    "favourites": "Top-activating images",
    "preferred": "Activation maximization",
    "saliency": "Saliency",
    "match": "Matched channels",
}


@dataclass(frozen=True, eq=False)
class ChannelQuery:
    """One layer of a run's model, the images to measure it on, and the channels to draw."""

    run: Run
    model: Any
    images: Split
    layer: str
    channels: Sequence[int]

    def title(self, what: str) -> str:
        """Return the title of a sheet."""
        return f"{what} · {self.layer} · {self.run.name}"


def favourites(subject: ChannelQuery, count: int, out: Path) -> dict[str, Any]:
    """Draw the top-activating images of each channel, cropped to the most active unit's receptive field; a row each."""
    found = _module("top_activations").top_activations(subject.model, subject.images, subject.layer, count)
    cells, entries = [], []
    for channel in subject.channels:
        for rank, each in enumerate(found[channel], 1):
            patch = each.patch(subject.images.read([each.index])[0])
            cells.append(Cell(f"channel {channel}, rank {rank}", patch, f"{each.value:.3g}"))
        entries.append({"channel": channel, "scans": [_patch_of(each, subject.images) for each in found[channel]]})
    across = min(count, len(subject.images))
    facts = (
        f"the part of the {subject.images.name} image inside the receptive field of the most active unit, and its "
        "activation"
    )
    return {"channels": entries, "figure": _saved(subject, "favourites", (cells, facts, across), out)}


def preferred(subject: ChannelQuery, out: Path, meter: ConsoleProgress) -> dict[str, Any]:
    """Draw the activation maximization of each channel."""
    module = _module("feature_visualization")
    cells, entries = [], []
    for done, number in enumerate(subject.channels):
        meter.update("Gradient ascent", done, len(subject.channels))
        found = module.preferred(subject.model, module.ChannelObjective(subject.layer, number))
        cells.append(Cell(f"channel {number}", found.image, f"{found.start:.3g} (uniform gray) → {found.value:.3g}"))
        entries.append({"channel": number, "start": found.start, "value": found.value})
    facts = "gradient ascent from a uniform gray image: not a real image, and only one of many possible solutions"
    return {"channels": entries, "figure": _saved(subject, "preferred", (cells, facts, 8), out)}


def saliency(subject: ChannelQuery, picture: Picture, name: str, out: Path) -> dict[str, Any]:
    """Draw the saliency of each channel for one image."""
    module = _module("feature_visualization")
    cells = [Cell("image", picture, name)]
    for number in subject.channels:
        found = module.saliency(
            subject.model, picture[None, ..., None], module.ChannelObjective(subject.layer, number)
        )[0]
        limit = float(np.percentile(np.abs(found), 99.5)) or 1.0
        cells.append(Cell(f"channel {number}", found, "", (-limit, limit)))
    facts = "change of the channel's mean activation per unit of pixel intensity; each image on its own scale"
    return {"image": name, "figure": _saved(subject, "saliency", (cells, facts, 5), out)}


def matched(subject: ChannelQuery, other: str, activations: tuple[Picture, Picture], matching: Any, out: Path) -> str:
    """Draw, for the first image, each channel, its match, and their difference, on one scale."""
    first, second = activations
    partner = {int(one): (int(two), place) for place, (one, two) in enumerate(matching.pairs)}
    cells = []
    for channel in (each for each in subject.channels if each in partner):
        two, place = partner[channel]
        three = [first[0, ..., channel], second[0, ..., two], matching.difference[0, ..., place]]
        low, limit = value_range(np.stack(three, axis=-1))
        scale, note = (min(low, -limit), limit), f"correlation {matching.correlation[place]:.2f}"
        titles = f"channel {channel}", f"{other}: {two}", "difference"
        notes = note, "", f"rms {matching.rms[place]:.3g}"
        cells += [
            Cell(title, np.atleast_2d(each), said, scale)
            for title, each, said in zip(titles, three, notes, strict=True)
        ]
    facts = f"each channel for the first image, the matched channel of {other}, and their difference, on one scale"
    return _saved(subject, "match", (cells, facts, 6), out)


def _patch_of(each: Any, images: Split) -> dict[str, Any]:
    place = {"value": each.value, "unit": [each.row, each.column], "box": list(each.box)}
    return {"index": each.index, "name": images.names[each.index]} | place


def _saved(subject: ChannelQuery, what: str, drawn: tuple[list[Cell], str, int], out: Path) -> str:
    cells, facts, across = drawn
    figure = contact_sheet.draw_sheet(cells, subject.title(TITLES[what]), facts, across)
    plain = subject.layer.replace("#", "-")
    return str(base.save(figure, out / f"{plain}-{what}.png"))


def _module(name: str) -> Any:
    return backend.import_on_any_backend(f"engine.analysis.{name}", TrainingConfig())
