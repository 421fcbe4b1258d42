"""Dimensions of a search space: a list of values or a range, each with an optional condition."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.config import Setting

# Significant digits of a number drawn from a range: enough to tell two apart, few enough to read.
DIGITS = 4
Values = dict[str, Any]
Conditions = Mapping[str, tuple[Any, ...]]


def lists_to_tuples(values: Mapping[str, Any]) -> Values:
    """Return values from JSON, which has no tuples, with tuples for lists, as a config holds them."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


@dataclass(frozen=True)
class Dimension:
    """Base of both kinds of dimension.

    Args:
        name: the config field.
        when: other fields and the values they must have for this one to matter; empty if it always does.
    """

    name: str
    when: Conditions = field(default_factory=dict, kw_only=True)

    def is_active(self, values: Mapping[str, Any]) -> bool:
        """Return whether the field matters together with these values."""
        return all(name in values and values[name] in wanted for name, wanted in self.when.items())


@dataclass(frozen=True)
class Categorical(Dimension):
    """A list of values; numbers are ordered, anything else is one-hot encoded."""

    values: tuple[Setting, ...]

    @property
    def count(self) -> int:
        """Return the number of values."""
        return len(self.values)

    @property
    def is_ordered(self) -> bool:
        """Return whether the values are numbers."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)

    def options(self) -> Sequence[Setting]:
        """Return every value, in order."""
        return self.values

    def from_unit(self, share: float) -> Setting:
        """Return the value at a position in [0, 1)."""
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    def features(self, value: Any) -> list[float]:
        """Encode a value as numbers in [0, 1]: its rank if ordered, else one-hot."""
        if not self.is_ordered:
            return [float(value == each) for each in self.values]
        places = [index / max(1, len(self.values) - 1) for index in range(len(self.values))]
        ordered = sorted(float(each) for each in self.values)  # type: ignore[arg-type]
        return [float(np.interp(float(value), ordered, places))]

    @property
    def width(self) -> int:
        """Return the number of features of a value."""
        return 1 if self.is_ordered else len(self.values)

    def contains(self, value: Any) -> bool:
        """Return whether the value is in the list."""
        return value in self.values

    def to_dict(self) -> Any:
        """Return the dimension as in a space file."""
        values = [list(value) if isinstance(value, tuple) else value for value in self.values]
        return {"values": values, "when": _written(self.when)} if self.when else values


@dataclass(frozen=True)
class Numeric(Dimension):
    """All numbers from `low` to `high`, both included; `log` gives each decade the same probability."""

    low: float
    high: float
    log: bool = False
    whole: bool = False
    width = 1
    is_ordered = True

    @property
    def count(self) -> int | None:
        """Return the number of values; None for a range of fractions."""
        return int(self.high) - int(self.low) + 1 if self.whole else None

    def options(self) -> Sequence[Setting]:
        """Return every whole number of the range."""
        return range(int(self.low), int(self.high) + 1)

    def from_unit(self, share: float) -> Setting:
        """Return the value at a position in [0, 1]."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        value = low + share * (high - low)
        value = math.exp(value) if self.log else value
        rounded = round(value) if self.whole else float(f"{value:.{DIGITS}g}")
        return min(max(rounded, int(self.low) if self.whole else self.low), int(self.high) if self.whole else self.high)

    def features(self, value: Any) -> list[float]:
        """Encode a value as its position in [0, 1]."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        inside = min(max(float(value), self.low), self.high)
        return [(self._scaled(inside) - low) / (high - low)]

    def contains(self, value: Any) -> bool:
        """Return whether the value lies in the range."""
        return self.low <= float(value) <= self.high

    def to_dict(self) -> Any:
        """Return the dimension as in a space file."""
        bounds = {"low": int(self.low) if self.whole else self.low, "high": int(self.high) if self.whole else self.high}
        more = {"when": _written(self.when)} if self.when else {}
        return {**bounds, "log": self.log, **more}

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.log else value


AnyDimension = Categorical | Numeric


def _written(when: Conditions) -> dict[str, list[Any]]:
    return {name: list(wanted) for name, wanted in when.items()}
