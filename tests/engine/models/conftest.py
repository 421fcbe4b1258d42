"""What the tests of models share: four small images."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def blobs():
    """Images of one bright blob each, float32 (n, 32, 32, 1) in [0, 1]: `blobs(4)`."""

    def make(count):
        rng = np.random.default_rng(0)
        rows, columns = np.mgrid[:32, :32] / 32
        centre, width = rng.uniform(0.3, 0.7, (2, count, 1, 1)), rng.uniform(0.02, 0.06, (count, 1, 1))
        images = np.exp(-((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / width)
        return images[..., np.newaxis].astype(np.float32)

    return make
