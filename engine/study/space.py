"""The order in which the points of a search space are tried."""

from collections.abc import Collection
from typing import Any

import numpy as np

from engine.search.space import Space

Value = int | float
Point = dict[str, Value]


def trials(space: Space, count: int, seed: int) -> list[Point]:
    """Which points to try, in order: a seeded draw without repetition, so a longer list begins as a shorter one.

    Args:
        space: what to draw from; finite.
        count: how many; fewer when the space has fewer.
        seed: seed of the draw.

    Returns:
        The points.
    """
    points = list(space.points())
    order = np.random.Generator(np.random.Philox(key=[seed, 0])).permutation(len(points))
    return [points[number] for number in order[:count]]


def values(space: Space) -> dict[str, list[Any]]:
    """The values of each setting of a finite space."""
    return {dimension.name: [*dimension.options()] for dimension in space.dimensions}


def without(space: Space, names: Collection[str]) -> Space:
    """The space of the other settings."""
    return Space(tuple(dimension for dimension in space.dimensions if dimension.name not in names))
