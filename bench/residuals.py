"""Whiteness of residuals and estimates of noise on phantoms: the source of the limits in engine.denoising.noisy_image.

    python bench/residuals.py

Prints the least, median and largest lag-1 autocorrelation of 60 residuals: of the noise itself (a perfect method), of
non-local means and total variation, and of blurs that remove anatomy; then the mean estimates of the noise level.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine import data, noise
from engine.config import DataConfig
from engine.denoising import filters
from engine.denoising.noisy_image import estimate_noise, report_residual

SIZES, SIGMAS, IMAGES = (64, 96, 128), (0.02, 0.05, 0.1, 0.15), 20


def main() -> None:
    datasets = [data.load(config=DataConfig(size=size, phantom_count=60)) for size in SIZES]
    for kind in ("gaussian", "rician"):
        for sigma in SIGMAS:
            rows: dict[str, list[float]] = {}
            found = []
            for dataset in datasets:
                clean = dataset.splits["train"].read(np.arange(IMAGES))
                noisy = noise.add_noise(clean, kind, sigma, seed=1)
                found += [estimate_noise(image) for image in noisy[..., 0]]
                for name, made in methods(clean, noisy).items():
                    pairs = zip(noisy[..., 0], made[..., 0], strict=True)
                    rows.setdefault(name, []).extend(report_residual(*pair).autocorrelation for pair in pairs)
            levels = np.mean([[each.gaussian, each.rician] for each in found], axis=0)
            print(f"{kind} {sigma:g}: estimated {levels[0]:.3f} (Gaussian), {levels[1]:.3f} (Rician)")
            for name, values in rows.items():
                print(f"    {name:16}{np.min(values):+.2f} {np.median(values):+.2f} {np.max(values):+.2f}")


def methods(clean: np.ndarray, noisy: np.ndarray) -> dict[str, np.ndarray]:
    blurs = {f"blur {width} px": gaussian_filter(noisy, (0, width, width, 0)) for width in (1, 2)}
    return {"perfect": clean, "nlm": filters.nlm(noisy), "tv": filters.tv(noisy)} | blurs


if __name__ == "__main__":
    main()
