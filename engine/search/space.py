"""Search space: the config fields that vary, and their values. Imports no framework.

A space file is JSON, from a field to its values:

    {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": true},
     "batch_size": [16, 32, 64],
     "model": ["ae", "vae"],
     "beta": {"low": 0.1, "high": 10, "log": true, "when": {"model": ["vae"]}},
     "filters": [[32, 64, 128], [16, 32, 64, 128]]}

`when` limits a field to some values of another. A field that only some of the models in the space have is limited to
those models automatically.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import config
from engine.config import RESOURCES, RunConfig
from engine.errors import ConfigError
from engine.search.dimensions import AnyDimension, Values
from engine.search.space_file import parse_space

# A space of at most this many points is enumerated.
ENUMERATION_LIMIT = 20_000
INACTIVE = 0.5


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


def parse(described: Mapping[str, Any], base: RunConfig) -> Space:
    """Parse the content of a space file.

    Args:
        described: field -> list, or `{"low", "high", "log"}`, or `{"values"}`; with `"when"` if it is conditional.
        base: the settings that do not vary; they define the model and so the fields.

    Returns:
        The space.

    Raises:
        ConfigError: an unknown field, a value out of the field's range, a condition that cannot be met.
    """
    return Space(parse_space(described, base))


def load_space(path: Path | str, base: RunConfig) -> Space:
    """Load a space file.

    Raises:
        ConfigError: it cannot be read, or its content is not valid (see `parse`).
    """
    try:
        described = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"The space file {path} cannot be read ({error}).", "Use a JSON file.") from None
    if not isinstance(described, dict):
        raise ConfigError(f"The space file {path} must map settings to values.", 'Example: {"latent": [256, 512]}.')
    return parse(described, base)


def presets() -> dict[str, Mapping[str, Any]]:
    """Return the spaces of the presets that have one, as in a space file."""
    contents = {
        file.stem: json.loads(file.read_text("utf-8")) for file in sorted((RESOURCES / "presets").glob("*.json"))
    }
    return {name: content["space"] for name, content in contents.items() if "space" in content}


def preset(name: str) -> tuple[RunConfig, Space]:
    """Return the settings and the space of a preset.

    Those of 'study-ae' and 'study-vae' are Tables 1 and 2 of the reference study.

    Raises:
        ConfigError: there is no such preset, or it has no space.
    """
    base = config.preset(name)
    name, found = config.current_preset(name), presets()
    if name not in found:
        raise ConfigError(f"The preset '{name}' has no search space.", f"Choose one of: {', '.join(found)}.")
    return base, parse(found[name], base)


def config_key(values: Mapping[str, Any], base: RunConfig) -> str:
    """Return a text that identifies a configuration, whatever space it was drawn from."""
    return json.dumps({**config.to_flat(base), **values}, sort_keys=True, default=list)
