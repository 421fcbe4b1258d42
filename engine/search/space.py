"""Search space: the config fields that vary, and their values. Imports no framework.

A dimension is a list of values or a range, each with an optional condition.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import config
from engine.config import RunConfig, Setting
from engine.errors import ConfigError

# A space of at most this many points is enumerated.
ENUMERATION_LIMIT = 20_000
INACTIVE = 0.5
# Significant digits of a number drawn from a range: enough to tell two apart, few enough to read.
DIGITS = 4
Values = dict[str, Any]
Conditions = Mapping[str, tuple[Any, ...]]


def lists_to_tuples(values: Mapping[str, Any]) -> Values:
    """Return values from JSON, which has no tuples, with tuples for lists, as a config holds them.

    Example:
        >>> lists_to_tuples({"filters": [8, 16], "latent": 4})
        {'filters': (8, 16), 'latent': 4}
    """
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


@dataclass(frozen=True)
class Space:
    """A search space; each dimension comes after those that it depends on."""

    dimensions: tuple[AnyDimension, ...]

    @property
    def names(self) -> list[str]:
        """Return the config fields that vary."""
        return [dimension.name for dimension in self.dimensions]

    @property
    def is_finite(self) -> bool:
        """Return whether the points can be enumerated."""
        return all(dimension.count is not None for dimension in self.dimensions)

    def size(self) -> int | None:
        """Return the number of different points. Returns None if it is infinite."""
        if not self.is_finite:
            return None
        if not any(dimension.when for dimension in self.dimensions):
            return math.prod(dimension.count or 1 for dimension in self.dimensions)
        return sum(1 for _ in self.points())

    def points(self) -> Iterator[Values]:
        """Yield every point in a fixed order, the last dimension fastest; for a finite space only."""
        return self._points({}, self.dimensions)

    def _points(self, chosen: Values, left: tuple[AnyDimension, ...]) -> Iterator[Values]:
        if not left:
            yield dict(chosen)
        elif not left[0].is_active(chosen):
            yield from self._points(chosen, left[1:])
        else:
            for value in left[0].options():
                yield from self._points({**chosen, left[0].name: value}, left[1:])

    def contains(self, values: Mapping[str, Any]) -> bool:
        """Return whether these values are a point of the space."""
        active = [dimension for dimension in self.dimensions if dimension.is_active(values)]
        return {dimension.name for dimension in active} == set(values) and all(
            dimension.contains(values[dimension.name]) for dimension in active
        )

    def sample(self, rng: np.random.Generator) -> Values:
        """Draw a random point."""
        shares = rng.random(len(self.dimensions))
        return self._point(shares)

    def perturb(self, values: Mapping[str, Any], rng: np.random.Generator, spread: float = 0.15) -> Values:
        """Draw a random point near another one."""
        shares = rng.random(len(self.dimensions))
        for index, dimension in enumerate(self.dimensions):
            if dimension.is_ordered and dimension.name in values:
                place = dimension.features(values[dimension.name])[0]
                shares[index] = np.clip(place + spread * rng.standard_normal(), 0, 1)
        return self._point(shares)

    def _point(self, shares: NDArray[np.float64]) -> Values:
        chosen: Values = {}
        for dimension, share in zip(self.dimensions, shares, strict=True):
            if dimension.is_active(chosen):
                chosen[dimension.name] = dimension.from_unit(float(share))
        return chosen

    def features(self, values: Mapping[str, Any]) -> NDArray[np.float64]:
        """Encode a point as numbers in [0, 1] for a regression; an inactive setting is encoded as the middle.

        Args:
            values: field -> value.

        Returns:
            (d,), d the sum of the dimensions' widths.
        """
        parts: list[float] = []
        for dimension in self.dimensions:
            known = dimension.name in values and dimension.is_active(values)
            parts += dimension.features(values[dimension.name]) if known else [INACTIVE] * dimension.width
        return np.array(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the space as in a space file."""
        return {dimension.name: dimension.to_dict() for dimension in self.dimensions}

    def drop_dimension(self, name: str) -> "Space":
        """Return the same space without one dimension.

        Raises:
            ConfigError: another dimension depends on it.
        """
        for dimension in self.dimensions:
            if name in dimension.when:
                raise ConfigError(
                    f"'{dimension.name}' depends on '{name}', which is fixed.", f"Let '{name}' vary, or remove both."
                )
        return Space(tuple(dimension for dimension in self.dimensions if dimension.name != name))


def config_key(values: Mapping[str, Any], base: RunConfig) -> str:
    """Return a text that identifies a configuration, whatever space it was drawn from."""
    return json.dumps({**config.to_flat(base), **values}, sort_keys=True, default=list)
