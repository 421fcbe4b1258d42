"""What is known of a latent space, as the parts of replies, and in sentences."""

from collections.abc import Sequence
from typing import Any

from engine.latent import calibration
from engine.latent.latent_data import LATENT, LatentData
from engine.latent.neighbors import COPY_RATIO, REFERENCE_K, NeighborResult
from engine.messages import (
    CalibrationReport,
    CollapseReport,
    DimensionReport,
    Neighbor,
    NeighborReport,
    ReferenceReport,
)


def scan_table(atlas: LatentData, splits: Sequence[str]) -> dict[str, list[Any]]:
    """Return a table of the images of some splits: lists of split, index, name, label (None if unknown) and leaked."""
    images = atlas.images
    rows = [(split, index) for split in splits for index in range(len(images.splits[split]))]
    leaked = images.leaked
    labels = [int(images.splits[split].labels[index]) for split, index in rows]
    return {
        "split": [split for split, _ in rows],
        "index": [index for _, index in rows],
        "name": [images.splits[split].names[index] for split, index in rows],
        "label": [images.classes[label] if label >= 0 else None for label in labels],
        "leaked": [bool(split == "test" and leaked[index]) for split, index in rows],
    }


def dimensions(atlas: LatentData) -> DimensionReport:
    """Return the statistics of the latent dimensions over the training images, the most informative first."""
    found = atlas.dimensions()
    in_order = {"value": found.values, "active": found.active, "mean": found.mean, "spread": found.spread}
    in_order |= {"low": found.low, "high": found.high}
    return DimensionReport(
        measure=found.measure,
        order=found.order.tolist(),
        **{name: values[found.order].tolist() for name, values in in_order.items()},
    )


def collapse(atlas: LatentData) -> CollapseReport:
    """Return how many latent dimensions are active and hold half of the information; a sentence if any are not."""
    found = atlas.dimensions()
    return CollapseReport(
        active=int(found.active.sum()),
        dimensions=len(found.active),
        half=found.count_for_half,
        sentence=found.sentence(),
    )


def neighbors_report(atlas: LatentData, where: str, found: NeighborResult) -> list[NeighborReport]:
    """Return the neighbors of each query, what distance is usual, and whether the query is a near copy.

    Args:
        atlas: the latent data whose training images were searched.
        where: `PIXEL` or `LATENT`.
        found: the result of the search.
    """
    train, usual = atlas.images.train, ReferenceReport(**vars(atlas.reference_distances(where)))
    unit = "RMS difference of " + ("latent codes" if where == LATENT else "intensities (0–1)")
    reports = []
    for indices, distances, ratio in zip(found.indices, found.distances, found.ratios, strict=True):
        nearest = tuple(
            Neighbor(index=int(index), name=train.names[index], distance=float(distance))
            for index, distance in zip(indices, distances, strict=True)
        )
        facts = {"nearest": nearest, "unit": unit, "ratio": float(ratio), "limit": COPY_RATIO, "usual": usual}
        reports.append(NeighborReport(**facts, typical=usual.typical, memorised=bool(ratio < COPY_RATIO)))
    return reports


def calibration_report(counter: calibration.CoverageCounter, summary: str = "") -> CalibrationReport:
    """Return the calibration of all images that were counted, with a sentence of its own if one is given."""
    found = calibration.to_dict(counter.get_result())
    return CalibrationReport(**found | ({"sentence": summary} if summary else {}))


def sentence(name: str, found: NeighborReport) -> str:
    """Return what the neighbors of an image by intensities say about it."""
    first, usual = found.nearest[0], found.usual
    if first.distance == 0.0:
        return f"{name} is an exact copy of a training image at this size: {first.name}."
    share = f"at {found.ratio:.2f} of the mean distance to the {REFERENCE_K} nearest"
    under = f"{100 * usual.share:.1f}% of {usual.scans} {usual.split} images are below {COPY_RATIO:.2f}"
    if found.memorised:
        return f"{name} is a near copy of the training image {first.name}: distance {share} ({under})."
    return f"{name} is not a near copy of a training image: the nearest is {share} ({under})."
