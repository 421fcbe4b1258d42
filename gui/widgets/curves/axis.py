"""Axis of a plot; it formats numbers as the rest of the app does."""

import math
from datetime import datetime
from typing import Literal

import pyqtgraph as pg

from gui.formatting import format_fixed, format_number

MOST_LABELS = 7
MOST_PLACES = 5
FEW_DECADES = 3
LABEL_PX = 34
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
TIME_STEPS_S = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400)
Kind = Literal["number", "duration", "clock"]
Ticks = list[tuple[float | None, list[float]]]


class NumberAxis(pg.AxisItem):
    """Linear or logarithmic axis.

    A logarithmic axis labels 1, 2 and 5 of each decade, and plain numbers within one decade. Durations and times of day
    are in seconds.
    """

    least_step = 0.0
    kind: Kind = "number"
    # Names of 0, 1, 2, ... on an axis of categories.
    words: tuple[str, ...] = ()

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:  # noqa: N803 - Qt-like
        """Return the tick spacing, without ticks between whole steps where there is no data between them."""
        if self.words:
            return [(1.0, 0.0)]
        if self.kind != "number":
            wanted = (maxVal - minVal) * 90 / max(size, 1)
            step = next((step for step in TIME_STEPS_S if step >= wanted), math.ceil(wanted / DAY_S) * DAY_S)
            # Ticks stand at whole hours and days of the local time.
            offset = -datetime.fromtimestamp(maxVal).astimezone().utcoffset().total_seconds()  # type: ignore[union-attr]
            return [(float(step), offset if self.kind == "clock" else 0.0)]
        spaced = super().tickSpacing(minVal, maxVal, size)
        least = self.least_step
        if self.orientation in ("bottom", "top"):
            least = max(least, (maxVal - minVal) * LABEL_PX / max(size, 1))
        return [(round_step(least) if step < least else step, offset) for step, offset in spaced]

    def tickStrings(self, values: list[float], scale: float, spacing: float | None) -> list[str]:
        if self.words:
            return [self.words[round(value)] if 0 <= round(value) < len(self.words) else "" for value in values]
        if self.logMode:
            return log_labels(values)
        if self.kind != "number":
            return [format_time(value, self.kind, spacing or 1.0) for value in values]
        places = max(0, math.ceil(-math.log10(spacing or 1.0)))
        return [format_number(value, 3) if places > MOST_PLACES else format_fixed(value, places) for value in values]

    def logTickValues(self, low_power: float, high_power: float, size: float, standard: Ticks) -> Ticks:
        return [(None, log_ticks(low_power, high_power))]


def format_time(seconds: float, kind: Kind, step: float = 1.0) -> str:
    """Return a duration or a time of day, as precise as steps of `step` seconds need.

    Example:
        >>> format_time(90, "duration"), format_time(5400, "duration", 1800)
        ('1:30', '1 h 30')
    """
    if kind == "clock":
        when = datetime.fromtimestamp(seconds)
        return f"{when:%d %b}" if step >= DAY_S else f"{when:%H:%M}" if step >= MINUTE_S else f"{when:%H:%M:%S}"
    hours, rest = divmod(round(seconds), HOUR_S)
    minutes, left = divmod(rest, MINUTE_S)
    if step < MINUTE_S:
        return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"
    return f"{hours} h {minutes:02d}" if hours else f"{minutes} min"


def log_ticks(low: float, high: float) -> list[float]:
    """Return the exponents to mark.

    They are even steps within a decade, 1 to 9 in a few decades, and powers of ten in many.
    """
    if high - low < 1:
        least, most = 10**low, 10**high
        step = round_step((most - least) / 5)
        return [math.log10(step * i) for i in range(math.ceil(least / step), math.floor(most / step) + 1)]
    multiples = range(1, 10) if high - low <= FEW_DECADES else (1,)
    stride = math.ceil((high - low) / MOST_LABELS)
    powers = range(math.floor(low), math.floor(high) + 1, stride)
    marks = [power + math.log10(multiple) for power in powers for multiple in multiples]
    return [mark for mark in marks if low <= mark <= high]


def log_labels(exponents: list[float]) -> list[str]:
    """Return the values of powers of ten as texts; of many only those that begin with 1, 2 or 5."""
    few = len(exponents) <= MOST_LABELS
    named = [few or round(10 ** (exponent % 1)) in (1, 2, 5, 10) for exponent in exponents]
    return [format_number(10**exponent, 3) if name else "" for exponent, name in zip(exponents, named, strict=True)]


def round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * 0.999999)
