"""Metrics of reconstructions and of latent codes. Pure functions of arrays.

Images are uint8, uint16, or floats in [0, 1], of shape (n, height, width) or (n, height, width, 1); metrics relative
to a range use that of the type (`data_range`). Every function returns one number per image, so that none depends on how
images are batched.
"""

from engine.metrics.head_mask import head_mask
from engine.metrics.likelihood import (
    ACTIVE_NATS,
    active_units,
    cross_entropy_nats,
    divergence_nats,
    divergences_nats,
    entropy_floor_nats,
)
from engine.metrics.pixelwise import data_range, mae, mse, mse_to_psnr_db, psnr_db
from engine.metrics.ssim import WINDOW_PX, ms_ssim, scales, similarity, ssim

__all__ = [
    "ACTIVE_NATS",
    "WINDOW_PX",
    "active_units",
    "cross_entropy_nats",
    "data_range",
    "divergence_nats",
    "divergences_nats",
    "entropy_floor_nats",
    "head_mask",
    "mae",
    "ms_ssim",
    "mse",
    "mse_to_psnr_db",
    "psnr_db",
    "scales",
    "similarity",
    "ssim",
]
