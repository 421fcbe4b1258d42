"""Receptive fields: the pixels of the image that a unit of a layer depends on, from kernels and strides alone.

The receptive field of a unit is a box of pixels. The rows of the box depend only on the unit's row, its columns on the
unit's column. So two short tables describe a whole layer, and each kind of layer derives its tables from those before
it. That is exact for transposed convolutions, whose units see alternating numbers of pixels, for skips, where the box
covers all paths, and at the borders, where a part of the kernel lies outside of the image and sees nothing.

A box gives what can matter, not how much: its middle usually counts most (Luo et al., Understanding the effective
receptive field, NeurIPS 2016). Batch normalization in inference uses stored statistics, so it widens nothing. Group and
layer normalization use statistics of the whole layer, and depend on all pixels that the layer depends on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Spans = NDArray[np.int64]
POINTWISE = {
    *("Activation", "BatchNormalization", "Dropout", "ELU", "GaussianDropout", "GaussianNoise", "Identity"),
    *("LeakyReLU", "PReLU", "ReLU", "Rescaling", "SpatialDropout2D"),
    *("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract"),
    *("AddedToInput", "Bounded", "Sampling"),
}
WHOLE = {"Dense", "Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "GroupNormalization", "Reshape"}


@dataclass(frozen=True, eq=False)
class ReceptiveField:
    """Receptive fields of the units of one layer.

    Args:
        rows: (height, 2), first and last row of pixels for each row of units; first > last if a unit sees none.
        columns: (width, 2), the same across. A layer without positions has one row and one column for all units.
        known: False if the kind of layer is unknown; its field is then taken as the whole image.
    """

    rows: Spans
    columns: Spans
    known: bool = True

    @property
    def size(self) -> tuple[int, int]:
        """Return the size (height, width) in pixels of the largest box; near a border, part of it lies outside."""
        return _longest(self.rows), _longest(self.columns)

    @property
    def step(self) -> tuple[float, float]:
        """Return the distance in pixels, (down, across), between the boxes of neighboring units; 0 if all are equal."""
        return _step(self.rows), _step(self.columns)

    def box(self, row: int = 0, column: int = 0) -> tuple[int, int, int, int]:
        """Return the box of one unit, (x, y, width, height) in pixels."""
        (top, bottom), (left, right) = self.rows[self._at(self.rows, row)], self.columns[self._at(self.columns, column)]
        return int(left), int(top), int(right - left + 1), int(bottom - top + 1)

    def center(self, row: int = 0, column: int = 0) -> tuple[float, float]:
        """Return the center (x, y) of one unit's box, in pixels; the center of the first pixel is (0.5, 0.5)."""
        x, y, width, height = self.box(row, column)
        return x + width / 2, y + height / 2

    def middle(self) -> tuple[int, int]:
        """Return row and column of the unit in the middle of the layer."""
        return len(self.rows) // 2, len(self.columns) // 2

    @staticmethod
    def _at(spans: Spans, place: int) -> int:
        """Return the row of the table; a layer without positions has one for all."""
        return place if len(spans) > 1 else 0


def image_field(height: int, width: int) -> ReceptiveField:
    """Return the field of the image itself: every pixel sees itself."""
    rows, columns = (np.stack([np.arange(count, dtype=np.int64)] * 2, axis=1) for count in (height, width))
    return ReceptiveField(rows, columns)


def layer_field(
    operation: Any, inputs: Sequence[ReceptiveField], shape: tuple[int, ...], image: ReceptiveField
) -> ReceptiveField:
    """Return the field of a layer.

    Args:
        operation: the Keras layer or operation.
        inputs: the fields of all its inputs; empty if unknown.
        shape: shape of its activation for one image: (height, width, channels), or (values,).
        image: the field of the image.
    """
    kind = type(operation).__name__
    if not inputs:
        return _whole([image], shape, known=False)
    if kind in WHOLE or (kind == "LayerNormalization" and not _over_channels(operation, shape)):
        return _whole(inputs, shape, known=all(field.known for field in inputs))
    if kind in POINTWISE or kind == "LayerNormalization":
        return _joined(inputs)
    if kind in WINDOWS and len(inputs) == 1 and len(shape) == 3:
        return _windowed(operation, inputs[0], shape)
    if kind == "Subspace":
        return _whole([image], shape, known=True)
    return _whole([image], shape, known=False)


def kernel_of(operation: Any) -> tuple[int, ...]:
    """Return (height, width) of a layer's window, without its dilation; empty for other layers."""
    found = getattr(operation, "kernel_size", None) or getattr(operation, "pool_size", None) or ()
    return tuple(int(side) for side in found)


def stride_of(operation: Any) -> tuple[int, ...]:
    """Return (down, across), the stride of a layer's window; empty for layers without one."""
    return tuple(int(side) for side in operation.strides) if kernel_of(operation) else ()


def _joined(inputs: Sequence[ReceptiveField]) -> ReceptiveField:
    """Unite the fields of all inputs, unit by unit; an input without positions is seen by all units."""
    height, width = max(len(field.rows) for field in inputs), max(len(field.columns) for field in inputs)
    tables = [(np.broadcast_to(f.rows, (height, 2)), np.broadcast_to(f.columns, (width, 2))) for f in inputs]
    rows, columns = (np.stack(spans) for spans in zip(*tables, strict=True))
    return ReceptiveField(_union(rows, axis=0), _union(columns, axis=0), all(field.known for field in inputs))


def _whole(inputs: Sequence[ReceptiveField], shape: tuple[int, ...], known: bool) -> ReceptiveField:
    """Return a field in which every unit sees everything that the inputs see."""
    counts = (shape[0], shape[1]) if len(shape) == 3 else (1, 1)
    rows, columns = np.concatenate([f.rows for f in inputs]), np.concatenate([f.columns for f in inputs])
    return ReceptiveField(
        np.tile(_union(rows, axis=0), (counts[0], 1)), np.tile(_union(columns, axis=0), (counts[1], 1)), known
    )


def _windowed(operation: Any, inputs: ReceptiveField, shape: tuple[int, ...]) -> ReceptiveField:
    """Return a field in which each unit sees what the units in its window see."""
    window = WINDOWS[type(operation).__name__]
    tables = []
    for axis, spans in enumerate((inputs.rows, inputs.columns)):
        first, last = window(operation, axis, len(spans), shape[axis])
        tables.append(_over(spans, first, last))
    return ReceptiveField(tables[0], tables[1], inputs.known)


def _over(spans: Spans, first: Spans, last: Spans) -> Spans:
    """Return the hull of some units' spans, from `first` to `last`, as far as they exist."""
    first, last = np.clip(first, 0, None), np.clip(last, None, len(spans) - 1)
    nothing = np.array([np.iinfo(np.int64).max // 2, -1])
    return np.array(
        [_union(spans[a : b + 1], axis=0) if b >= a else nothing for a, b in zip(first, last, strict=True)], np.int64
    )


def _union(spans: Spans, axis: int) -> Spans:
    return np.stack([spans[..., 0].min(axis=axis), spans[..., 1].max(axis=axis)], axis=-1)


def _convolution(operation: Any, axis: int, given: int, made: int) -> tuple[Spans, Spans]:
    """Return the units that unit i sees, from i * stride - pad on; 'same' pads the rest, the smaller half in front."""
    dilation = getattr(operation, "dilation_rate", (1, 1))[axis]
    stride, reach = stride_of(operation)[axis], (kernel_of(operation)[axis] - 1) * dilation
    missing = max((made - 1) * stride + reach + 1 - given, 0) if operation.padding == "same" else 0
    first = np.arange(made) * stride - missing // 2
    return first, first + reach


def _transposed(operation: Any, axis: int, given: int, made: int) -> tuple[Spans, Spans]:
    """Return the units whose windows, placed by the convolution that this one transposes, contain unit i."""
    kernel, stride = kernel_of(operation)[axis], stride_of(operation)[axis]
    place = np.arange(made) + (max(kernel - stride, 0) // 2 if operation.padding == "same" else 0)
    return -((kernel - 1 - place) // stride), place // stride


def _enlarged(operation: Any, axis: int, given: int, made: int) -> tuple[Spans, Spans]:
    """Return the units that unit i sees: one for nearest neighbor; for bilinear the two on either side."""
    factor = made // given
    if operation.interpolation == "nearest":
        return np.arange(made) // factor, np.arange(made) // factor
    place = (np.arange(made) + 0.5) / factor - 0.5
    return np.floor(place).astype(np.int64), np.ceil(place).astype(np.int64)


def _folded(operation: Any, axis: int, given: int, made: int) -> tuple[Spans, Spans]:
    return np.arange(made) * 2, np.arange(made) * 2 + 1


def _unfolded(operation: Any, axis: int, given: int, made: int) -> tuple[Spans, Spans]:
    return np.arange(made) // 2, np.arange(made) // 2


WINDOWS: dict[str, Callable[[Any, int, int, int], tuple[Spans, Spans]]] = {
    "Conv2D": _convolution,
    "DepthwiseConv2D": _convolution,
    "SeparableConv2D": _convolution,
    "AveragePooling2D": _convolution,
    "MaxPooling2D": _convolution,
    "Conv2DTranspose": _transposed,
    "UpSampling2D": _enlarged,
    "Fold": _folded,
    "Unfold": _unfolded,
}


def _over_channels(operation: Any, shape: tuple[int, ...]) -> bool:
    """Return whether a layer normalization normalizes along the channels of each position alone."""
    axes = operation.axis if isinstance(operation.axis, list | tuple) else [operation.axis]
    return all(axis in (-1, len(shape)) for axis in axes) and len(shape) == 3


def _longest(spans: Spans) -> int:
    return max(0, int((spans[:, 1] - spans[:, 0] + 1).max()))


def _step(spans: Spans) -> float:
    if len(spans) < 2 or np.all(spans == spans[0]):
        return 0.0
    return float(spans[:, 1].max() + 1 - spans[:, 0].min()) / len(spans)
