"""Choose the baselines' parameters: mean PSNR on validation scans for a grid of factors of the estimated noise.

    python bench/baselines.py --data DATA --scans 48

Gaussian noise of several sigmas, cut to [0, 1]. The factors that `engine.denoising.filters` has are the ones with the
highest mean over the sigmas.
"""

import argparse
import math
from functools import partial

import numpy as np
from skimage.restoration import estimate_sigma

from engine import config, data, metrics, noise
from engine.denoising import filters

SIGMAS = tuple(level / 255 for level in (5, 10, 15, 25, 40))
GRID = {
    "gaussian": (
        filters.gaussian,
        [{"factor": f, "power": p} for p in (0.65, 0.5, 0.4) for f in (2.0, 2.5, 3.0, 3.5, 4.0, 5.0)],
    ),
    "median": (filters.median, [{"small": s, "large": g} for s in (0.015, 0.022, 0.03) for g in (0.08, 0.1)]),
    "nlm": (
        filters.nlm,
        [
            {"factor": f, "patch": p, "reach": r}
            for p, r in ((5, 6), (5, 9), (7, 6), (7, 9))
            for f in (0.75, 0.85, 0.95)
        ],
    ),
    "tv": (filters.tv, [{"factor": f} for f in (0.6, 0.65, 0.7, 0.75, 0.8)]),
    "wavelet": (
        filters.wavelet,
        [{"factor": f, "kind": w} for w in ("haar", "db2", "db3") for f in (1.1, 1.2, 1.3, 1.4, 1.6)],
    ),
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", required=True)
    options.add_argument("--scans", type=int, default=48)
    options.add_argument("--only", action="append")
    chosen = options.parse_args()
    images = data.load(chosen.data, config.preset("denoiser-unet").data)
    rows = np.linspace(0, len(images.validation) - 1, chosen.scans).round().astype(int)
    clean = images.validation.read(rows)
    given = [noise.gaussian(clean, sigma, np.random.default_rng(0)) for sigma in SIGMAS]
    told = [float(np.mean([estimate_sigma(image[..., 0]) for image in noisy])) for noisy in given]
    print("sigma    ", "  ".join(f"{255 * sigma:6.1f}" for sigma in SIGMAS))
    print("estimate ", "  ".join(f"{255 * sigma:6.1f}" for sigma in told))
    show("noisy", clean, given)
    for name, (function, grid) in GRID.items():
        for values in grid if not chosen.only or name in chosen.only else ():
            denoise = partial(function, **values)
            show(f"{name} {values}", clean, [denoise(noisy) for noisy in given])


def show(title: str, clean: np.ndarray, made: list[np.ndarray]) -> None:
    """Mean PSNR at each sigma, and over them."""
    found = [float(metrics.psnr_db(clean, images).mean()) for images in made]
    print(
        "  ".join(f"{value:6.2f}" for value in found),
        f"  mean {math.fsum(found) / len(found):6.2f}  {title}",
        flush=True,
    )


if __name__ == "__main__":
    main()
