"""Yardsticks: measured as the run is, kept for the next time, and put into words."""

import os

import numpy as np
import pytest
from sklearn.decomposition import PCA

from engine import config, data
from engine.evaluation import interpretation, references
from engine.evaluation.evaluator import Evaluator
from engine.job_context import Cancelled, JobContext
from tests.trained_runs import TINY


@pytest.fixture(scope="module")
def settings():
    return config.from_flat(TINY)


@pytest.fixture(scope="module")
def images(settings):
    return data.load(config=settings.data)


@pytest.fixture
def _fresh_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ENGRAM_CACHE", str(tmp_path))


def test_map_is_fitted_on_the_training_images_alone(images):
    found, wanted = references.fit_pca_reference(images, 8), references.fit_pca(images.train, 8)
    assert found.predict_on_batch(images.test.read()) == pytest.approx(wanted.predict_on_batch(images.test.read()))


@pytest.mark.usefixtures("_fresh_cache")
def test_map_is_found_once_and_a_damaged_copy_anew(images, tmp_path, monkeypatch):
    fits = []
    fit = references.fit_pca
    monkeypatch.setattr(references, "fit_pca", lambda *words: (fits.append(words[1]), fit(*words))[1])
    first = references.fit_pca_reference(images, 8)
    assert np.array_equal(references.fit_pca_reference(images, 8).components, first.components)
    assert fits == [8]
    references.fit_pca_reference(images, 4)
    assert fits == [8, 4]
    for file in (tmp_path / "yardsticks").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert np.array_equal(references.fit_pca_reference(images, 8).components, first.components)
    assert fits == [8, 4, 8]


@pytest.mark.usefixtures("_fresh_cache")
def test_only_the_newest_maps_are_kept(images, tmp_path, monkeypatch):
    monkeypatch.setattr(references, "CACHE_NAME", 2)
    for count in (1, 2, 3):
        references.fit_pca_reference(images, count)
    assert len(list((tmp_path / "yardsticks").iterdir())) == 2


@pytest.mark.usefixtures("_fresh_cache")
def test_a_new_map_stays_if_the_clock_was_set_back(images, tmp_path, monkeypatch):
    monkeypatch.setattr(references, "CACHE_NAME", 1)
    references.fit_pca_reference(images, 1)
    [old] = (tmp_path / "yardsticks").iterdir()
    os.utime(old, (2**32, 2**32))
    found = references.fit_pca_reference(images, 2)
    [new] = set((tmp_path / "yardsticks").iterdir()) - {old}
    assert np.array_equal(references._read(new).components, found.components)


def test_stopped_baselines_give_nothing(images, settings):
    examiner = Evaluator(images, None, JobContext(lambda: True))
    with pytest.raises(Cancelled):
        references.evaluate_references(examiner, settings)


def test_more_components_are_closer(images, settings):
    examiner = Evaluator(images, ["validation"])
    few, many = (
        references.evaluate_references(examiner, config.from_flat({"latent": latent}, settings))["pca"]["validation"]
        for latent in (2, 16)
    )
    assert (few["components"], many["components"]) == (2, 16)
    assert many["psnr_db"] > few["psnr_db"]


TINY_UNET = {name: value for name, value in TINY.items() if name != "latent"} | {"model": "unet"}


def part(psnr_db, **more):
    return {"n": 72, "mse": 10 ** (-psnr_db / 10), "psnr_db": psnr_db, **more}


def said(own, settings, latent=True, identity=None):
    beside = {"mean": {"test_clean": part(14.0)}, "identity": {"test_clean": identity or {"mse": 0.0, "psnr_db": None}}}
    if latent:
        beside["pca"] = {"test_clean": part(22.6, components=512)}
    return interpretation.compare_with_references(
        "ae-0011", settings, {"test": part(30.0), "test_clean": part(own)}, beside
    )


def test_run_under_a_baseline_is_reported(settings):
    beside = "(20.3 dB vs 22.6 dB on 72 deduplicated test images)"
    assert said(20.3, settings) == [f"ae-0011 is worse than the PCA-512 baseline {beside}."]
    assert said(24.0, settings)[0].startswith("ae-0011 is better than the PCA-512 baseline")
    assert "worse than the mean training image (13.0 dB vs 14.0 dB" in said(13.0, settings)[1]


def test_model_without_a_latent_is_warned_of_copying():
    settings = config.from_flat({**TINY_UNET})
    assert "copying its input would score perfectly" in said(38.1, settings, latent=False)[0]
    noisy = {"mse": 0.001, "psnr_db": 30.0}
    assert "worse than its noisy input without denoising (24.0 dB vs 30.0 dB" in said(24.0, settings, False, noisy)[0]
    assert said(38.1, settings, False, noisy) == []


def test_leakage_is_counted(images):
    import dataclasses

    def words(*keys):
        count = len(keys)
        test = dataclasses.replace(images.test, keys=keys, rows=images.test.rows[:count])
        return interpretation.leakage(dataclasses.replace(images, test=test))

    known = images.train.keys[0]
    assert "1 of the 2 test images are exact copies" in words(known, "new")
    assert "there is no test_clean" in words(known, known)
    assert "test and test_clean are the same" in words("new")
    assert words() == "There are no test images."


def test_baselines_are_named_in_the_place_of_runs():
    assert references.parse_reference("pca:512") == 512
    assert references.parse_reference("pca:0") == 0
    assert references.parse_reference("ae-0001") is references.parse_reference("pca:x") is None


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
    made = references.fit_pca(images, 5)
    wanted = known.inverse_transform(known.transform(flat)).reshape(-1, 16, 16, 1)
    assert made.predict_on_batch(images.read()) == pytest.approx(wanted, abs=1e-5)
    assert made.components @ made.components.T == pytest.approx(np.eye(5), abs=1e-5)


def test_passes_over_images_that_do_not_fit_find_the_same_map(monkeypatch):
    images = Images(300)
    exact = references.fit_pca(images, 5)
    monkeypatch.setattr(references, "EXACT_NUMBERS", 0)
    monkeypatch.setattr(references, "BLOCK", 64)
    again = references.fit_pca(images, 5)
    assert error(again, images) == pytest.approx(error(exact, images), rel=1e-3)
    assert np.array_equal(again.components, references.fit_pca(images, 5).components)


def test_more_components_than_images_reproduce_the_images():
    images = Images(9)
    made = references.fit_pca(images, 50)
    assert len(made.components) == 8
    assert error(made, images) < 1e-9


def test_no_components_are_the_mean_image_and_images_stay_in_range():
    images = Images(9)
    made = references.fit_pca(images, 0)
    assert made.predict_on_batch(images.read()) == pytest.approx(np.repeat(images.read().mean(0)[None], 9, 0), abs=1e-6)
    bright = references.PCAReconstructor(np.full(4, 1.5, np.float32), np.zeros((0, 4), np.float32))
    assert bright.predict_on_batch(np.zeros((1, 2, 2, 1), np.float32)).max() == 1


@pytest.mark.parametrize("patience", [0, 1, 2, 3, 4])
def test_stops_when_asked(monkeypatch, patience):
    monkeypatch.setattr(references, "BLOCK", 64)
    asked = iter([False] * patience + [True] * 99)
    with pytest.raises(Cancelled):
        references.fit_pca(Images(100), 5, JobContext(lambda: next(asked)))
