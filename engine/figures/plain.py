"""Images without a title as PNG files: in gray, or in the color maps of the app; one pixel each."""

from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.colors import HEAT, SIGNED, TABLE_SIZE, make_color_table
from engine.durable import name_failures
from engine.figures import DISCLAIMER

MAPS = MappingProxyType({"heat": make_color_table(HEAT), "signed": make_color_table(SIGNED)})


def save_png(image: NDArray[np.float32], path: Path | str, bits: int = 8) -> Path:
    """Save an image as a grayscale PNG file.

    Args:
        image: (height, width), intensities 0 to 1; values outside are clipped.
        path: the file.
        bits: 8 or 16.

    Returns:
        The path.

    Raises:
        OSError: it cannot be written; `filename` is set.
    """
    levels = np.rint(np.clip(image, 0, 1).astype(np.float64) * (2**bits - 1))
    return _write(levels.astype(np.uint16 if bits == 16 else np.uint8), path)


def save_values(
    values: NDArray[np.float32],
    path: Path | str,
    limits: tuple[float, float] = (0.0, 1.0),
    colors: Literal["gray", "heat", "signed"] = "gray",
    is_inverted: bool = False,
) -> Path:
    """Save values as a PNG file, pixel by pixel as the app shows them.

    Args:
        values: (height, width), any numbers; those that are not finite become the lowest one.
        path: the file.
        limits: values of the first and the last color; others are clipped.
        colors: the color map.
        is_inverted: whether low values are bright, in gray.

    Returns:
        The path.

    Raises:
        OSError: it cannot be written; `filename` is set.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = save_values(np.eye(2, dtype=np.float32), f"{folder}/eye.png", (0, 1), "heat")
        ...     Image.open(path).getpixel((0, 0))
        (252, 255, 164)
    """
    span = np.float32(max(limits[1] - limits[0], 1e-12))
    share = (np.asarray(values, np.float32) - np.float32(limits[0])) / span
    share = np.clip(np.nan_to_num(share, nan=0.0, posinf=0.0, neginf=0.0), 0, 1)
    if colors != "gray":
        return _write(MAPS[colors][np.rint(share * (TABLE_SIZE - 1)).astype(np.uint8)], path)
    levels = np.rint(share * 255).astype(np.uint8)
    return _write(~levels if is_inverted else levels, path)


def _write(levels: NDArray[Any], path: Path | str) -> Path:
    facts = PngInfo()
    facts.add_text("Software", "Engram")
    facts.add_text("Description", DISCLAIMER)
    with name_failures(Path(path)):
        Image.fromarray(levels).save(path, format="PNG", pnginfo=facts)
    return Path(path)
