"""Shapes and counts as text."""

import math
from collections.abc import Sequence


def format_size(sides: Sequence[float]) -> str:
    """Format the sides of a window or a stride: '3 × 3'."""
    return " × ".join(f"{side:.3g}" for side in sides)


def numbers_in(shape: Sequence[int]) -> int:
    """Count the values in a layer's output for one image."""
    return math.prod(shape)


def pluralize(count: int, what: str) -> str:
    """Format a count with its noun: '1 channel', '8,192 values'."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def describe_shape(shape: Sequence[int]) -> str:
    """Describe a shape: '64 channels of 32 × 32', '512 values'."""
    if len(shape) == 1:
        return pluralize(shape[0], "value")
    return f"{pluralize(shape[-1], 'channel')} of {format_size(shape[:-1])}"


def ratio(before: int, after: int) -> str:
    """Describe the change of a count: '4× fewer values than its input', 'as many values as its input'."""
    if before == after:
        return "as many values as its input"
    more, less = max(before, after), min(before, after)
    times = f"{more / less:.3g}×"
    return f"{times} fewer values than its input" if after < before else f"{times} as many values as its input"
