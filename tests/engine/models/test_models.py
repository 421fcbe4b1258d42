"""What every registered model must do."""

import json
import zipfile

import keras
import numpy as np
import pytest

from engine import config, models, runs
from engine.errors import RunDamaged
from engine.evaluation import scoring
from engine.models import weights_file
from tests.engine.models.in_memory import InMemory

NAMES = sorted(models.BUILDERS)


def test_every_model_has_its_settings_and_every_settings_a_model():
    assert set(models.BUILDERS) == set(config.MODELS)


@pytest.fixture(params=NAMES)
def settings(request, tiny):
    return tiny(model=request.param)


def test_shapes_types_and_range(settings, blobs):
    model = models.build(settings)
    images = blobs(3)
    reconstructed = np.asarray(model.reconstruct(images))
    assert reconstructed.shape == images.shape
    assert reconstructed.dtype == np.float32
    assert 0 <= reconstructed.min() <= reconstructed.max() <= 1
    if settings.model.latent_size:
        assert np.asarray(model.encode(images)).shape == (3, settings.model.latent_size)
    assert scoring.reconstruct(model, images) == pytest.approx(reconstructed, abs=1e-5)


@pytest.mark.parametrize("name", ["ae", "vae"])
def test_the_stacks_of_the_study(name):
    model = models.build(config.preset(f"seed-{name}"))
    encoder = {layer.name: layer for layer in model.encoder.layers}
    decoder = {layer.name: layer for layer in model.decoder.layers}
    sides = [64, 32, 16, 8, 4]
    for number, (side, filters) in enumerate(zip(sides, (32, 64, 128, 256, 512), strict=True), 1):
        assert encoder[f"enc_conv{number}"].output.shape == (None, side, side, filters)
        assert {f"enc_norm{number}", f"enc_act{number}"} <= set(encoder)
    for number, (side, filters) in enumerate(zip((8, 16, 32, 64, 128), (256, 128, 64, 32, 1), strict=True), 1):
        assert decoder[f"dec_conv{number}"].output.shape == (None, side, side, filters)
    assert model.reconstruct(np.zeros((1, 128, 128, 1), "float32")).shape == (1, 128, 128, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"stride": 4, "kernel_size": 5},
        {"depth": 3, "activation": "gelu", "norm": "group"},
        {"depth": 2, "activation": "silu", "norm": "layer"},
        {"activation": "elu", "norm": "none"},
        {"activation": "relu", "filters": (6, 5, 3)},
    ],
    ids=str,
)
def test_other_layers_can_be_requested(changes, settings, blobs):
    known = type(settings.model).model_fields
    wanted = config.from_flat({name: value for name, value in changes.items() if name in known}, settings)
    model = models.build(wanted)
    assert np.asarray(model.reconstruct(blobs(2))).shape == (2, 32, 32, 1)
    names = [layer.name for layer in model._flatten_layers()]
    levels, depth = len(wanted.model.filters), wanted.model.depth
    if wanted.model.model.startswith("residual"):  # blocks of two convolutions, on either side
        lowest_is_shared = wanted.model.model == "residual-ae"
        blocks = depth * (2 * levels - lowest_is_shared)
        assert sum(name.endswith(("a_conv", "b_conv")) for name in names) == 2 * blocks
    else:
        assert sum(name.startswith("enc_conv") for name in names) == levels * depth
    assert any("norm" in name for name in names) == (wanted.model.norm != "none")


def test_a_saved_model_comes_back_whole(settings, blobs, tmp_path):
    model = models.build(settings)
    wanted = np.asarray(model.reconstruct(blobs(2)))
    run = runs.create_run(settings, "one", tmp_path)
    model.save(run.model_path)
    assert np.array_equal(np.asarray(models.load(run).reconstruct(blobs(2))), wanted)
    assert np.array_equal(np.asarray(keras.saving.load_model(run.model_path).reconstruct(blobs(2))), wanted)


def test_a_model_file_that_is_not_ours_is_refused(settings, tmp_path):
    run = runs.create_run(settings, "one", tmp_path)
    with pytest.raises(RunDamaged, match="has no saved model yet"):
        models.load(run)
    run.model_path.write_bytes(b"no archive")
    with pytest.raises(RunDamaged, match="not a Keras file"):
        models.load(run)
    other = models.build(config.from_flat({"filters": (4, 4)}, settings))
    other.save(run.model_path)
    with pytest.raises(RunDamaged, match="cannot be read"):
        models.load(run)


def test_a_model_file_that_is_packed_or_holds_too_much_is_refused(settings, tmp_path, monkeypatch):
    run = runs.create_run(settings, "one", tmp_path)
    with zipfile.ZipFile(run.model_path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(2**20))
    with pytest.raises(RunDamaged, match="it is packed"):
        models.load(run)
    monkeypatch.setattr(weights_file, "EXTRA_BYTES", -(2**40))
    models.build(settings).save(run.model_path)
    with pytest.raises(RunDamaged, match="contains objects that are not part of Engram"):
        models.load(run)


def test_scores_do_not_depend_on_the_batch_size(settings, blobs, monkeypatch):
    model, images = models.build(settings), blobs(11)
    wanted = scoring.score(model, InMemory(images))
    for size in (1, 4, 11):
        monkeypatch.setattr(scoring, "BATCH", size)
        for name, values in scoring.score(model, InMemory(images)).items():
            assert values == pytest.approx(wanted[name], rel=1e-5), name


def test_a_config_makes_the_same_model_again(settings, blobs):
    first = models.build(settings)
    again = type(first).from_config(first.get_config())
    again.set_weights(first.get_weights())
    assert np.array_equal(np.asarray(first.reconstruct(blobs(2))), np.asarray(again.reconstruct(blobs(2))))
    assert config.from_nested(json.loads(settings.model_dump_json())) == settings


def test_a_residual_unet_begins_by_returning_its_input(tiny, blobs):
    model = models.build(tiny(model="unet", residual=True))
    assert np.array_equal(np.asarray(model.reconstruct(blobs(3))), blobs(3))


@pytest.mark.parametrize("name", ["skip-ae", "unet"])
def test_a_model_with_skips_has_no_latent_and_says_so(name, tiny):
    assert tiny(model=name).model.latent_size is None
    assert "latent" not in config.to_flat(tiny(model=name))
    assert not hasattr(models.build(tiny(model=name)), "encode")
    assert "copy" in config.MODELS[name].__doc__
