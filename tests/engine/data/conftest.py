import numpy as np
import pytest
from PIL import Image

from engine.config import DataConfig


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """A cache of its own for each test, so that none finds what another left."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("ENGRAM_CACHE", str(folder))
    return folder


@pytest.fixture
def config():
    """Make a small config: `config()`, `config(fit="squash")`."""

    def make(**changes):
        return DataConfig(**{"size": 32, **changes})

    return make


@pytest.fixture
def noise():
    """Make a gray image of noise, another for each seed: `noise(3)`, `noise(3, (20, 30))`."""

    def make(seed, shape=(24, 24)):
        return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)

    return make


@pytest.fixture
def tree(tmp_path, noise):
    """Make a folder of PNG images, each of its own noise: `tree("Training/glioma/1.png", ...)`."""

    def make(*names):
        for seed, name in enumerate(names):
            file = tmp_path / "scans" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise(seed)).save(file)
        return tmp_path / "scans"

    return make
