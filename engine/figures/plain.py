"""Images without a title: grayscale PNG files, one pixel each."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.durable import name_failures
from engine.figures import DISCLAIMER


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
    facts = PngInfo()
    facts.add_text("Software", "Engram")
    facts.add_text("Description", DISCLAIMER)
    picture = Image.fromarray(levels.astype(np.uint16 if bits == 16 else np.uint8))
    with name_failures(Path(path)):
        picture.save(path, format="PNG", pnginfo=facts)
    return Path(path)
