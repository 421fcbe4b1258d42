import numpy as np
import pytest

KINDS = ("uint8", "uint16", "float32", "float64")


@pytest.fixture
def pair():
    """Three images and noisy ones, of a type: `pair("uint16")`, `pair("float32", side=176)`."""

    def make(kind, side=None):
        rng = np.random.default_rng(0)
        originals = rng.random((3, side or 24, side or 20, 1))
        noisy = np.clip(originals + 0.1 * rng.standard_normal(originals.shape), 0, 1)
        if kind.startswith("float"):
            return originals.astype(kind), noisy.astype(kind)
        return tuple(np.round(images * np.iinfo(kind).max).astype(kind) for images in (originals, noisy))

    return make
