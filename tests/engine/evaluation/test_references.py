"""Yardsticks: measured as the run is, kept for the next time, and put into words."""

import numpy as np
import pytest

from engine import config, data
from engine.evaluation import interpretation, pca, references
from engine.evaluation.evaluator import Evaluator
from engine.messages import never_stop
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
    found, wanted = references.fit_pca_reference(images, 8), pca.fit_pca(images.train, 8)
    assert found.predict_on_batch(images.test.read()) == pytest.approx(wanted.predict_on_batch(images.test.read()))


@pytest.mark.usefixtures("_fresh_cache")
def test_map_is_found_once_and_a_damaged_copy_anew(images, tmp_path, monkeypatch):
    fits = []
    fit = pca.fit_pca
    monkeypatch.setattr(pca, "fit_pca", lambda *words: (fits.append(words[1]), fit(*words))[1])
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


def test_stopped_yardsticks_give_nothing(images, settings):
    examiner = Evaluator(images, None, lambda: True, None)
    assert references.evaluate_references(examiner, settings) is None


def test_more_components_are_closer(images, settings):
    examiner = Evaluator(images, ["validation"], never_stop, None)
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


def test_run_under_a_yardstick_is_told_so(settings):
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


def test_yardsticks_are_named_in_the_place_of_runs():
    assert references.parse_reference("pca:512") == 512
    assert references.parse_reference("pca:0") == 0
    assert references.parse_reference("ae-0001") is references.parse_reference("pca:x") is None
