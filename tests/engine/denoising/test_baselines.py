"""Each baseline takes noise out, tells its own strength, and keeps to the shape of images."""

import importlib.util

import numpy as np
import pytest
from skimage.restoration import estimate_sigma

from engine import metrics, noise
from engine.data.phantom import phantoms
from engine.denoising import baselines, filters
from engine.denoising.baselines import BASELINES
from engine.errors import BaselineMissing, ConfigError
from engine.evaluation import references

FILTERS = ("gaussian", "median", "nlm", "tv", "wavelet")


@pytest.fixture(scope="module")
def clean():
    return np.stack([each.image for each in phantoms(64, 0, 6)])[..., None]


@pytest.fixture(scope="module")
def noisy(clean):
    return noise.gaussian(clean, 0.1, np.random.default_rng(0))


@pytest.mark.parametrize("name", FILTERS)
def test_filter_brings_noisy_images_nearer_to_the_clean_ones(name, clean, noisy):
    before = noisy.copy()
    made = baselines.get_denoiser(name)(noisy)
    assert (made.shape, made.dtype) == (noisy.shape, np.float32)
    assert 0 <= made.min() <= made.max() <= 1
    assert np.array_equal(noisy, before)
    gained = metrics.psnr_db(clean, made) - metrics.psnr_db(clean, noisy)
    assert gained.mean() > 1.5


@pytest.mark.parametrize("name", FILTERS)
def test_filter_is_stronger_where_there_is_more_noise(name, clean):
    """It is not given sigma: it estimates that of each image of a batch."""
    mixed = noise.gaussian(np.repeat(clean[:1], 2, axis=0), [0.02, 0.15], np.random.default_rng(0))
    changed = np.abs(baselines.get_denoiser(name)(mixed) - mixed).mean(axis=(1, 2, 3))
    assert changed[1] > 2 * changed[0]
    assert np.array_equal(baselines.get_denoiser(name)(mixed)[1:], baselines.get_denoiser(name)(mixed[1:]))


def test_estimate_is_that_of_scikit_image_and_never_zero(noisy):
    assert filters.estimate_noise_sigma(noisy[0, ..., 0]) == pytest.approx(estimate_sigma(noisy[0, ..., 0]))
    assert filters.estimate_noise_sigma(np.zeros((32, 32), np.float32)) > 0


def test_image_of_one_gray_stays_as_it_is():
    flat = np.full((1, 32, 32, 1), 0.4, np.float32)
    for name in FILTERS:
        assert np.allclose(baselines.get_denoiser(name)(flat), flat, atol=1e-3)


def test_no_denoising_does_nothing(noisy):
    assert baselines.get_denoiser("none")(noisy) is noisy


def test_principal_components_are_given(noisy, clean):
    class Images:
        def __len__(self):
            return len(clean)

        def read(self, which):
            return clean[which]

    fitted = references.fit_pca(Images(), 3)
    assert np.array_equal(baselines.get_denoiser("pca", fitted)(noisy), fitted.predict_on_batch(noisy))
    with pytest.raises(BaselineMissing, match="fit it on"):
        baselines.get_denoiser("pca")(noisy)


def test_unknown_name_is_refused():
    with pytest.raises(ConfigError, match="no baseline 'nml'"):
        baselines.get_denoiser("nml")
    with pytest.raises(ConfigError, match="no baseline 'nml'"):
        baselines.parse_names("tv,nml")


def test_names_are_read_once_each_and_in_order():
    assert baselines.parse_names(" tv, nlm,tv,") == ["tv", "nlm"]
    assert baselines.parse_names("") == []
    assert {"none", "nlm"} <= set(baselines.parse_names("all")) <= set(BASELINES)


def test_package_that_is_missing_is_said_with_the_line_that_installs_it(monkeypatch, noisy):
    monkeypatch.setattr(filters, "bm3d_package", None)
    assert not BASELINES["bm3d"].is_installed()
    assert "bm3d" not in baselines.parse_names("all")
    with pytest.raises(BaselineMissing, match=r"BM3D is not installed\. Install it: pip install bm3d"):
        baselines.get_denoiser("bm3d")
    with pytest.raises(BaselineMissing):
        filters.bm3d(noisy)


def test_bm3d_receives_the_estimated_noise(monkeypatch, noisy):
    told = []

    class Package:
        def bm3d(self, picture, sigma_psd):
            told.append(sigma_psd)
            return picture * 0.5

    monkeypatch.setattr(filters, "bm3d_package", Package())
    made = baselines.get_denoiser("bm3d")(noisy)
    assert np.allclose(made, noisy * 0.5)
    assert told == pytest.approx([1.3 * filters.estimate_noise_sigma(picture) for picture in noisy[..., 0]])


@pytest.mark.skipif(importlib.util.find_spec("bm3d") is None, reason="bm3d is not installed: pip install bm3d")
def test_bm3d_itself_denoises(clean, noisy):
    made = baselines.get_denoiser("bm3d")(noisy[:1])
    assert metrics.psnr_db(clean[:1], made)[0] > metrics.psnr_db(clean[:1], noisy[:1])[0] + 3
