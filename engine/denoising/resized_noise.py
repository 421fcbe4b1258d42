"""What white noise is like after an image was prepared: resizing averages it and correlates its pixels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from engine import data
from engine.config import DataConfig
from engine.data import Scan
from engine.denoising.noisy_image import WHITE, NoiseShape, measure_shape

GRAY, SPREAD, SEED = 0.5, 0.1, 0


def shape_of_scan(scan: Scan, config: DataConfig) -> NoiseShape:
    """Measure white noise of a file's size that is prepared as the file is."""
    noise = _draw_noise(scan.pixels.shape[1:3])
    return measure_shape(data.prepare(replace(scan, pixels=noise[np.newaxis]), _without_scaling(config), 0))


def shape_of_file(path: Path, config: DataConfig) -> NoiseShape:
    """Measure the same for an image of a dataset's folder; white noise if its size cannot be read."""
    try:
        with PillowImage.open(path) as opened:
            width, height = opened.size
    except (OSError, ValueError, PillowImage.DecompressionBombError):
        return WHITE
    return measure_shape(data.prepare(_draw_noise((height, width)), _without_scaling(config)))


def _draw_noise(shape: tuple[int, ...]) -> np.ndarray:
    drawn = GRAY + SPREAD * np.random.default_rng(SEED).standard_normal(shape, np.float32)
    return np.clip(drawn, 0.0, 1.0)


def _without_scaling(config: DataConfig) -> DataConfig:
    return config.model_copy(update={"normalisation": "none"})
