"""Every registered model learns: by heart, from noisy images, on each backend."""

import json

import keras
import numpy as np
import pytest

import engine
from engine import config, models
from engine.evaluation import scoring
from engine.job_context import UNATTENDED
from engine.models.reconstructor import AdaptContext
from tests.engine.models.in_memory import InMemory

NAMES = sorted(models.BUILDERS)


@pytest.fixture(params=NAMES)
def settings(request, tiny):
    return tiny(model=request.param)


def test_four_images_are_learned_by_heart(settings, blobs):
    keras.utils.set_random_seed(0)
    images = blobs(4)
    latent = {"latent": 16} if settings.model.latent_size else {}
    model = models.build_compiled(config.from_flat({"learning_rate": 1e-2, "filters": (8, 16), **latent}, settings))
    before = scoring.score(model, InMemory(images))["mse"].mean()
    model.adapt(AdaptContext(len(images), 0, lambda number: iter([images]), UNATTENDED, str))
    steps = np.tile(images, (30, 1, 1, 1))  # one epoch of 30 steps costs far less than 30 epochs of one
    losses = [before]
    while losses[-1] >= before / 10 and len(losses) <= 5:
        model.fit(steps, steps, batch_size=4, shuffle=False, verbose=0)
        losses.append(scoring.score(model, InMemory(images))["mse"].mean())
    assert losses[-1] < before / 10, losses


STEPS = """
import json, sys
import keras, numpy as np
from engine import config, models

images = np.random.default_rng(0).random((8, 32, 32, 1)).astype("float32")
losses = {}
for name in models.BUILDERS:
    settings = config.from_flat({"model": name, "size": 32, "learning_rate": 1e-2, **json.loads(sys.argv[1])[name]})
    keras.utils.set_random_seed(1)
    model = models.build_compiled(settings, steps_per_epoch=2)
    model.begin_epoch(0)
    history = model.fit(images, images, batch_size=4, epochs=4, shuffle=False, verbose=0).history
    assert np.asarray(keras.ops.convert_to_numpy(model.reconstruct(images))).dtype == np.float32, name
    losses[name] = history["loss"]
print(json.dumps({"backend": keras.backend.backend(), "losses": losses}))
"""
SMALL = {"latent": 4, "filters": (4, 8), "schedule": "cosine", "warm_up": 0.2, "epochs": 4, "ema": 0.9}


@pytest.mark.parametrize("backend", ["torch", "jax"], indirect=True)  # the other tests are of TensorFlow
def test_every_model_takes_steps_on_each_backend(backend, run_on):
    known = {
        name: [spec.name for kind in config.sections(name).values() for spec in config.list_fields(kind)]
        for name in NAMES
    }
    settings = {name: {key: value for key, value in SMALL.items() if key in known[name]} for name in NAMES}
    found = json.loads(run_on(backend, STEPS, json.dumps(settings)))
    assert found["backend"] == backend
    assert set(found["losses"]) == set(NAMES)
    for name, losses in found["losses"].items():
        assert losses[-1] < losses[0], name


def test_a_model_learns_to_take_noise_out_of_changed_images(settings, tmp_path):
    wanted = config.from_flat(
        {"flip": 0.5, "shift": 0.1, "gamma": 0.2, "noise": "gaussian", "noise_high": 0.3, "epochs": 1}, settings
    )
    run = engine.train(wanted, run="one", root=tmp_path)
    assert run.state() == "finished"
    assert np.isfinite([row["val_loss"] for row in run.history()]).all()
    assert models.load(run).reconstruct(np.zeros((1, 32, 32, 1), "float32")).shape == (1, 32, 32, 1)
