"""Noise estimates, and whether what a method removed is white."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from engine import data, noise
from engine.config import DataConfig, NoiseConfig
from engine.data import Scan
from engine.denoising import filters
from engine.denoising.noisy_image import (
    NoiseEstimate,
    estimate_noise,
    measure_shape,
    report_residual,
    shape_of_file,
    shape_of_scan,
)


@pytest.fixture(scope="module")
def phantom():
    return data.load(config=DataConfig(size=96, phantom_count=24)).splits["train"].read([3])


@pytest.mark.parametrize("sigma", [0.05, 0.1])
def test_levels_are_estimated_within_a_third(phantom, sigma):
    for kind in ("gaussian", "rician"):
        found = estimate_noise(noise.add_noise(phantom, kind, sigma, seed=1)[0, ..., 0])
        assert getattr(found, kind) == pytest.approx(sigma, rel=0.33)


def test_noise_at_no_signal_to_speak_of_is_known_only_as_rician():
    dim = noise.add_noise(np.full((1, 96, 96, 1), 0.1, np.float32), "rician", 0.1, seed=0)[0, ..., 0]
    found = estimate_noise(dim)
    assert found.rician == pytest.approx(0.1, rel=0.1)
    assert found.gaussian < 0.85 * found.rician


@pytest.mark.parametrize("kind", ["gaussian", "rician"])
def test_removed_noise_is_white_and_removed_anatomy_is_structure(phantom, kind):
    noisy = noise.add_noise(phantom, kind, 0.05, seed=1)
    for made in (phantom, filters.nlm(noisy)):
        assert report_residual(noisy[0, ..., 0], made[0, ..., 0]).verdict == "white"
    assert report_residual(noisy[0, ..., 0], gaussian_filter(noisy, (0, 2, 2, 0))[0, ..., 0]).verdict == "structure"


def test_noise_that_is_partly_left_and_images_without_pixels_are_told(phantom):
    noisy = noise.add_noise(phantom, "gaussian", 0.05, seed=1)[0, ..., 0]
    assert report_residual(noisy, filters.wavelet(noisy[None, ..., None])[0, ..., 0]).verdict == "noise-left"
    assert report_residual(noisy, noisy).verdict == "unknown"
    assert report_residual(np.zeros((32, 32)), np.zeros((32, 32))).verdict == "unknown"


def test_resizing_is_taken_into_account(tmp_path):
    """Noise in a reduced image is correlated and has fewer details: without its shape it is structure, and less."""
    rng, config = np.random.default_rng(2), DataConfig(size=64)
    native = np.clip(0.5 + 0.1 * rng.standard_normal((1, 256, 256)), 0, 1).astype(np.float32)
    scan = Scan(native, "a.png", "picture")
    small, shape = data.prepare(scan, config, 0), shape_of_scan(scan, config)
    clean = np.full((64, 64), float(small.mean()))
    assert shape.correlation == pytest.approx(0.15, abs=0.03)
    assert report_residual(small, clean, shape).verdict == "white"
    assert report_residual(small, clean).verdict == "structure"
    assert estimate_noise(small, shape).gaussian == pytest.approx(float(small.std()), rel=0.1)
    assert estimate_noise(small).gaussian < 0.85 * float(small.std())
    assert shape_of_file(tmp_path / "nowhere.png", config).detail == 1.0
    assert measure_shape(native[0]).correlation == pytest.approx(-0.05, abs=0.02)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"noise": "none"}, "trained on noise-free images"),
        ({"noise": "gaussian", "noise_high": 0.05}, "σ = 0.100, is above"),
        ({"noise": "rician", "noise_low": 0.2, "noise_high": 0.3}, "σ = 0.120, is below"),
        ({"noise": "speckle"}, "no estimate tells"),
        ({"noise": "gaussian", "noise_high": 0.09}, ""),
    ],
)
def test_noise_outside_the_training_range_is_warned_of(settings, said):
    warning = NoiseEstimate(0.1, 0.12).warn_of_range("m", NoiseConfig(**settings))
    assert said in warning if said else not warning
