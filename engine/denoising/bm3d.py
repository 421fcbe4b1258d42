"""BM3D, if its package is installed: similar blocks are stacked, transformed and shrunk together.

Dabov, Foi, Katkovnik, Egiazarian: Image denoising by sparse 3-D transform-domain collaborative filtering, IEEE Trans.
Image Processing 16 (2007). The package is its authors', free for non-commercial use, so Engram does not install it.
"""

import importlib
from typing import Any, Final

from engine.denoising.filters import Images, Picture, map_images
from engine.errors import BaselineMissing

INSTALL: Final = "pip install bm3d"

package: Any
try:
    package = importlib.import_module("bm3d")
except ImportError:
    package = None


def is_installed() -> bool:
    """Return whether BM3D is installed."""
    return package is not None


def bm3d(images: Images, factor: float = 1.3) -> Images:
    """Apply BM3D with its authors' settings at factor * noise: float32 (n, height, width, 1) in [0, 1] -> the same.

    Raises:
        BaselineMissing: its package is not installed.
    """
    if package is None:
        raise BaselineMissing("BM3D is not installed.", f"Install it: {INSTALL}")

    def matched(picture: Picture, noise: float) -> Picture:
        found: Picture = package.bm3d(picture, sigma_psd=factor * noise)
        return found

    return map_images(images, matched)
