"""Lesion contrast retained by a method, with an interval, the retained pattern, and a warning in words."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from engine.arrays import AnyMask, AnyPicture, Mask
from engine.formatting import format_percent, format_signed
from engine.lesions.regions import Stacked, area, make_lesion_region

LEAST_CONTRAST: Final = 0.01  # 2.5 of 255 levels: below it a ratio has no meaning
WARN_BELOW: Final = 0.8
MOST_ADDED: Final = 1.25
MOST_SPREAD: Final = 1.0
BLOCK_PX, MOST_BLOCKS = 3, 120
DRAWS: Final = 1000
CONFIDENCE: Final = 0.95
Means = Annotated[NDArray[np.float64], "2 draws"]


@dataclass(frozen=True)
class Retention:
    """Retained contrast of a lesion; `value, interval = retention(...)` unpacks the two main results.

    Args:
        value: contrast after over contrast before: 1 is all of it, 0 nothing, below 0 a bright lesion turned dark; nan
            if it cannot be measured.
        interval: 95% interval (low, high) of the value; both nan if it cannot be measured.
        before: contrast before, in units of the data range.
        after: contrast after.
        pattern: share of the lesion's pattern that is retained: the slope of its smoothed pixels after on those before,
            relative to the mean of the rim. It is close to `value` for a lesion of one intensity. It also measures
            lesions that are both brighter and darker than their rim, such as rings, and is not misled where the
            healthy tissue in a lesion's place has a contrast of its own.
        reason: a sentence on why there is no value; empty if there is one.
    """

    value: float
    interval: tuple[float, float]
    before: float
    after: float
    pattern: float
    reason: str = ""

    def __iter__(self) -> Iterator[float | tuple[float, float]]:
        return iter((self.value, self.interval))

    def is_below(self, share: float = WARN_BELOW) -> bool:
        """Return whether less than this share of the contrast, or of the pattern, is retained."""
        return self.value < share or self.pattern < share

    @property
    def is_unclear(self) -> bool:
        """Return whether the result is inconclusive: no value, or an interval wider than the whole contrast."""
        return not self.interval[1] - self.interval[0] <= MOST_SPREAD

    def warning(self, method: str, share: float = WARN_BELOW) -> str:
        """Return a warning about a method, empty if none is due: what it does, how much, and what not to do.

        Args:
            method: its name, such as that of a run.
            share: retention below which to warn.
        """
        if self.pattern < share and (self.is_unclear or self.value >= share):
            what = f"{method} removes {format_percent(1 - max(self.pattern, 0.0))} of this lesion's pattern"
        elif self.is_unclear:
            span = f"{format_percent(self.interval[0])} to {format_percent(self.interval[1])}"
            uneven = (
                f"Too variable to measure what {method} retains: the 95% interval of the retained contrast is {span}"
            )
            what = self.reason.rstrip(".") or uneven
        elif self.value < 0:
            what = f"{method} inverts this lesion's contrast: bright becomes dark, or the reverse"
        elif self.value < share:
            what = f"{method} removes {format_percent(1 - self.value)} of this lesion's contrast"
        elif self.value > MOST_ADDED:
            what = f"{method} exaggerates this lesion's contrast by {format_percent(self.value - 1)}"
        else:
            return ""
        return f"{what}. Do not interpret pathology in this image."


def retention(
    before: AnyPicture, after: AnyPicture, mask: AnyMask, rim: int = 4, avoid: AnyMask | None = None
) -> Retention:
    """Compare a lesion in two versions of one image: mean of the region minus mean of its rim, as a ratio.

    The interval is a bootstrap over blocks of 3 x 3 pixels (larger ones in a large lesion), because neighbors are
    correlated: the same blocks of region and rim are drawn for both images, 1,000 times with a fixed seed, and the
    middle 95% of the ratios are kept (Efron, Tibshirani: An Introduction to the Bootstrap (1993), chapter 8). It shows
    how much the value depends on single spots of this lesion, not how it varies across lesions.

    Args:
        before: (height, width) floats, the noise-free reference.
        after: the same shape, a method's output for it, or for a noisy copy of it.
        mask: bool (height, width), the lesion.
        rim: width of the background ring that it is compared with, px.
        avoid: bool (height, width), pixels that the ring leaves out, such as other lesions.

    Returns:
        The ratio with its interval; nan, with the reason, if the lesion has hardly any contrast before (less than 0.01
        of the data range).

    Raises:
        RegionError: the images differ in shape, the region does not fit them, or it has no surroundings.

    Example:
        >>> before, lesion = np.full((32, 32), 0.4), np.zeros((32, 32), bool)
        >>> lesion[12:20, 12:20] = True
        >>> before[lesion] = 0.6
        >>> after = np.where(lesion, 0.5, before)  # half of the contrast is left
        >>> round(retention(before, after, lesion).value, 3)
        0.5
    """
    place = make_lesion_region(mask, rim, avoid)
    cut = place.crop(before, after)
    facts = *place.contrasts(cut), place.pattern(cut)
    nothing = math.nan, (math.nan, math.nan)
    if not np.all(np.isfinite(facts[:2])):
        return Retention(
            *nothing, *facts, "An image contains values that are not finite numbers, so nothing can be measured."
        )
    if abs(facts[0]) < LEAST_CONTRAST:
        said = f"{format_signed(facts[0])}; minimum {LEAST_CONTRAST:g}"
        return Retention(
            *nothing,
            *facts,
            f"This region has almost no contrast to its surroundings ({said}), so retention cannot be measured.",
        )
    rng = np.random.Generator(np.random.Philox(key=0))
    drawn = _bootstrap_means(cut, place.region, rng) - _bootstrap_means(cut, place.rim, rng)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.nanpercentile(drawn[1] / drawn[0], [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return Retention(facts[1] / facts[0], (float(low), float(high)), *facts)


def _bootstrap_means(stacked: Stacked, part: Mask, rng: np.random.Generator) -> Means:
    """Bootstrap the means of both images over blocks of a part: (2, height, width) -> (2, draws)."""
    block = _blocks(part)
    sizes = np.bincount(block).astype(np.float64)
    sums = np.stack([np.bincount(block, weights=picture[part]) for picture in stacked])
    count = len(sizes)
    drawn = rng.integers(count, size=(DRAWS, count)) + count * np.arange(DRAWS)[:, np.newaxis]
    times = np.bincount(drawn.ravel(), minlength=DRAWS * count).reshape(DRAWS, count).astype(np.float64)
    means: Means = (sums @ times.T) / (times @ sizes)
    return means


def _blocks(part: Mask) -> NDArray[np.intp]:
    """Return the number of the square block of each pixel of a part."""
    side = max(BLOCK_PX, math.ceil(math.sqrt(area(part) / MOST_BLOCKS)))
    rows, columns = np.nonzero(part)
    number = rows // side * (part.shape[1] // side + 1) + columns // side
    block: NDArray[np.intp] = np.unique(number, return_inverse=True)[1].ravel()
    return block
