"""From the stored values of DICOM frames to intensities in [0, 1] (PS3.3 C.11.1 and C.11.2).

Stored values that are padding become NaN, the others go through the modality transform and then the window or the VOI
lookup table. All of it is computed in float64 and rounded to float32 at the end.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.data.decoded_image import describe_percentiles, scale_between, scale_to_percentiles
from engine.data.dicom_header import Header
from engine.data.dicom_pixels import PixelLayout
from engine.data.dicom_tables import LookupTable, read_table
from engine.data.volume_grid import Levels

_TRANSFORM: Final = "PixelValueTransformationSequence"
_VOI: Final = "FrameVOILUTSequence"
_PADDING: Final = {  # pixels -> value and limit of the padding
    "PixelData": ("PixelPaddingValue", "PixelPaddingRangeLimit"),
    "FloatPixelData": ("FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
    "DoubleFloatPixelData": ("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
}
_COMMA: Final = "A comma in Window"  # begins the note on a decimal comma; it may stand for thousands
_MAX_WHITE: Final = 0.5
# A window this many times wider than the values that the file can hold shows one gray value.
_MAX_WINDOW_RATIO: Final = 1000


@dataclass(frozen=True)
class Window:
    """Level, width and shape of a window."""

    level: float
    width: float
    shape: str

    def is_beyond(self, low: float, high: float, gap: float = 0.0) -> bool:
        """Return whether all of it lies more than a gap below or above some values."""
        return self.level - self.width / 2 > high + gap or self.level + self.width / 2 < low - gap

    @property
    def levels(self) -> Levels | None:
        """Return the values that become black and white; None if the window is not a straight line between them."""
        if self.shape == "SIGMOID":
            return None
        is_exact = self.shape == "LINEAR_EXACT"
        middle, width = (self.level, self.width) if is_exact else (self.level - 0.5, max(self.width - 1, 1e-6))
        return middle - width / 2, middle + width / 2

    def apply(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the intensities in [0, 1] of values (C.11.2.1.2 and C.11.2.1.3)."""
        if self.shape == "SIGMOID":
            with np.errstate(over="ignore"):
                return 1 / (1 + np.exp(-4 * (values - self.level) / self.width))
        if self.shape == "LINEAR_EXACT":
            return np.clip((values - self.level) / self.width + 0.5, 0, 1)
        return np.clip((values - (self.level - 0.5)) / max(self.width - 1, 1e-6) + 0.5, 0, 1)


class Modality:
    """Transform of stored values to the quantity that they represent, for each frame.

    Args:
        header: header of the file; gets notes on what cannot be used.
        layout: layout of its pixels.
    """

    def __init__(self, header: Header, layout: PixelLayout) -> None:
        self._table = read_table(header, "ModalityLUTSequence", layout.signed)
        self._lines = [(1.0, 0.0) if self._table else _rescale(header, frame) for frame in range(layout.frames)]
        self._padding = _padding_range(header, layout)
        self._stored = layout.limits
        self.is_fine = layout.is_float or any(slope % 1 for slope, _ in self._lines)

    def apply(self, stored: NDArray[Any], frame: int) -> NDArray[np.float64]:
        """Return the quantity of each stored value of a frame; NaN for padding."""
        values = self._transform(stored, frame)
        if self._padding:
            values[(stored >= self._padding[0]) & (stored <= self._padding[1])] = np.nan
        return values

    def limits(self, frame: int) -> tuple[float, float] | None:
        """Return the lowest and the highest quantity that a frame can hold; None if that is not known."""
        if self._table:
            return float(self._table.values.min()), float(self._table.values.max())
        if self._stored is None:
            return None
        ends = self._transform(np.array(self._stored), frame)
        return float(ends.min()), float(ends.max())

    @property
    def can_be_negative(self) -> bool:
        """Return whether a quantity can be negative."""
        return any((limits := self.limits(frame)) is None or limits[0] < 0 for frame in range(len(self._lines)))

    @property
    def is_exact_in_float32(self) -> bool:
        """Return whether float32 has room for the differences of the quantities."""
        large = self._stored is None or max(map(abs, self._stored)) >= 2**16
        steep = any(
            not 1e-20 < abs(slope) < 1e20 or abs(offset) > 2**6 * abs(slope) * 2**10 for slope, offset in self._lines
        )
        return not large and not steep

    def _transform(self, stored: NDArray[Any], frame: int) -> NDArray[np.float64]:
        if self._table:
            return self._table.apply(stored).astype(np.float64)
        slope, offset = self._lines[frame]
        if (slope, offset) == (1.0, 0.0):
            return stored.astype(np.float64)
        with np.errstate(over="ignore"):
            return stored.astype(np.float64) * slope + offset


def has_own_contrast(header: Header, layout: PixelLayout) -> bool:
    """Return whether a file brings a window or a VOI look-up table that can be used."""
    modality = Modality(header, layout)
    windows = _windows(header, modality, layout.frames)
    return bool(windows) or read_table(header, "VOILUTSequence", modality.can_be_negative) is not None


def read_window(header: Header, layout: PixelLayout, frame: int, values: NDArray[Any]) -> Levels | None:
    """Return the nominal ends of the window of a frame, level ± width / 2; None if it has none.

    Args:
        header: header of the file.
        layout: layout of its pixels.
        frame: the frame.
        values: the quantities of all frames.
    """
    windows = _windows(header, Modality(header, layout), layout.frames, [values])
    if not windows:
        return None
    level, half = windows[frame].level, windows[frame].width / 2
    return level - half, level + half


def show_frames_between(
    header: Header, layout: PixelLayout, frames: Iterable[NDArray[Any]], span: tuple[float, float]
) -> tuple[NDArray[np.float32], list[Levels]]:
    """Return gray frames with a given black and white, whatever window the file has; see `show_frames`."""
    modality = Modality(header, layout)
    values = np.stack([modality.apply(stored, number) for number, stored in enumerate(frames)])
    header.add_note(f"Displayed with the window of its series, {span[0]:g} to {span[1]:g}.")
    return _finish(header, scale_between(values, *span), [span] * layout.frames)


def show_frames(
    header: Header, layout: PixelLayout, frames: Iterable[NDArray[Any]]
) -> tuple[NDArray[np.float32], list[Levels]]:
    """Return gray frames for display.

    Args:
        header: header of the file; gets notes on the transforms.
        layout: layout of its pixels.
        frames: the stored values, (rows, columns) each.

    Returns:
        float32 (frames, rows, columns) in [0, 1], where padding outside the field of view is black; and for each frame
        the values that are black and white, none if the transform cannot be inverted.
    """
    modality = Modality(header, layout)
    shown_values: Iterable[NDArray[Any]] = ()
    if any(len(header.numbers("WindowCenter", frame, _VOI)) > 1 for frame in range(layout.frames)):
        frames = list(frames)
        shown_values = (modality.apply(stored, number) for number, stored in enumerate(frames))
    windows = _windows(header, modality, layout.frames, shown_values)
    if windows and any(note.startswith(_COMMA) for note in header.notes):
        frames = list(frames)
        shown_white = [windows[at].apply(modality.apply(stored, at)) >= 1 for at, stored in enumerate(frames)]
        if np.mean(shown_white) > _MAX_WHITE:
            header.add_note("The window/level stored in the file would make most of the image white and is not used.")
            windows = []
    table = None if windows else read_table(header, "VOILUTSequence", modality.can_be_negative)
    shown = windows or table or modality.is_exact_in_float32
    pixels: NDArray[Any] = np.empty((layout.frames, layout.rows, layout.columns), np.float32 if shown else np.float64)
    for number, stored in enumerate(frames):
        values = modality.apply(stored, number)
        pixels[number] = windows[number].apply(values) if windows else _apply_table(table, values) if table else values
    levels = [each.levels for each in windows]
    if windows:
        _note_windows(header, windows)
    elif table:
        header.add_note("Displayed with the VOI look-up table stored in the file.")
    else:
        pixels, low, high = scale_to_percentiles(pixels)
        header.add_note(f"No window/level stored in the file; {describe_percentiles(low, high)}")
        levels = [(low, high if high > low else low + 1)] * layout.frames if np.isfinite(low) else []
    linear = [each for each in levels if each is not None]
    return _finish(header, pixels, linear if len(linear) == len(levels) else [])


def _finish(
    header: Header, pixels: NDArray[np.float32], levels: list[Levels]
) -> tuple[NDArray[np.float32], list[Levels]]:
    """Invert frames in which low values are bright, with their black and white, and blacken the padding."""
    if is_inverted(header):
        is_monochrome1 = header.text("PhotometricInterpretation") == "MONOCHROME1"
        why = "because low values are bright in this file (MONOCHROME1)"
        header.notes[-1] += (
            f" Inverted, {why if is_monochrome1 else 'as the file asks (Presentation LUT Shape: INVERSE)'}."
        )
        pixels, levels = np.subtract(1, pixels, out=pixels), [each[::-1] for each in levels]
    return np.nan_to_num(pixels, copy=False), levels


def _apply_table(table: LookupTable, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isnan(values), np.nan, table.apply(values) / table.white)


def is_inverted(header: Header) -> bool:
    """Return whether low values are bright."""
    is_monochrome1 = header.text("PhotometricInterpretation") == "MONOCHROME1"
    return is_monochrome1 or header.text("PresentationLUTShape") == "INVERSE"


def _note_windows(header: Header, windows: list[Window]) -> None:
    more = ", different for each frame" if len(set(windows)) > 1 else ""
    header.add_note(
        f"Displayed with the window/level stored in the file: level {windows[0].level:g}, width "
        f"{windows[0].width:g}{more}."
    )


def _rescale(header: Header, frame: int) -> tuple[float, float]:
    """Return slope and intercept of a frame; 1 and 0 if it has none that can be used."""
    slopes = header.numbers("RescaleSlope", frame, _TRANSFORM)
    offsets = header.numbers("RescaleIntercept", frame, _TRANSFORM)
    has_slope = header.has("RescaleSlope", frame, _TRANSFORM)
    is_offset_empty = header.value("RescaleIntercept", frame, _TRANSFORM) is None
    slope_fits = not has_slope or (len(slopes) == 1 and slopes[0] != 0)
    if slope_fits and (is_offset_empty or len(offsets) == 1):
        return (slopes[0] if slopes else 1.0), (offsets[0] if offsets else 0.0)
    header.add_note("The rescale slope or intercept in the file cannot be used; its values are not rescaled.")
    return 1.0, 0.0


def _padding_range(header: Header, layout: PixelLayout) -> tuple[float, float] | None:
    """Return the lowest and the highest stored value that is padding; None if the file declares none."""
    value, limit = (header.number(keyword) for keyword in _PADDING[layout.keyword])
    if value is None:
        return None
    ends = [layout.to_stored(end) for end in (value, value if limit is None else limit)]
    return min(ends), max(ends)


def _windows(header: Header, modality: Modality, frames: int, values: Iterable[NDArray[Any]] = ()) -> list[Window]:
    """Return the first usable window of each frame; none if a frame has no window.

    Args:
        header: header of the file; gets a note on a window that is not used.
        modality: its transform.
        frames: number of frames.
        values: the quantities of the frames; if the first window lies far from them and another one shows them, that
            one is used.
    """
    span = _find_span(values)
    windows: list[Window] = []
    for frame in range(frames):
        stored = _list_windows(header, frame, modality.is_fine)
        limits = modality.limits(frame)
        found = [each for each in stored if not limits or _fits(each, *limits)]
        if found and span and found[0].is_beyond(*span, gap=span[1] - span[0]):
            found = [each for each in found if not each.is_beyond(*span)] or found
        if stored and found[:1] != stored[:1]:
            instead = f"; the one with level {found[0].level:g}, width {found[0].width:g} is" if found else ""
            header.add_note(
                f"The window/level stored in the file (level {stored[0].level:g}, width {stored[0].width:g}) does not "
                f"fit the values that it {'holds' if found else 'can hold'} and is not used{instead}."
            )
        if not found:
            return []
        windows.append(found[0])
    return windows


def _find_span(values: Iterable[NDArray[Any]]) -> tuple[float, float] | None:
    """Return the lowest and the highest of some values; None if they are all equal or no numbers."""
    finite = [each[np.isfinite(each)] for each in values]
    ends = [(float(each.min()), float(each.max())) for each in finite if each.size]
    if not ends:
        return None
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return (low, high) if low < high else None


def _list_windows(header: Header, frame: int, is_fine: bool) -> list[Window]:
    levels = header.numbers("WindowCenter", frame, _VOI)
    widths = header.numbers("WindowWidth", frame, _VOI)
    shape = header.text("VOILUTFunction", frame, _VOI)
    shape = shape if shape in {"SIGMOID", "LINEAR_EXACT"} else "LINEAR"
    found = []
    for level, width in zip(levels, widths, strict=False):
        if width > 0:
            # By the letter, a linear window of width 1 is a threshold, and a narrower one is not allowed. Writers of
            # maps with values from 0 to 1 mean the exact form.
            is_exact = shape == "LINEAR" and (width < 1 or (is_fine and width <= 1))
            found.append(Window(level, width, "LINEAR_EXACT" if is_exact else shape))
    return found


def _fits(window: Window, low: float, high: float) -> bool:
    """Return whether a window shows some of the values from low to high."""
    return not window.is_beyond(low, high) and window.width <= _MAX_WINDOW_RATIO * max(high - low, 1e-30)
