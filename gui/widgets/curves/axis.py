"""Axis of a plot; it formats numbers as the rest of the app does."""

import math

import pyqtgraph as pg

from gui.formatting import format_fixed, format_number

MOST_LABELS = 7
MOST_PLACES = 5
FEW_DECADES = 3
Ticks = list[tuple[float | None, list[float]]]


class NumberAxis(pg.AxisItem):
    """Linear or logarithmic axis.

    A logarithmic axis labels 1, 2 and 5 of each decade, and plain numbers within one decade.
    """

    least_step = 0.0

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:  # noqa: N803 - Qt-like
        """Return the tick spacing, without ticks between whole steps where there is no data between them."""
        spaced = super().tickSpacing(minVal, maxVal, size)
        return [(max(step, self.least_step), offset) for step, offset in spaced]

    def tickStrings(self, values: list[float], scale: float, spacing: float | None) -> list[str]:
        if self.logMode:
            return log_labels(values)
        places = max(0, math.ceil(-math.log10(spacing or 1.0)))
        return [format_number(value, 3) if places > MOST_PLACES else format_fixed(value, places) for value in values]

    def logTickValues(self, low_power: float, high_power: float, size: float, standard: Ticks) -> Ticks:
        return [(None, log_ticks(low_power, high_power))]


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
