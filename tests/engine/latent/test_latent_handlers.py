"""What the explorer answers about latent spaces: every kind of model, numbers that can be checked, giving way."""

import gc
import weakref
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from engine import data, metrics
from engine.config import DataConfig
from engine.errors import ConfigError
from engine.evaluation import scoring
from engine.explorer.explorer import Explorer
from engine.job_context import Cancelled, JobContext, ResumableJob
from engine.messages import (
    CalibrateSpread,
    DecodeMean,
    EmbeddingErrors,
    EmbedLatents,
    FindNeighbors,
    Interpolate,
    JudgeScan,
    PosteriorSpread,
    ProjectScan,
    SampleLatent,
    TraverseDimension,
    never_stop,
)

pytestmark = pytest.mark.usefixtures("loaded_once")

DECODING = ["ae", "vae", "residual-vae"]


def forget_latents(run):
    for path in (run.path / "latents").glob("*.npz"):
        path.unlink()


@pytest.fixture
def planted(run_of, tmp_path):
    """A training scan of a model as a file: `planted("ae", 5)` -> its path."""

    def plant(model, index):
        image = data.load(config=run_of(model).config.data).train.read([index])
        file = tmp_path / "planted.png"
        Image.fromarray((image[0, ..., 0] * 255).round().astype(np.uint8)).save(file)
        return str(file)

    return plant


@pytest.mark.parametrize("model", ["ae", "vae", "unet", "skip-ae"])
def test_map_has_a_point_for_every_image_of_its_splits(ask, run_of, model):
    answer = ask(EmbedLatents, model, splits=("train", "test"))
    images = data.load(config=run_of(model).config.data)
    count = len(images.train) + len(images.test)
    assert answer.points.shape == (count, 2)
    assert all(len(getattr(answer, name)) == count for name in ("split", "index", "name", "label", "leaked"))
    assert answer.split[-1] == "test"
    assert answer.label[0] == images.classes[images.train.labels[0]]
    assert answer.decodes is (model in DECODING)
    assert sorted(answer.dimensions.order) == list(range(answer.collapse.dimensions))
    assert list(answer.dimensions.value) == sorted(answer.dimensions.value, reverse=True)


@pytest.mark.parametrize("model", ["ae", "vae", "unet"])
def test_errors_are_those_of_the_reconstructions_and_stand_on_the_map_from_then_on(ask, run_of, model):
    from engine import evaluation

    forget_latents(run_of(model))
    assert ask(EmbedLatents, model, splits=("test",)).mse is None
    images = data.load(config=run_of(model).config.data).test.read()
    wanted = metrics.mse(images, scoring.reconstruct(evaluation.load_model(run_of(model)), images))
    found = ask(EmbeddingErrors, model, splits=("test",)).mse
    assert found == pytest.approx(wanted, rel=1e-4)
    assert ask(EmbedLatents, model, splits=("test",)).mse == found
    assert ask(EmbedLatents, model, splits=("train", "test")).mse is None


def test_posterior_of_a_variational_run_is_that_of_its_whole_network(explorer, run_of):
    from engine.latent.space import LatentSpace

    run = run_of("residual-vae")
    model, images = explorer.model(str(run.path))[0], data.load(config=run.config.data).test.read()
    codes, whole = LatentSpace(model).encode(images), model.predict_on_batch(images)
    assert codes.means == pytest.approx(np.asarray(whole["mean"]), abs=1e-4)
    assert codes.log_vars == pytest.approx(np.asarray(whole["log_var"]), abs=1e-4)


def test_map_reconstructs_nothing(ask, run_of, monkeypatch):
    from engine.latent.space import LatentSpace

    reconstructed = []
    for method in ("errors", "decode"):
        monkeypatch.setattr(LatentSpace, method, lambda *_, method=method: reconstructed.append(method))
    for model in ("ae", "vae", "unet"):
        forget_latents(run_of(model))
        ask(EmbedLatents, model)
    assert reconstructed == []


def test_errors_yield_and_continue_where_they_were(run_of, tmp_path, monkeypatch):
    from engine.latent.space import LatentSpace

    run, done, stops = run_of("ae"), [], iter([True])
    forget_latents(run)
    errors = LatentSpace.errors
    monkeypatch.setattr(
        LatentSpace, "errors", lambda self, images, codes: done.append(len(codes)) or errors(self, images, codes)
    )
    explorer = Explorer(tmp_path, lambda event: None, lambda: len(done) == 2 and next(stops, False))
    fields = {"panel": "errors", "run": str(run.path), "data": run.config.data, "splits": ("train",)}
    explorer.answer(EmbedLatents(number=1, **fields | {"panel": "map"}))
    assert explorer.answer(EmbeddingErrors(number=2, **fields)) is None
    answer = explorer.answer(EmbeddingErrors(number=2, **fields))
    assert len(done) > 2
    assert sum(done) == len(answer.mse) == len(data.load(config=run.config.data).train)


class Embedding:
    """Stands for the process of t-SNE: another request comes in before it is done."""

    made: ClassVar = []
    stops: ClassVar = []

    def __init__(self, points, method, seed):
        self.points, self.waited, self.closed = points, 0, False
        self.made.append(self)

    def wait(self):
        self.waited += 1
        if self.waited > 1:
            return self.points[:, :2]
        self.stops.append(True)
        return None

    def close(self):
        self.closed = True


@pytest.fixture
def embeddings(explorer, monkeypatch):
    from engine.latent import embedding

    monkeypatch.setattr(Embedding, "made", [])
    explorer.should_stop = lambda: bool(Embedding.stops) and Embedding.stops.pop()
    monkeypatch.setattr(embedding, "EmbeddingProcess", Embedding)
    return Embedding.made


def test_map_that_takes_long_yields_continues_and_is_kept(ask, embeddings):
    assert ask(EmbedLatents, "ae", method="tsne") is None
    first = ask(EmbedLatents, "ae", method="tsne")
    ask(EmbedLatents, "ae")
    assert np.array_equal(ask(EmbedLatents, "ae", method="tsne").points, first.points)
    assert len(embeddings) == 1


def test_map_that_is_kept_does_not_keep_the_model_it_is_of(ask, monkeypatch):
    from engine.explorer import latent_cache

    made = []

    class Noted(latent_cache.LatentData):
        def __init__(self, *given):
            super().__init__(*given)
            made.append(weakref.ref(self))

    monkeypatch.setattr(latent_cache, "LatentData", Noted)
    for model in ("ae", "vae", "unet"):
        ask(EmbedLatents, model)
    gc.collect()
    assert [atlas() is None for atlas in made] == [True, False, False]


def test_map_that_is_no_longer_wanted_is_given_up(ask, embeddings):
    assert ask(EmbedLatents, "ae", method="tsne") is None
    assert ask(EmbedLatents, "ae", method="tsne", seed=1) is None
    assert [each.closed for each in embeddings] == [True, False]


def test_file_lies_where_its_scan_lies(ask, run_of, planted, embeddings):
    laid = ask(EmbedLatents, "ae")
    found = ask(ProjectScan, "ae", scan=planted("ae", 5))
    at = laid.split.index("train") + 5
    span = np.ptp(laid.points, axis=0)
    assert np.abs(found.point - laid.points[at]).max() < 0.02 * span.max()
    assert found.nearest[0] == 5
    assert ask(EmbedLatents, "ae", method="tsne") is None
    found = ask(ProjectScan, "ae", scan=planted("ae", 5), method="tsne")
    assert (found.point, found.nearest[0]) == (None, 5)


def test_latents_are_kept_in_the_run_and_found_again(ask, run_of, tmp_path):
    first = ask(EmbedLatents, "ae")
    kept = run_of("ae").path / "latents" / "train.npz"
    stamp = kept.stat().st_mtime_ns
    run = run_of("ae")
    again = Explorer(tmp_path, lambda event: None, never_stop)
    answer = again.answer(EmbedLatents(number=2, panel="latent", run=str(run.path), data=run.config.data))
    assert kept.stat().st_mtime_ns == stamp
    assert np.array_equal(answer.points, first.points)


def test_what_yields_continues_where_it_was():
    from engine.latent.encoding import process_in_batches

    begun, reported = [], []
    gathering = ResumableJob(
        lambda _: process_in_batches(lambda which: begun.append(which.start) or range(150)[which], 150, 64)
    )
    stops = iter([False, True])
    with pytest.raises(Cancelled):
        gathering.run(JobContext(lambda: next(stops)))
    context = JobContext(on_progress=lambda title, done, total: reported.append((done, total)))
    assert gathering.run(context) == [range(64), range(64, 128), range(128, 150)]
    assert begun == [0, 64, 128]
    assert reported == [(128, 150), (150, 150)]


def test_map_that_is_stopped_has_no_answer(run_of, tmp_path):
    run = run_of("unet")
    stopped = Explorer(tmp_path, lambda event: None, lambda: True)
    config = run.config.data
    stopped._data.put(config, data.load(config=config))
    forget_latents(run)
    assert stopped.answer(EmbedLatents(number=1, panel="latent", run=str(run.path), data=config)) is None


def test_neighbors_of_a_training_image_leave_it_out(ask):
    answer = ask(FindNeighbors, "ae", split="train", indices=(3,), count=4)
    assert 3 not in [each.index for each in answer.pixel.nearest]
    assert len(answer.latent.nearest) == 4
    distances = [each.distance for each in answer.pixel.nearest]
    assert distances == sorted(distances)
    assert answer.memorised is False
    assert "is not a near copy" in answer.sentence


def test_scan_that_is_a_file_of_a_training_scan_is_named_its_copy(ask, planted):
    answer = ask(FindNeighbors, "vae", scan=planted("vae", 5))
    assert answer.memorised is True
    assert answer.pixel.nearest[0].index == 5
    assert answer.pixel.nearest[0].distance < 0.01


@pytest.mark.parametrize("model", DECODING)
@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_interpolation_begins_and_ends_at_the_reconstructions(ask, explorer, run_of, model, path):
    answer = ask(Interpolate, model, first=("train", 0), second=("test", 1), steps=5, path=path)
    images = answer.images
    assert images.shape == (5, 32, 32)
    loaded, _ = explorer.reconstructor(str(run_of(model).path), run_of(model).config.data)
    splits = explorer.dataset(run_of(model).config.data).splits
    originals = np.concatenate([splits["train"].read([0]), splits["test"].read([1])])
    assert images[[0, -1]] == pytest.approx(scoring.reconstruct(loaded, originals)[..., 0], abs=1e-4)
    assert answer.faded[[0, -1]] == pytest.approx(originals[..., 0])
    assert len(list(explorer.scratch.glob("*.npy"))) == 2


def test_walk_goes_over_what_the_training_images_span(ask):
    answer = ask(TraverseDimension, "ae", split="test", indices=(0,), dimension=2, steps=7)
    listed = ask(EmbedLatents, "ae").dimensions
    at = listed.order.index(2)
    assert (answer.values[0], answer.values[-1]) == pytest.approx((listed.low[at], listed.high[at]))
    assert answer.images.shape == (7, 32, 32)
    wider = ask(TraverseDimension, "ae", split="test", indices=(0,), dimension=2, steps=7, reach=3.0)
    middle, spread = listed.mean[at], listed.spread[at]
    assert (wider.values[0], wider.values[-1]) == pytest.approx((middle - 3 * spread, middle + 3 * spread))


def test_average_of_one_image_is_its_reconstruction(ask, explorer, run_of):
    answer = ask(DecodeMean, "vae", places=(("test", 2),))
    original = answer.pixel_mean
    loaded, _ = explorer.reconstructor(str(run_of("vae").path), run_of("vae").config.data)
    assert answer.average == pytest.approx(scoring.reconstruct(loaded, original[..., None])[..., 0], abs=1e-4)
    assert ask(DecodeMean, "vae", places=(("test", 2), ("train", 1))).count == 2


def test_samples_are_the_same_for_the_same_seed(ask):
    for model, source in (("vae", "prior"), ("vae", "mixture"), ("ae", "mixture")):
        first, again, other = (ask(SampleLatent, model, count=3, seed=seed, source=source) for seed in (1, 1, 2))
        assert np.array_equal(first.images, again.images)
        assert not np.array_equal(first.images, other.images)
        assert len(first.samples) == 3
        assert (first.mixture is None) is (source == "prior")


def test_image_of_a_run_without_known_patients_is_not_judged(explorer, run_of):
    found = explorer.answer(
        JudgeScan(number=1, panel="x", runs=(str(run_of("ae").path),), data=DataConfig(), split="test", indices=(0,))
    )
    assert (found.notes, found.flagged) == ({}, ())


def test_spread_and_calibration_of_a_variational_run(ask):
    answer = ask(PosteriorSpread, "vae", split="test", indices=(1,), samples=8)
    assert answer.spread.shape == (32, 32)
    assert answer.spread.max() > 0
    found = ask(CalibrateSpread, "vae", samples=8, count=3)
    assert found.scans == 3
    assert found.pixels == 3 * 32 * 32
    assert list(found.coverage) == sorted(found.coverage)
    assert "Overconfident" in found.sentence
    assert answer.half_width is None
    assert abs(found.calibrated.coverage[8] - 0.9) < abs(found.coverage[8] - 0.9)
    again = ask(PosteriorSpread, "vae", split="test", indices=(1,), samples=8)
    assert (again.half_width > again.spread).all()


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Interpolate, {"first": ("train", 0), "second": ("train", 1)}),
        (TraverseDimension, {"split": "test", "indices": (0,), "dimension": 0}),
        (DecodeMean, {"places": (("train", 0),)}),
        (SampleLatent, {}),
        (PosteriorSpread, {"split": "test", "indices": (0,)}),
    ],
)
def test_model_that_cannot_decode_from_a_latent_alone_refuses_with_a_sentence(ask, kind, fields):
    for model in ("unet", "skip-ae"):
        with pytest.raises(ConfigError, match="a latent code alone cannot be decoded"):
            ask(kind, model, **fields)


def test_autoencoder_has_no_prior_and_says_what_to_do(ask):
    with pytest.raises(ConfigError, match=r"has no prior.*mixture"):
        ask(SampleLatent, "ae", source="prior")
    with pytest.raises(ConfigError, match="has no posterior"):
        ask(PosteriorSpread, "ae", split="test", indices=(0,))


def test_places_that_are_not_there_get_a_sentence(ask):
    with pytest.raises(ConfigError, match="no image 9999 in train"):
        ask(DecodeMean, "ae", places=(("train", 9999),))
    with pytest.raises(ConfigError, match="no split 'exam'"):
        ask(DecodeMean, "ae", places=(("exam", 0),))
    with pytest.raises(ConfigError, match="no latent dimension 8"):
        ask(TraverseDimension, "ae", split="test", indices=(0,), dimension=8)
