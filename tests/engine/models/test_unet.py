"""The U-Net as its own settings make it."""

import pytest

SCRIPT = """
import keras, numpy as np
from engine import backend, config, data
chosen = config.build({"phantom_count": 120, "size": 32}, config.preset("unet"))
models = backend.load("engine.models", chosen.training)
images = data.load(config=chosen.data).train
keras.utils.set_random_seed(0)
model = models.compiled(chosen)
draw = np.random.default_rng(0)
for _ in range(40):
    batch = images.read(draw.integers(0, len(images), 16))
    loss = float(np.ravel(model.train_on_batch(batch, batch))[0])
print(loss / float(np.mean(images.read() ** 2)))
"""


@pytest.mark.slow
def test_its_preset_learns_dark_images_instead_of_painting_them_black(run_python):
    """Without normalisation the sigmoid ran into its flat end within 20 steps and stayed there: a share of 1."""
    assert float(run_python(SCRIPT).split()[-1]) < 0.7
