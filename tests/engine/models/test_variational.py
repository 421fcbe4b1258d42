"""The VAE's maths, and its step of training on each backend."""

import json

import keras
import numpy as np
import pytest

from engine import config, metrics, models
from engine.evaluation import scoring
from engine.models import variational

COMPARE = """
import json, sys
import keras, numpy as np
from engine import config, models
from engine.models.reconstructor import Reconstructor

rng = np.random.default_rng(0)
images = rng.random((20, 32, 32, 1)).astype("float32")
settings = config.from_flat({"model": "vae", "size": 32, "filters": (4, 8), "latent": 3, "learning_rate": 1e-2})

def trained():
    keras.utils.set_random_seed(1)
    model = models.build_compiled(settings)
    history = model.fit(images, images, batch_size=8, epochs=3, shuffle=False, verbose=0).history
    return history, [keras.ops.convert_to_numpy(weight).astype(float) for weight in model.trainable_weights]

own_step, own_fit = Reconstructor.train_step, Reconstructor.fit
del Reconstructor.fit  # no fused step in its place, which test_torch_step.py compares
try:
    own, own_weights = trained()
    del Reconstructor.train_step
    keras_own, keras_weights = trained()
finally:
    Reconstructor.train_step, Reconstructor.fit = own_step, own_fit
print(json.dumps({
    "backend": keras.backend.backend(),
    "own": own,
    "keras": keras_own,
    "weights": max(float(np.abs(a - b).max()) for a, b in zip(own_weights, keras_weights)),
}))
"""


def test_our_step_equals_the_one_of_keras(backend, run_on):
    found = json.loads(run_on(backend, COMPARE))
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
    nats = metrics.cross_entropy_nats(images, logits)
    kl = metrics.divergence_nats(mean, log_var)
    wanted = (nats + 2.0 * kl).mean()
    assert float(model.compute_loss(images, images, out)) == pytest.approx(wanted, rel=1e-5)
    assert np.asarray(variational.cross_entropy(images, logits)) == pytest.approx(nats, rel=1e-5)
    assert np.asarray(variational.compute_kl(mean, log_var)) == pytest.approx(kl, rel=1e-4, abs=1e-6)


def test_a_sample_has_the_mean_and_the_spread_it_was_requested():
    mean, log_var = np.full((4000, 2), 3.0, "float32"), np.full((4000, 2), np.log(0.25), "float32")
    drawn = np.asarray(variational.Sampling(seed=0)(mean, log_var))
    assert drawn.mean(0) == pytest.approx(3.0, abs=0.03)
    assert drawn.std(0) == pytest.approx(0.5, abs=0.03)


def test_without_training_the_latent_is_the_mean(tiny, blobs):
    model = models.build(tiny(model="vae"))
    first, second = (np.asarray(model(blobs(2), training=False)["logits"]) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, np.asarray(model(blobs(2), training=True)["logits"]))


def test_warm_up_lets_the_divergence_weigh_more_from_epoch_to_epoch(tiny, blobs):
    model, images = models.build(tiny(model="vae", beta=2.0, kl_warm_up=3)), blobs(6)
    out = model(images, training=True)
    kl = metrics.divergence_nats(*(np.asarray(out[name]) for name in ("mean", "log_var"))).mean()
    found = []
    for epoch in range(5):
        model.begin_epoch(epoch)
        found.append(float(model.compute_loss(images, images, out)))
    nats = metrics.cross_entropy_nats(images, np.asarray(out["logits"])).mean()
    assert found == pytest.approx([nats + 2.0 * share * kl for share in (0.25, 0.5, 0.75, 1, 1)], rel=1e-5)


def test_validation_has_all_of_beta_during_warm_up(tiny, blobs):
    settings = tiny(model="vae", beta=2.0)
    keras.utils.set_random_seed(0)
    plain = models.build(settings)
    model = models.build(config.from_flat({"kl_warm_up": 9}, settings))
    model.encoder.set_weights(plain.encoder.get_weights())
    model.decoder.set_weights(plain.decoder.get_weights())
    model.begin_epoch(0)

    class Images:
        def __len__(self):
            return 6

        def read(self, which):
            return blobs(6)[which]

    assert np.array_equal(scoring.score(model, Images())["loss"], scoring.score(plain, Images())["loss"])


def test_free_bits_press_no_number_below_its_share(tiny, blobs):
    model, images = models.build(tiny(model="vae", free_bits=1.0)), blobs(6)
    out = model(images, training=True)
    mean, log_var = (np.asarray(out[name], np.float64) for name in ("mean", "log_var"))
    each = (-0.5 * (1 + log_var - mean**2 - np.exp(log_var))).mean(0)
    model.free_bits = float(np.median(each))  # half of the numbers are below it
    nats = metrics.cross_entropy_nats(images, np.asarray(out["logits"])).mean()
    wanted = nats + np.maximum(each, np.median(each)).sum()
    assert float(model.compute_loss(images, images, out)) == pytest.approx(wanted, rel=1e-5)
    assert float(model.kl_metric.result()) == pytest.approx(each.sum(), rel=1e-4)
