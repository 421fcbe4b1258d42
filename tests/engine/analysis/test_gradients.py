"""Gradients of what a layer makes, on each backend, against differences."""

import json

import numpy as np
import pytest

from engine import models
from engine.analysis import gradients, layers
from engine.errors import ConfigError

EACH = """
import json
import keras, numpy as np
from engine import config, models
from engine.analysis import activations, gradients, layers

images = np.random.default_rng(0).random((2, 32, 32, 1)).astype("float32")
nudge = np.random.default_rng(1).standard_normal(images.shape).astype("float32")
found, led_back = {}, {}
for name in sorted(models.BUILDERS):
    keras.utils.set_random_seed(0)  # small slopes of unlucky weights drown in the rounding of the difference
    model = models.build(config.from_flat({"model": name, "size": 32, "filters": (4, 8), "activation": "silu"}))
    last = [layer.name for layer in layers.list_layers(model) if len(layer.shape) == 3][3]
    measured = lambda given: keras.ops.mean(keras.ops.square(layers.activation_tensors(model, given, [last])[last]))
    value, slope = gradients.gradient(measured, images)
    high, low = (float(np.mean(np.square(activations.compute(model, images + s * nudge, [last])[last])))
        for s in (1e-2, -1e-2))
    found[name] = [(high - low) / 2e-2, float((slope * nudge).sum()), float(np.abs(slope).max())]
    ends = [last, layers.list_layers(model)[-1].name]
    made = activations.compute(model, images, ends)
    weights = [np.random.default_rng(2).standard_normal(made[end].shape).astype("float32") for end in ends]
    names = lambda given: tuple(layers.activation_tensors(model, given, ends)[end] for end in ends)
    apply_vjp = gradients.make_vjp(names, images)
    tensors = [keras.ops.convert_to_tensor(weight) for weight in weights]
    weighed = lambda given: sum(keras.ops.sum(each * weight) for each, weight in zip(names(given), tensors))
    alike = [np.allclose(apply_vjp([factor * weight for weight in weights]),
        factor * gradients.gradient(weighed, images)[1], rtol=1e-3, atol=1e-4) for factor in (1.0, -2.0)]
    led_back[name] = alike
nothing = gradients.gradient(lambda given: keras.ops.convert_to_tensor(1.0), images)
constant = gradients.make_vjp(lambda given: (keras.ops.ones((2, 3)),), images)([np.ones((2, 3), "float32")])
print(json.dumps({"backend": keras.backend.backend(), "found": found, "nothing": float(np.abs(nothing[1]).max()),
    "led_back": led_back, "constant": float(np.abs(constant).max())}))
"""


def test_gradients_on_each_backend_are_those_of_differences(backend, run_on):
    said = json.loads(run_on(backend, EACH))
    assert said["backend"] == backend
    assert set(said["found"]) == set(models.BUILDERS)
    for name, (difference, slope, largest) in said["found"].items():
        assert largest > 0, name
        assert slope == pytest.approx(difference, rel=0.03, abs=1e-6), name
    assert said["nothing"] == said["constant"] == 0.0
    assert said["led_back"] == {name: [True, True] for name in said["found"]}


def test_layers_behind_the_last_wanted_are_not_computed(tiny):
    model = models.build(tiny())
    called = []
    decoder = model.decoder.call
    model.decoder.call = lambda *args, **more: (called.append(1), decoder(*args, **more))[1]
    images = np.zeros((1, 32, 32, 1), np.float32)
    found = layers.activation_tensors(model, images, ["enc_act1", "images"])
    assert set(found) == {"enc_act1", "images"}
    assert not called
    layers.activation_tensors(model, images, ["dec_act1"])
    assert called
    with pytest.raises(ConfigError, match="no layer 'enc_conv9'"):
        layers.activation_tensors(model, images, ["enc_conv9"])
    assert not any("call" in vars(layer) for layer in model.encoder.layers)


def test_a_sum_gives_every_image_its_own_gradient(tiny):
    model = models.build(tiny())
    images = np.random.default_rng(0).random((3, 32, 32, 1)).astype(np.float32)

    def total(given):
        return layers.keras.ops.sum(layers.activation_tensors(model, given, ["enc_latent"])["enc_latent"])

    whole = gradients.gradient(total, images)[1]
    each = np.concatenate([gradients.gradient(total, image[None])[1] for image in images])
    assert whole == pytest.approx(each, abs=1e-5)
