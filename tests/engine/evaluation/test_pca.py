"""The linear map: exact where it can be, as good by passes, and stopped when asked."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from engine.evaluation import pca


class Images:
    """So many 16 px images with a few strong directions."""

    def __init__(self, count, seed=0):
        rng = np.random.default_rng(seed)
        directions = rng.standard_normal((12, 256)) * np.geomspace(1, 0.05, 12)[:, None]
        pixels = 0.5 + 0.03 * rng.standard_normal((count, 12)) @ directions + 0.001 * rng.standard_normal((count, 256))
        self.pixels = pixels.astype(np.float32).reshape(count, 16, 16, 1)

    def __len__(self):
        return len(self.pixels)

    def read(self, which=slice(None)):
        return self.pixels[which]


def error(made, images):
    return float(np.mean((made.predict_on_batch(images.read()) - images.read()) ** 2))


@pytest.mark.parametrize("count", [100, 700], ids=["fewer images than pixels", "more images than pixels"])
def test_equal_to_scikit_learn(count):
    images = Images(count)
    flat = images.read().reshape(count, -1)
    known = PCA(5, svd_solver="full").fit(flat)
    made = pca.fit_pca(images, 5)
    wanted = known.inverse_transform(known.transform(flat)).reshape(-1, 16, 16, 1)
    assert made.predict_on_batch(images.read()) == pytest.approx(wanted, abs=1e-5)
    assert made.components @ made.components.T == pytest.approx(np.eye(5), abs=1e-5)


def test_passes_over_images_that_do_not_fit_find_the_same_map(monkeypatch):
    images = Images(300)
    exact = pca.fit_pca(images, 5)
    monkeypatch.setattr(pca, "EXACT_NUMBERS", 0)
    monkeypatch.setattr(pca, "BLOCK", 64)
    again = pca.fit_pca(images, 5)
    assert error(again, images) == pytest.approx(error(exact, images), rel=1e-3)
    assert np.array_equal(again.components, pca.fit_pca(images, 5).components)


def test_more_components_than_images_reproduce_the_images():
    images = Images(9)
    made = pca.fit_pca(images, 50)
    assert len(made.components) == 8
    assert error(made, images) < 1e-9


def test_no_components_are_the_mean_image_and_pictures_stay_in_range():
    images = Images(9)
    made = pca.fit_pca(images, 0)
    assert made.predict_on_batch(images.read()) == pytest.approx(np.repeat(images.read().mean(0)[None], 9, 0), abs=1e-6)
    bright = pca.PCAReconstructor(np.full(4, 1.5, np.float32), np.zeros((0, 4), np.float32))
    assert bright.predict_on_batch(np.zeros((1, 2, 2, 1), np.float32)).max() == 1


@pytest.mark.parametrize("patience", [0, 1, 2, 3, 4])
def test_stops_when_asked(monkeypatch, patience):
    monkeypatch.setattr(pca, "BLOCK", 64)
    asked = iter([False] * patience + [True] * 99)
    assert pca.fit_pca(Images(100), 5, lambda: next(asked)) is None
