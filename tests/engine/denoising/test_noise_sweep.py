"""Scans with more and more noise through methods whose errors are known."""

import math

import numpy as np
import pytest

from engine import lesions, metrics, noise
from engine.denoising import noise_sweep
from engine.denoising.noise_sweep import SweepLesion, SweepSpec
from engine.job_context import Cancelled, JobContext

SIGMAS = (0.0, 0.02, 0.05, 0.1)


@pytest.fixture
def conditions():
    rng = np.random.default_rng(0)
    images = rng.uniform(0.45, 0.55, (3, 48, 48, 1)).astype(np.float32)
    placed = []
    for scan, contrast in ((0, 0.2), (2, 0.1), (2, 0.0)):
        mask = lesions.ellipse((48, 48), 5 + 20 * (contrast > 0), 14, 14, 14)
        images[scan, mask, 0] += contrast
        placed.append(SweepLesion(scan, f"scan {scan}", mask, lesions.make_lesion_region(mask)))
    return SweepSpec(images, SIGMAS, lesions=placed)


def test_no_denoising_has_the_error_of_the_noise_and_keeps_lesions(conditions):
    curve = noise_sweep.run_sweep(lambda images: images, conditions)
    assert curve.mse.shape == curve.ssim.shape == (4, 3)
    assert curve.mse.mean(axis=1) == pytest.approx(np.square(SIGMAS), rel=0.06, abs=1e-12)
    assert np.all(curve.ssim[0] == 1)
    assert curve.psnr_db[1].mean() == pytest.approx(-20 * math.log10(0.02), abs=0.2)
    assert curve.retention.shape == (4, 3)
    assert curve.retention[0, :2] == pytest.approx([1, 1])
    assert curve.retention[3, :2] == pytest.approx([1, 1], abs=0.35)
    assert conditions.contrasts[:2] == pytest.approx([0.2, 0.1], abs=0.01)
    assert conditions.measurable.tolist() == [True, True, False]


def test_each_lesion_is_measured_on_its_own_image_across_batches(conditions, monkeypatch):
    def half(images):
        return 0.5 + 0.5 * (images - 0.5)

    whole = noise_sweep.run_sweep(half, conditions)
    monkeypatch.setattr(noise_sweep, "BATCH", 2)
    pieces = noise_sweep.run_sweep(half, conditions)
    assert whole.retention[0, :2] == pytest.approx([0.5, 0.5])
    assert np.allclose(whole.retention, pieces.retention, equal_nan=True)
    assert np.allclose(whole.mse, pieces.mse)


def test_break_even_of_a_method_that_ignores_noise_is_the_root_of_its_error(conditions):
    """Far from black and white nothing is cut off."""
    nothing = noise_sweep.run_sweep(lambda images: images, conditions)
    fixed = noise_sweep.run_sweep(lambda images: conditions.images + np.float32(0.04), conditions)
    found = noise_sweep.summarize(fixed, nothing)
    assert found.clean_mse == pytest.approx(0.0016, rel=1e-4)
    assert found.break_even == pytest.approx(found.expected, rel=0.03)
    assert found.count == 3
    assert found.content()["break_even"] == found.break_even


def test_noise_of_an_image_follows_from_its_place_and_is_the_same_pattern_at_each_level(conditions):
    weak, strong = (conditions.noisy(sigma) - conditions.images for sigma in (0.01, 0.02))
    assert np.allclose(2 * weak, strong, atol=1e-6)
    assert np.array_equal(conditions.noisy(0.05)[1:], conditions.noisy(0.05, slice(1, 3)))
    assert not np.allclose(weak[0], weak[1], atol=1e-3)
    alone = noise.add_noise(conditions.images[2:], "gaussian", 0.05, conditions.seed + 2)
    assert np.array_equal(conditions.noisy(0.05)[2:], alone)


def test_numbers_can_be_distinguished_and_stopped(conditions):
    told = []
    with pytest.raises(Cancelled):
        noise_sweep.run_sweep(lambda images: images, conditions, JobContext(lambda: True))
    context = JobContext(on_progress=lambda *step: told.append(step), title="Denoising")
    curve = noise_sweep.run_sweep(lambda images: images, conditions, context, with_ssim=False)
    assert told[-1] == ("Denoising", 12, 12)
    assert curve.ssim.size == 0
    assert np.array_equal(curve.mse[1], metrics.mse(conditions.images, conditions.noisy(0.02)))
