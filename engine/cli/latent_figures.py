"""The figures that `latent` writes: neighbors, interpolations, traversals, class means, posterior SD."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Images
from engine.explorer import latent_decode_handlers
from engine.explorer.latent_decode_handlers import evenly_spaced
from engine.figures import base
from engine.figures import latent as drawing
from engine.figures.image_strips import Strip, strips
from engine.job_context import run_steps
from engine.latent import calibration, interpolation
from engine.latent.latent_data import LATENT, PIXEL, LatentData
from engine.messages import NeighborReport
from engine.protocols import ImageSequence

STEPS, WALKS, SUSPECTS = 9, 6, 6
SAMPLES, CALIBRATED, SHOWN = 32, 64, 4
WORDS = {"test_unseen": "test images", "test_clean": "deduplicated test images"}
PLACE = "validation"


def write_figures(atlas: LatentData, out: Path) -> dict[str, str]:
    """Write the figures of decoded latent codes and return their paths; none if the model cannot decode a code."""
    if atlas.space.kind == "features":
        return {}
    drawn = {"walks": _walks(atlas), "interpolation": _between(atlas), "averages": _averages(atlas)}
    return {name: str(base.save(figure, out / f"{name}.png")) for name, figure in drawn.items() if figure}


def neighbours(atlas: LatentData, found: Mapping[str, Sequence[NeighborReport]], originals: Images, out: Path) -> None:
    """Draw the test images with the smallest ratios that are not leaked, each above its nearest training images."""
    leaked = atlas.images.leaked
    ratios = np.array([each.ratio for each in found[PIXEL]])
    order = [int(at) for at in np.argsort(ratios, kind="stable") if not leaked[at]][:SUSPECTS]
    if not order:
        return
    rows = [Strip("test image", list(originals[order, ..., 0]))]
    for where, title in ((PIXEL, "nearest by pixels"), (LATENT, "nearest by latent")):
        nearest = [found[where][at].nearest[0].index for at in order]
        notes = [
            f"ratio {found[where][at].ratio:.2f}{', near copy' if found[where][at].memorised else ''}" for at in order
        ]
        rows.append(Strip(title, list(atlas.images.train.read(nearest)[..., 0]), notes=notes))
    titles = [atlas.images.test.names[at].rsplit("/", 1)[-1] for at in order]
    base.save(strips(rows, titles), out / "suspects.png")


def calibrate(atlas: LatentData, out: Path) -> dict[str, Any] | None:
    """Draw the posterior SD of some validation images, its calibration, and calibrated intervals, which are stored.

    Returns:
        The calibration on validation images, that of calibrated intervals there and on test images; None if there is no
        posterior.
    """
    images = atlas.images.splits[PLACE]
    if atlas.space.kind != "posterior" or not len(images):
        return None
    rows = evenly_spaced(len(images), CALIBRATED)
    predict = calibration.predict_posterior(atlas.space, SAMPLES)
    found = run_steps(calibration.measure(predict, images, rows.tolist()), atlas.context)
    atlas.write_intervals(found.scale)
    plain, calibrated = (calibration.to_dict(each.get_result()) for each in (found.plain, found.calibrated))
    curves = {"posterior samples": plain["coverage"], "calibrated, other patients": calibrated["coverage"]}
    base.save(drawing.calibration(plain["levels"], curves), out / "calibration.png")
    base.save(_spread(atlas, evenly_spaced(len(images), SHOWN), found.scale), out / "spread.png")
    facts = {"split": PLACE, "scans": len(rows), "samples": SAMPLES, **plain}
    return facts | {"calibrated": _describe(found), "test": _check_intervals(atlas, found.scale)}


def _check_intervals(atlas: LatentData, scale: calibration.IntervalScale) -> dict[str, Any] | None:
    """Check calibrated intervals on test images of unseen patients, else on deduplicated ones; None without any."""
    unseen, clean = np.flatnonzero(atlas.images.unseen), np.flatnonzero(~atlas.images.leaked)
    part, rows = ("test_unseen", unseen) if len(unseen) else ("test_clean", clean)
    if not len(rows):
        return None
    chosen = rows[evenly_spaced(len(rows), CALIBRATED)].tolist()
    predict = calibration.predict_posterior(atlas.space, SAMPLES)
    steps = calibration.measure(predict, atlas.images.test, chosen, scale)
    return {"split": part, **_describe(run_steps(steps, atlas.context), WORDS[part])}


def _describe(found: calibration.MeasuredCalibration, images: str = "validation images") -> dict[str, Any]:
    content = calibration.to_dict(found.calibrated.get_result())
    facts = {"scans": len(found.calibrated.shares), "interval": found.interval, "sentence": found.summary(images)}
    return content | facts | {"image_coverage_5_percent": float(np.quantile(found.calibrated.shares, 0.05))}


def _spread(atlas: LatentData, rows: NDArray[np.int64], scale: calibration.IntervalScale) -> Any:
    """Draw error, posterior SD and calibrated intervals on one scale, so that they can be compared by eye."""
    images = atlas.images.splits[PLACE].read(rows)
    found = calibration.spread(atlas.space, atlas.codes(PLACE).take(rows), SAMPLES)
    shown = [
        Strip("original", list(images[..., 0])),
        Strip("mean of samples", list(found.mean[..., 0])),
        Strip("mean − original", list((found.mean - images)[..., 0]), signed=True),
        Strip("posterior SD", list(found.deviation[..., 0]), signed=True),
        Strip("90% interval, ±", list(scale.half_width(found.deviation)[..., 0]), signed=True),
    ]
    return _scaled(strips(shown, _names(atlas, PLACE, rows)), "error, SD, half of the interval (intensity 0–1)")


def _walks(atlas: LatentData) -> Any:
    """Draw the traversals of the most informative latent dimensions for one validation image."""
    row = np.array([len(atlas.images.splits[PLACE]) // 2])
    code = atlas.codes(PLACE).means[row][0]
    found = atlas.dimensions()
    rows = []
    for dimension in found.order[:WALKS]:
        values = latent_decode_handlers.traversal_values(atlas, int(dimension), STEPS, None)
        pictures = atlas.space.decode(interpolation.vary_dimension(code, int(dimension), values))
        rows.append(Strip(f"dimension {dimension}", list(pictures[..., 0]), notes=[f"{value:.3g}" for value in values]))
    titles = ["1st percentile", *[""] * (STEPS - 2), "99th percentile"]
    return strips(rows, titles)


def _between(atlas: LatentData) -> Any:
    """Draw the interpolations from the first validation image to the last, and the cross-fade of their pixels."""
    images, last = atlas.images.splits[PLACE], len(atlas.images.splits[PLACE]) - 1
    ends, codes = images.read([0, last])[..., 0], atlas.codes(PLACE).means[[0, last]]
    share = np.linspace(0, 1, STEPS, dtype=np.float32)[:, None, None]
    ways = {
        "linear": interpolation.linear(codes[0], codes[1], STEPS),
        "spherical": interpolation.spherical(codes[0], codes[1], STEPS),
    }
    rows = [Strip(title, list(atlas.space.decode(points)[..., 0])) for title, points in ways.items()]
    rows.append(Strip("pixel cross-fade", list((1 - share) * ends[0] + share * ends[1])))
    names = _names(atlas, PLACE, [0, last])
    return strips(rows, [names[0], *[""] * (STEPS - 2), names[1]])


def _averages(atlas: LatentData) -> Any:
    """Draw each class of the training images: decoded mean latent code, pixel-wise mean, their difference."""
    images, codes = atlas.images.train, atlas.codes("train").means
    groups = {name: np.flatnonzero(images.labels == label) for label, name in enumerate(atlas.images.classes)}
    groups = {name: rows for name, rows in groups.items() if len(rows)} or {"all": np.arange(len(images))}
    decoded = atlas.space.decode(np.stack([codes[rows].mean(axis=0) for rows in groups.values()]))[..., 0]
    pixels = np.stack([_mean_of(images, rows) for rows in groups.values()])
    rows = [
        Strip("decoded mean latent code", list(decoded), notes=[f"{len(rows):,} images" for rows in groups.values()]),
        Strip("pixel-wise mean", list(pixels)),
        Strip("difference", list(decoded - pixels), signed=True),
    ]
    return _scaled(strips(rows, [name.replace("_", " ") for name in groups]), "decoded mean − pixel-wise mean")


def _scaled(figure: Any, title: str) -> Any:
    """Label the color bar, the last axes of the figure."""
    figure.axes[-1].set_ylabel(title)
    return figure


def _mean_of(images: ImageSequence, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the mean image; the images are read in chunks."""
    total: Any = 0.0
    for first in range(0, len(rows), 256):
        total = total + images.read(rows[first : first + 256])[..., 0].sum(axis=0, dtype=np.float64)
    return np.asarray(total / len(rows), np.float32)


def _names(atlas: LatentData, split: str, rows: Sequence[int] | NDArray[np.int64]) -> list[str]:
    return [atlas.images.splits[split].names[row].rsplit("/", 1)[-1] for row in rows]
