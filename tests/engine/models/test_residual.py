"""The linear map is the best there is, and the network behind it changes nothing of the latent dimensions."""

import keras
import numpy as np
import pytest

import engine
from engine import config, models
from engine.job_context import UNATTENDED, Cancelled, JobContext
from engine.messages import Log
from engine.models import subspace
from engine.models.reconstructor import AdaptContext
from engine.training import checkpoints


def ripples(count, pixels=64, rank=6):
    """Images (count, pixels) uint8 that vary along `rank` directions, each weaker than the one before."""
    rng = np.random.default_rng(1)
    directions = np.linalg.qr(rng.standard_normal((pixels, rank)))[0]
    return np.rint(128 + rng.standard_normal((count, rank)) * 2.0 ** -np.arange(rank) * 150 @ directions.T).clip(0, 255)


def sight(images, told=None, context=UNATTENDED):
    tell = [].append if told is None else told.append
    return AdaptContext(len(images), 0, lambda number: iter(np.array_split(images, 2)), context, tell)


@pytest.fixture
def settings(tiny):
    return tiny(model="residual-ae", linear_passes=3, depth=1)


@pytest.fixture
def prepared(settings, blobs):
    model = models.build(settings)
    model.adapt(sight(blobs(20)))
    return model


def shaken(model):
    """Give the network weights, as if it had been trained."""
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(0, 0.2, weight.shape))


def test_the_axes_are_those_of_an_exact_decomposition():
    images = ripples(300).astype(np.uint8)
    mean, axes = subspace.principal(images, 4, np.random.default_rng(0))
    centred = images / 255 - (images / 255).mean(axis=0)
    wanted = np.linalg.svd(centred, full_matrices=False)[2][:4].T
    assert mean == pytest.approx(images.mean(axis=0) / 255, abs=1e-6)
    assert np.abs(np.sum(axes * wanted, axis=0)) == pytest.approx(np.ones(4), abs=1e-4)


@pytest.mark.parametrize(("images", "count"), [(3, 8), (1, 5), (40, 64), (5, 100)])
def test_fewer_images_or_pixels_than_axes_will_do(images, count):
    found = subspace.principal(ripples(images).astype(np.uint8), count, np.random.default_rng(0))
    mean, axes = found
    assert axes.shape == (64, count)
    assert np.isfinite(axes).all()
    centred = ripples(images) / 255 - mean
    assert centred @ axes @ axes.T == pytest.approx(centred, abs=0.02 if count < 64 else 1e-4)


def test_few_images_and_many_have_the_same_axes(monkeypatch):
    images = ripples(40, pixels=90).astype(np.uint8)
    few = subspace.principal(images, 4, np.random.default_rng(0))[1]
    monkeypatch.setattr(subspace, "IN_MEMORY", 39)
    many = subspace.principal(images, 4, np.random.default_rng(0))[1]
    assert np.abs(np.sum(few * many, axis=0)) == pytest.approx(np.ones(4), abs=1e-4)


def test_training_begins_at_the_linear_map(prepared, blobs):
    images = blobs(20)
    flat = images.reshape(20, -1).astype(np.float64)
    mean, axes = flat.mean(axis=0), np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)[2][:8]
    wanted = ((flat - mean) @ axes.T @ axes + mean).reshape(images.shape).clip(0, 1)
    assert np.asarray(prepared.reconstruct(images)) == pytest.approx(wanted, abs=5e-3)


def test_a_reconstruction_is_encoded_as_its_image_is(prepared, blobs):
    shaken(prepared)
    latent = prepared.encode(blobs(4))
    unbounded = prepared.decoder(latent, training=True)
    assert np.abs(np.asarray(unbounded - prepared.space(latent, way="out"))).max() > 0.05
    assert np.asarray(prepared.encode(unbounded)) == pytest.approx(np.asarray(latent), abs=1e-4)


def test_without_consistency_the_network_may_change_everything(settings, blobs):
    model = models.build(config.from_flat({"consistent": False}, settings))
    model.adapt(sight(blobs(20)))
    shaken(model)
    latent = np.asarray(model.encode(blobs(4)))
    assert np.abs(np.asarray(model.encode(model.decoder(latent, training=True))) - latent).max() > 0.05


def test_an_image_and_its_mirror_image_are_answered_alike_but_in_training(settings, blobs):
    plain, mirrored = (models.build(config.from_flat({"mirrored": chosen}, settings)) for chosen in (False, True))
    shaken(plain)
    mirrored.set_weights(plain.get_weights())
    layer = mirrored.decoder.get_layer("mirrored")
    images = blobs(4)
    answers, of_mirrored = np.asarray(layer(images)), np.asarray(layer(images[:, :, ::-1]))
    assert of_mirrored[:, :, ::-1] == pytest.approx(answers, abs=1e-6)
    one_way, other_way = np.asarray(layer.network(images)), np.asarray(layer.network(images[:, :, ::-1]))[:, :, ::-1]
    assert np.abs(one_way - other_way).max() > 0.05
    assert answers == pytest.approx((one_way + other_way) / 2, abs=1e-6)
    latent = plain.encode(images)
    assert np.array_equal(mirrored.decoder(latent, training=True), plain.decoder(latent, training=True))
    assert np.abs(np.asarray(mirrored.decoder(latent) - plain.decoder(latent))).max() > 0.01


def test_a_mirrored_network_is_saved_and_loaded_whole(settings, blobs, tmp_path):
    model = models.build(config.from_flat({"mirrored": True}, settings))
    shaken(model)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(again.reconstruct(blobs(4)), model.reconstruct(blobs(4)))


def test_folding_loses_nothing():
    images = np.arange(64, dtype=np.float32).reshape(1, 8, 8, 1)
    folded = models.residual.Fold()(images)
    assert np.asarray(folded)[0, 0, 0].tolist() == [0, 1, 8, 9]
    assert np.array_equal(np.asarray(models.residual.Unfold()(folded)), images)


def test_as_many_copies_as_fit_are_looked_at(settings, blobs, monkeypatch):
    told = []
    models.build(settings).adapt(sight(blobs(4), told))
    assert [text for text in told if "pass" in text][-1].startswith("Fitting PCA: pass 3 of 3")
    assert told[-1] == "Fitting PCA: 8 components to 12 images."
    monkeypatch.setattr(models.residual, "BYTES_MOST", 9 * 32 * 32)
    models.build(settings).adapt(sight(blobs(4), told))
    assert told[-1] == "Fitting PCA: 8 components to 8 images."


@pytest.mark.parametrize("after", [0, 1, 7])
def test_a_stop_leaves_the_weights_as_they_were(settings, blobs, monkeypatch, after):
    monkeypatch.setattr(subspace, "IN_MEMORY", 0 if after == 7 else 4096)
    asked = iter([False] * after + [True] * 99)
    model = models.build(settings)
    before = model.get_weights()
    with pytest.raises(Cancelled):
        model.adapt(sight(blobs(4), context=JobContext(lambda: next(asked))))
    assert all(map(np.array_equal, model.get_weights(), before))


def test_the_images_are_seen_once_and_the_map_continues_with_the_run(settings, tmp_path, monkeypatch):
    said = []
    run = engine.train(settings, run="one", root=tmp_path, emit=said.append)
    spoken = [event.text for event in said if isinstance(event, Log)]
    assert sum(" components to " in text for text in spoken) == 1
    first = models.build_compiled(settings)
    checkpoints.load(run.checkpoints, first)
    monkeypatch.setattr(models.residual.ResidualAutoencoder, "adapt", None)  # not to be asked again
    engine.resume(run, epochs=3)
    again = models.load(run)
    axes = keras.ops.convert_to_numpy(first.space.axes)
    assert np.array_equal(keras.ops.convert_to_numpy(again.space.axes), axes)
    assert axes.T @ axes == pytest.approx(np.eye(8), abs=1e-4)


def test_a_run_that_is_stopped_while_it_looks_can_be_resumed(settings, tmp_path):
    seen = []
    run = engine.train(
        settings,
        run="one",
        root=tmp_path,
        emit=lambda event: seen.append(getattr(event, "text", "")),
        should_stop=lambda: any("pass 2" in text for text in seen),
    )
    assert (run.state(), run.history()) == ("stopped", [])
    engine.resume(run)
    assert (run.state(), len(run.history())) == ("finished", 2)
    whole = engine.train(settings, run="two", root=tmp_path)
    assert all(map(np.array_equal, models.load(run).get_weights(), models.load(whole).get_weights()))


def test_the_preset_spends_the_epochs_of_the_study():
    best = config.preset("best-512")
    assert best.model.latent == 512
    assert best.model.linear_passes + best.training.epochs <= 40
