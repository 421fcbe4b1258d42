"""Denoising baselines that need no training here, to compare a model with; the first is no denoising.

    denoise = baselines.get_denoiser("nlm")
    denoised = denoise(noisy)                 # float32 (n, height, width, 1) in [0, 1] -> the same

Each sets its strength from its own estimate of the noise in an image, never from the true sigma. The PCA baseline needs
components of training images: `baselines.get_denoiser("pca", linear)`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from engine.arrays import Images
from engine.denoising import filters
from engine.errors import BaselineMissing, ConfigError
from engine.evaluation.references import PCAReconstructor
from engine.formatting import suggest

__all__ = ["BASELINES", "PCA", "Baseline", "Denoiser", "get_denoiser", "parse_names"]

Denoiser = Callable[[Images], Images]
PCA = "pca"


@dataclass(frozen=True)
class Baseline:
    """One baseline.

    Args:
        title: its name in the app.
        text: how its strength is set, for a tooltip or a table.
        denoise: the function; for PCA, only once the components are given (`get_denoiser`).
        is_installed: returns whether its package is installed.
        install: the command that installs it; empty if it needs no package.
    """

    title: str
    text: str
    denoise: Denoiser
    is_installed: Callable[[], bool] = lambda: True
    install: str = ""


def _needs_components(images: Images) -> Images:
    raise BaselineMissing("PCA needs training images.", "Give the images to fit it on.")


BASELINES: MappingProxyType[str, Baseline] = MappingProxyType(
    {
        "none": Baseline("Noisy input (no denoising)", "The noisy image, unchanged.", filters.identity),
        "gaussian": Baseline("Gaussian filter", "Width 3 √σ px; σ is estimated from the image.", filters.gaussian),
        "median": Baseline(
            "Median filter", "3 × 3 pixels from an estimated σ of 0.03, 5 × 5 from 0.1.", filters.median
        ),
        "nlm": Baseline(
            "Non-local means", "5 px patches, searched within 6 px, h = 0.9 σ; σ is estimated.", filters.nlm
        ),
        "tv": Baseline("Total variation", "Chambolle's method, weight 0.7 σ; σ is estimated.", filters.tv),
        "wavelet": Baseline(
            "Wavelet", "BayesShrink on db2 wavelets over 16 shifts, 1.1 σ; σ is estimated.", filters.wavelet
        ),
        PCA: Baseline("PCA", "Projection onto the principal components of the training images.", _needs_components),
        "bm3d": Baseline(
            "BM3D",
            "The authors' settings with 1.3 σ; σ is estimated.",
            filters.bm3d,
            is_installed=filters.is_bm3d_installed,
            install=filters.BM3D_INSTALL,
        ),
    }
)


def get_denoiser(name: str, linear: PCAReconstructor | None = None) -> Denoiser:
    """Return the denoiser of a name.

    Args:
        name: a key of `BASELINES`.
        linear: PCA components, for 'pca'.

    Raises:
        ConfigError: there is no such baseline.
        BaselineMissing: its package is not installed, or the components are not given.

    Example:
        >>> import numpy as np
        >>> clean = np.full((1, 32, 32, 1), 0.5, np.float32)
        >>> noisy = clean + np.random.default_rng(0).normal(0, 0.1, clean.shape).astype(np.float32)
        >>> denoised = get_denoiser("median")(noisy)
        >>> bool(np.std(denoised) < np.std(noisy) / 2)
        True
    """
    if name not in BASELINES:
        raise ConfigError(f"There is no baseline '{name}'.", f"Choose among {', '.join(BASELINES)}.")
    found = BASELINES[name]
    if not found.is_installed():
        raise BaselineMissing(f"{found.title} is not installed.", f"Install it: {found.install}")
    return linear.predict_on_batch if name == PCA and linear is not None else found.denoise


def parse_names(text: str) -> Sequence[str]:
    """Parse the names in 'nlm,tv'; all that are installed for 'all', none for an empty text.

    Raises:
        ConfigError: a name is not a baseline.
    """
    if text.strip() == "all":
        return [name for name, each in BASELINES.items() if each.is_installed()]
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    for name in wanted:
        if name not in BASELINES:
            raise ConfigError(f"There is no baseline '{name}'.", suggest(name, BASELINES, "Choose all, or among"))
    return list(dict.fromkeys(wanted))
