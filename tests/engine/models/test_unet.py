"""The U-Net as its own settings make it."""

import keras
import numpy as np
import pytest

from engine import config, models

SCRIPT = """
import keras, numpy as np
from engine import backend, config, data
chosen = config.from_flat({"phantom_count": 120, "size": 32}, config.preset("unet"))
models = backend.import_on_backend("engine.models", chosen.training)
images = data.load(config=chosen.data).train
keras.utils.set_random_seed(0)
model = models.build_compiled(chosen)
draw = np.random.default_rng(0)
for _ in range(40):
    batch = images.read(draw.integers(0, len(images), 16))
    loss = float(np.ravel(model.train_on_batch(batch, batch))[0])
print(loss / float(np.mean(images.read() ** 2)))
"""


@pytest.mark.slow
def test_its_preset_learns_dark_images_instead_of_painting_them_black(run_on):
    """Without normalization the sigmoid ran into its flat end within 20 steps and stayed there: a share of 1."""
    assert float(run_on("tensorflow", SCRIPT)) < 0.7


@pytest.mark.parametrize("residual", [True, False])
def test_an_image_and_its_mirror_image_are_answered_alike_but_in_training(residual, tiny, blobs, tmp_path):
    settings = config.from_flat({"residual": residual, "norm": "none"}, tiny(model="unet"))
    plain, mirrored = (models.build(config.from_flat({"mirrored": chosen}, settings)) for chosen in (False, True))
    rng = np.random.default_rng(0)
    plain.set_weights([rng.normal(0, 0.3, weight.shape) for weight in plain.get_weights()])
    mirrored.set_weights(plain.get_weights())
    images = blobs(3)
    answers, of_mirrored = mirrored.reconstruct(images), mirrored.reconstruct(images[:, :, ::-1])
    assert np.asarray(of_mirrored)[:, :, ::-1] == pytest.approx(np.asarray(answers), abs=1e-5)
    assert np.abs(np.asarray(plain.reconstruct(images)) - np.asarray(answers)).max() > 0.01
    assert np.array_equal(mirrored(images, training=True), plain(images, training=True))
    mirrored.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(again.reconstruct(images), answers)


@pytest.mark.parametrize("residual", [True, False])
def test_draft_is_one_pass_with_the_weights_that_the_model_has_now(residual, tiny, blobs):
    settings = config.from_flat({"residual": residual, "norm": "none"}, tiny(model="unet"))
    plain, mirrored = (models.build(config.from_flat({"mirrored": chosen}, settings)) for chosen in (False, True))
    layers, quick = len(mirrored._flatten_layers()), mirrored.fast_variant()
    assert plain.fast_variant() is plain
    rng = np.random.default_rng(0)
    plain.set_weights([rng.normal(0, 0.3, weight.shape) for weight in plain.get_weights()])
    mirrored.set_weights(plain.get_weights())
    assert quick.predict_on_batch(blobs(3)) == pytest.approx(np.asarray(plain.reconstruct(blobs(3))), abs=1e-5)
    assert len(mirrored._flatten_layers()) == layers  # it is no part of what is saved
