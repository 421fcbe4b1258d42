"""The map of calibrated intervals of one denoised image: typed, cached, canceled, and refused with a sentence."""

import numpy as np
import pytest
from PIL import Image

from engine import data, noise
from engine.denoising.noisy_image import estimate_noise
from engine.errors import ConfigError, DataError
from engine.explorer.explorer import Explorer
from engine.job_context import run_steps
from engine.latent import denoised_intervals
from engine.latent.denoised_intervals import FILE, IntervalSubject, NoiseLevel
from engine.messages import DenoiseIntervals, ImagesRequest, RequestProgress, read_command
from engine.result_cache import ResultCache

pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture(scope="module")
def run(trained):
    return trained("vae", epochs=1, validation_share=0.4)


@pytest.fixture
def forgotten(run):
    (run.derived / FILE).unlink(missing_ok=True)


@pytest.fixture
def ask(run, explorer):
    def go(**fields):
        place = {"panel": "intervals", "data": run.config.data, "split": "test", "indices": (2,)}
        request = DenoiseIntervals(**{**place, "runs": (str(run.path),), "sigma": 0.1, **fields})
        assert read_command(request.to_json_line()) == request
        return explorer.answer(request)

    return go


def test_map_is_that_of_the_noisy_image_at_this_level(ask, run, explorer, events, forgotten):
    found = ask(sigma=0.1, seed=3).runs[str(run.path)]
    assert (found.noise, found.sigma, found.images) == ("gaussian", 0.1, 12)
    assert 0.8 < found.coverage < 1
    assert "for Gaussian noise, σ = 0.1: on average" in found.sentence
    progress = [event for event in events if isinstance(event, RequestProgress)]
    assert [event.done for event in progress] == list(range(1, 13))

    images, model = data.load(config=run.config.data), explorer.model(str(run.path))[0]
    subject = IntervalSubject(run, model, images)
    known = run_steps(denoised_intervals.load_or_fit(subject, NoiseLevel("gaussian", 0.1)))
    noisy = noise.add_noise(images.test.read([2]), "gaussian", 0.1, 3)
    deviation = denoised_intervals.predict_denoised(model, noisy).deviation
    assert np.array_equal(ask(sigma=0.1, seed=3).runs[str(run.path)].half_width, found.half_width)
    assert not np.array_equal(ask(sigma=0.1, seed=4).runs[str(run.path)].half_width, found.half_width)
    assert found.half_width == pytest.approx(known.scale.half_width(deviation)[0, ..., 0], abs=1e-3)


def test_intervals_are_computed_once_for_a_level_and_again_for_another(ask, run, forgotten, events):
    ask(sigma=0.098)
    before = len(events)
    ask(sigma=0.0984, indices=(1,))
    assert len(events) == before
    ask(sigma=0.2)
    assert len(events) > before
    assert len(ResultCache(run.derived / FILE)._results) == 2


def test_noisy_image_has_the_estimated_level(ask, run, explorer, tmp_path, forgotten):
    image = data.load(config=run.config.data).test.read([2])
    noisy = noise.add_noise(image, "gaussian", 0.15, 0)[0, ..., 0]
    file = tmp_path / "noisy.png"
    Image.fromarray(np.rint(noisy * 255).astype(np.uint8)).save(file)
    fields = {"scan": str(file), "indices": (), "sigma": 0.0, "already_noisy": True}
    found = ask(**fields).runs[str(run.path)]
    shape = explorer.noise_shape(ImagesRequest(panel="", data=run.config.data, scan=str(file)), 32)
    assert found.sigma == pytest.approx(estimate_noise(noisy, shape).gaussian, rel=0.06)
    assert found.sigma == pytest.approx(0.15, rel=0.4)
    assert found.noise == "gaussian"
    assert "(estimated in this image)" in found.sentence


def test_canceled_request_is_continued(tmp_path, run, forgotten):
    asked = []

    def should_stop():
        asked.append(1)
        return len(asked) == 6

    events = []
    explorer = Explorer(tmp_path, events.append, should_stop)
    place = {"panel": "intervals", "data": run.config.data, "split": "test", "indices": (2,)}
    request = DenoiseIntervals(**place, runs=(str(run.path),), sigma=0.1)
    assert explorer.answer(request) is None
    done = [event.done for event in events]
    assert explorer.answer(request).runs[str(run.path)].images == 12
    assert [event.done for event in events] == list(range(1, 13))
    assert 0 < len(done) < 12


def test_baseline_has_none(ask):
    with pytest.raises(ConfigError, match="A baseline has no calibrated interval"):
        ask(runs=("pca:8",))


def test_source_without_validation_images_is_refused(trained, explorer):
    few = trained(epochs=1)
    place = {"panel": "intervals", "data": few.config.data, "split": "test", "indices": (2,)}
    with pytest.raises(DataError, match="at least 8 validation images"):
        explorer.answer(DenoiseIntervals(**place, runs=(str(few.path),), sigma=0.1))
