"""The VAE's maths, and its step of training on each backend."""

import json

import numpy as np
import pytest

from engine import models, quality
from engine.models import variational

COMPARE = """
import json, sys
import keras, numpy as np
from engine import config, models
from engine.models.variational import VariationalAutoencoder

rng = np.random.default_rng(0)
images = rng.random((20, 32, 32, 1)).astype("float32")
settings = config.build({"model": "vae", "size": 32, "filters": (4, 8), "latent": 3, "learning_rate": 1e-2})

def trained():
    keras.utils.set_random_seed(1)
    model = models.compiled(settings)
    history = model.fit(images, images, batch_size=8, epochs=3, shuffle=False, verbose=0).history
    return history, [keras.ops.convert_to_numpy(weight).astype(float) for weight in model.trainable_weights]

own, own_weights = trained()
del VariationalAutoencoder.train_step
keras_own, keras_weights = trained()
print(json.dumps({
    "backend": keras.backend.backend(),
    "own": own,
    "keras": keras_own,
    "weights": max(float(np.abs(a - b).max()) for a, b in zip(own_weights, keras_weights)),
}))
"""


def test_our_step_equals_the_one_of_keras(backend, run_python):
    found = json.loads(run_python(COMPARE, backend=backend).splitlines()[-1])
    assert found["backend"] == backend
    assert set(found["own"]) == {"loss", "reconstruction", "kl"}
    assert found["own"]["loss"][-1] < found["own"]["loss"][0]
    assert found["weights"] < 1e-6
    for name, values in found["own"].items():
        assert values == pytest.approx(found["keras"][name], rel=1e-6), name


def test_the_loss_is_the_negative_evidence_lower_bound_per_image(tiny, blobs):
    model, images = models.build(tiny(model="vae", beta=2.0)), blobs(6)
    out = model(images, training=True)
    logits, mean, log_var = (np.asarray(out[name]) for name in ("logits", "mean", "log_var"))
    nats = quality.cross_entropy_nats(images, logits)
    kl = quality.divergence_nats(mean, log_var)
    wanted = (nats + 2.0 * kl).mean()
    assert float(model.compute_loss(images, images, out)) == pytest.approx(wanted, rel=1e-5)
    assert np.asarray(variational.cross_entropy(images, logits)) == pytest.approx(nats, rel=1e-5)
    assert np.asarray(variational.divergence(mean, log_var)) == pytest.approx(kl, rel=1e-4, abs=1e-6)


def test_a_sample_has_the_mean_and_the_spread_it_was_asked_for():
    mean, log_var = np.full((4000, 2), 3.0, "float32"), np.full((4000, 2), np.log(0.25), "float32")
    drawn = np.asarray(variational.Sampling(seed=0)(mean, log_var))
    assert drawn.mean(0) == pytest.approx(3.0, abs=0.03)
    assert drawn.std(0) == pytest.approx(0.5, abs=0.03)


def test_without_training_the_latent_is_the_mean(tiny, blobs):
    model = models.build(tiny(model="vae"))
    first, second = (np.asarray(model(blobs(2), training=False)["logits"]) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, np.asarray(model(blobs(2), training=True)["logits"]))
