"""The best linear variational autoencoder of images, in closed form: where training of a deeper one can begin.

Near a mean picture p the excess of binary cross-entropy over the images' own entropy is (x - p)^2 / (2 p (1 - p)), the
loss of a Gaussian of variance p (1 - p). Scaled to unit variance, the best linear VAE at beta 1 is probabilistic PCA:
an eigenvalue l > 1 of the covariance is coded at a posterior variance 1 / l, costs (1 + ln l) / 2 nats instead of
l / 2, and all others are left to the prior.

The covariance is about p, which is clipped where the mean is close to 0 or 1; `engine.pca` would center at the mean.

Tipping, Bishop: Probabilistic principal component analysis. J. R. Stat. Soc. B 61 (1999). Lucas, Tucker, Grosse,
Norouzi: Don't blame the ELBO! arXiv:1911.02469 (2019).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_PROBABILITY = (
    0.03  # a mean pixel nearer to 0 or 1 than this counts as this far: its variance would be next to nothing
)
LEAST_EIGENVALUE = 1.3
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LinearVAE:
    """A linear VAE of pictures with m pixels and k latent numbers.

    Args:
        encoder: (m, k) kernel from a picture to the latent means.
        encoder_bias: (k,).
        log_var: (k,) posterior log-variances.
        decoder: (k, m) kernel from latent numbers to logits; zero for numbers that no component has.
        decoder_bias: (m,).
    """

    encoder: Floats
    encoder_bias: Floats
    log_var: Floats
    decoder: Floats
    decoder_bias: Floats


def fit_linear_vae(pictures: Floats, latent: int, area: int) -> LinearVAE:
    """Fit the best linear VAE to pictures.

    Args:
        pictures: (n, m) in [0, 1].
        latent: how many latent numbers there are; those that no eigenvalue is worth stay at the prior.
        area: how many pixels of an image stand behind one of its picture, so that their nats are counted.

    Returns:
        Its weights.
    """
    centre = np.clip(pictures.mean(axis=0), MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    deviation = np.sqrt(centre * (1 - centre) / area)
    values, axes = _principal((pictures - centre) / deviation, latent)
    strength = np.sqrt(values - 1)
    encoder = (axes * (strength / values)) / deviation[:, np.newaxis]
    decoder = (axes * strength).T * (deviation / (centre * (1 - centre)))
    arrays = (encoder, -centre @ encoder, -np.log(values), decoder, np.log(centre / (1 - centre)))
    return LinearVAE(*(array.astype(np.float32) for array in arrays))


def _principal(scaled: Floats, latent: int) -> tuple[Floats, Floats]:
    """Eigenvalues (latent,) of the covariance, 1 where not worth coding, and their axes (m, latent)."""
    count, pixels = scaled.shape
    few = count < pixels  # n images span n axes: then the smaller matrix of their products has all that is needed
    products = (scaled @ scaled.T if few else scaled.T @ scaled) / count
    found, vectors = np.linalg.eigh(products)
    kept = [at for at in range(len(found) - 1, -1, -1) if found[at] > LEAST_EIGENVALUE][:latent]
    vectors = vectors[:, kept]
    if few:
        vectors = scaled.T @ vectors / np.sqrt(count * found[kept])
    values, axes = np.ones(latent, np.float32), np.zeros((pixels, latent), np.float32)
    values[: len(kept)], axes[:, : len(kept)] = found[kept], vectors
    return values, axes
