"""From the stored values of a NIfTI volume to intensities in [0, 1].

Values are scaled in float64 where float32 has no room for them, shown with the range of the header if it fits the
values, and otherwise from their 0.1 to their 99.9 percentile. Color becomes gray as in `engine.data.raster`.
"""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.data.decoded_image import describe_percentiles, scale_to_percentiles
from engine.data.volume_grid import Levels

_LUMA: Final = (0.299, 0.587, 0.114)
# A display range fits if the values fill this share of it, and if it is not a sliver of them.
_MIN_FILLED: Final = 0.02
_MAX_SATURATED: Final = 0.95
ShownVolume = tuple[NDArray[np.float32], list[str], tuple[Levels, ...]]


def show_volume(raw: NDArray[Any], fields: Any) -> ShownVolume:
    """Convert stored values to gray for display.

    Args:
        raw: stored values, (x, y, z); overwritten if they are of the right type.
        fields: header as nibabel reads it.

    Returns:
        float32 (x, y, z) in [0, 1], the sentences on how it was made, and the values that are black and white, as in
        `VolumeGrid`.
    """
    if raw.dtype.names:
        return to_luma(raw), ["Color is shown as gray."], ()
    values = scale_values(raw, fields)
    low, high = float(fields["cal_min"]), float(fields["cal_max"])
    is_declared = math.isfinite(low) and math.isfinite(high) and low < high
    if is_declared and _fits(values, low, high):
        np.subtract(values, values.dtype.type(low), out=values)
        np.divide(values, values.dtype.type(high - low), out=values)
        pixels = np.clip(values, 0, 1, out=values).astype(np.float32, copy=False)
        note = f"Displayed with the range stored in the file: {low:g} is black, {high:g} is white."
        return np.nan_to_num(pixels, copy=False), [note], ((low, high),)
    start = f"The display range stored in the file ({low:g} to {high:g}) does not fit its values" if is_declared else ""
    pixels, low, high = scale_to_percentiles(values)
    note = f"{start or 'No display range stored in the file'}; {describe_percentiles(low, high)}"
    levels = ((low, high if high > low else low + 1),) if math.isfinite(low) and math.isfinite(high) else ()
    return np.nan_to_num(pixels, copy=False), [note], levels


def to_luma(raw: NDArray[Any]) -> NDArray[np.float32]:
    """Convert color to gray in [0, 1]; transparent voxels are blended with black."""
    gray = np.zeros(raw.shape, dtype=np.float32)
    for channel, share in zip("RGB", _LUMA, strict=True):
        gray += raw[channel] * np.float32(share / 255)
    # Files whose alpha is 0 everywhere do not use it.
    if "A" in (raw.dtype.names or ()) and raw["A"].any():
        gray *= raw["A"] / np.float32(255)
    return gray


def scale_values(raw: NDArray[Any], fields: Any) -> NDArray[np.float32] | NDArray[np.float64]:
    """Return the values that stored ones mean, in float32 if that has room for their differences."""
    values = np.abs(raw) if raw.dtype.kind == "c" else raw
    slope, offset = float(fields["scl_slope"]), float(fields["scl_inter"])
    has_slope = math.isfinite(slope) and slope != 0
    offset = offset if math.isfinite(offset) else 0.0
    is_plain = not has_slope or (slope, offset) == (1.0, 0.0)
    if is_plain and values.dtype.itemsize <= (4 if values.dtype.kind == "f" else 2):
        return values.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        wide: NDArray[np.float64] = values.astype(np.float64, copy=values.dtype != np.dtype(np.float64))
        if not is_plain:
            wide *= slope
            wide += offset
    return wide


def _fits(values: NDArray[Any], low: float, high: float) -> bool:
    """Return whether a display range shows the values: it meets them, is not much wider, and not much narrower."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return True
    least, most = float(finite.min()), float(finite.max())
    if least == most:
        return True
    filled = (min(most, high) - max(least, low)) / (high - low)
    saturated = int(np.count_nonzero(finite >= high)) / max(1, int(np.count_nonzero(finite > low)))
    is_sliver = saturated > _MAX_SATURATED and most - low > 2 * (high - low)
    return filled >= _MIN_FILLED and not is_sliver
