"""Intervals of denoised images hold on patients that were not used for them, and are computed once."""

import json
from dataclasses import replace

import numpy as np
import pytest

import engine
from engine import data
from engine.config import NoiseConfig
from engine.errors import DataError
from engine.job_context import run_steps
from engine.latent import denoised_intervals
from engine.latent.calibration import Spread
from engine.latent.denoised_intervals import DenoisedIntervals, IntervalSubject, NoiseLevel

pytestmark = pytest.mark.usefixtures("loaded_once")

NOISE = NoiseLevel("gaussian", 0.1)


class Split:
    """Gray images of twenty patients, two of each."""

    groups = tuple(f"p{number // 2}" for number in range(40))

    def read(self, rows):
        return np.full((len(rows), 32, 32, 1), 0.5, np.float32)


@pytest.fixture
def halved(monkeypatch):
    """A model without a posterior that removes half of the noise."""

    def predict(model, noisy):
        denoised = 0.5 + (noisy - 0.5) / 2
        return Spread(denoised, np.zeros_like(denoised))

    monkeypatch.setattr(denoised_intervals, "predict_denoised", predict)


@pytest.mark.parametrize("level", [0.04, 0.1])
def test_intervals_cover_90_percent_on_other_patients_and_follow_the_noise(halved, level):
    found = run_steps(denoised_intervals.fit(None, Split(), range(40), NoiseLevel("gaussian", level)))
    assert found.coverage == pytest.approx(0.9, abs=0.01)
    low, high = found.interval
    assert low < found.coverage < high
    half = found.scale.half_width(np.zeros((1, 32, 32, 1), np.float32))
    assert half.mean() == pytest.approx(1.645 * level / 2, rel=0.03)
    assert f"for Gaussian noise, σ = {level:g}: on average" in found.summary()
    assert "40 validation images" in found.summary()
    assert "σ = 0.1 (estimated in this image):" in replace(found, noise=NOISE).summary(is_estimated=True)
    assert "Coverage on the other half of the patients of 40 validation" in found.summary()


def test_unknown_patients_have_no_interval_over_them(halved):
    split = Split()
    split.groups = ("",) * 40
    found = run_steps(denoised_intervals.fit(None, split, range(40), NOISE))
    assert found.interval is None
    assert "Coverage on the other half, which may share patients" in found.summary()


def test_close_levels_share_intervals_and_exact_ones_stay():
    rounded = [NoiseLevel("rician", level).round().level for level in (0.0, 0.0982, 0.101, 0.0392, 0.123, 0.0004)]
    assert rounded == [0.0, 0.098, 0.1, 0.039, 0.12, 0.0]


@pytest.mark.parametrize("kind", ["ae", "vae", "unet"])
def test_every_kind_of_model_has_intervals_that_are_computed_once(trained, kind, monkeypatch):
    run = trained(kind, epochs=1, validation_share=0.4)
    images = data.load(config=run.config.data)
    subject = IntervalSubject(run, engine.load_model(run), images)
    found = run_steps(denoised_intervals.load_or_fit(subject, NOISE))
    assert found.scale.images == len(subject.rows())
    spread = denoised_intervals.predict_denoised(subject.model, images.test.read([0]))
    assert (spread.deviation.max() > 0) == (kind == "vae")
    width = found.scale.half_width(spread.deviation)
    monkeypatch.setattr(denoised_intervals, "fit", None)
    again = run_steps(denoised_intervals.load_or_fit(subject, NOISE))
    assert again.scale.half_width(spread.deviation) == pytest.approx(width, rel=1e-2, abs=1e-4)
    assert again.summary() == found.summary()


def test_content_that_is_not_ours_is_none():
    for content in (None, {}, {"kind": "gaussian", "level": 0.1, "scale": {}, "coverage": 0.9, "interval": None}):
        assert DenoisedIntervals.from_json(content) is None


def test_content_survives_json(halved):
    found = run_steps(denoised_intervals.fit(None, Split(), range(40), NOISE))
    again = DenoisedIntervals.from_json(json.loads(json.dumps(found.to_json())))
    assert again.interval == found.interval
    assert again.noise == found.noise


def test_images_that_the_run_was_trained_on_are_left_out(trained):
    run = trained(epochs=1, validation_share=0.4)
    images = data.load(config=run.config.data)
    assert denoised_intervals.find_training_keys(run, images, data.load) == frozenset()
    other = replace(images, config=images.config.model_copy(update={"split_seed": 7}))
    keys = denoised_intervals.find_training_keys(run, other, lambda config: images)
    assert keys == set(images.train.keys)
    subject = IntervalSubject(run, None, images, keys | {images.validation.keys[0]})
    assert 0 not in subject.rows()
    with pytest.raises(DataError, match="at least 8 validation images"):
        replace(subject, seen=frozenset(images.validation.keys)).rows()


@pytest.mark.parametrize(
    ("trained_on", "assumed"),
    [
        ("none", NoiseLevel("gaussian", 0.031)),
        ("gaussian", NoiseLevel("gaussian", 0.031)),
        ("gaussian-or-rician", NoiseLevel("rician", 0.042)),
    ],
)
def test_assumed_noise_is_rician_only_for_a_run_that_learned_it(trained_on, assumed):
    assert denoised_intervals.assume_noise(NoiseConfig(noise=trained_on), 0.0312, 0.0417) == assumed
    assert denoised_intervals.assume_noise(NoiseConfig(noise=trained_on), 2.0, 2.0).level == 1.0
