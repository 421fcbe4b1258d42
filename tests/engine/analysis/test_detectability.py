"""Where a lesion goes: nothing is lost by what can be undone, and who is planted as the thief is named."""

import json

import keras
import numpy as np
import pytest

from engine import models
from engine.analysis import layers
from engine.analysis.detectability import Observer, live_tensors, trace_lesions, trace_lesions_in_steps
from engine.analysis.tensor_sources import is_invertible
from engine.data.phantom import phantom
from engine.errors import ConfigError
from engine.job_context import Cancelled, JobContext, run_steps

SIDE = 32


@pytest.fixture(scope="module")
def pairs():
    """Two phantoms and their healthy twins, (2, 32, 32, 1) each."""
    made = [phantom(SIDE, 1, index, label="glioma_tumor") for index in range(2)]
    return np.stack([each.image for each in made])[..., None], np.stack([each.healthy for each in made])[..., None]


def chain(*parts):
    """A model of layers in a row, with the size that Engram's have."""
    images = keras.Input((SIDE, SIDE, 1))
    x = images
    for part in parts:
        x = part(x)
    model = keras.Model(images, x)
    model.size = SIDE
    return model


def bent(name, power):
    """A pointwise bend that can be undone, gain from 1 to 1 + 3 power."""
    return keras.layers.Activation(lambda x: x + power * x * x * x, name=name)


POINTWISE = {
    "leaky": lambda: [
        keras.layers.Rescaling(4.0, -1.5),
        keras.layers.LeakyReLU(0.1),
        keras.layers.Rescaling(-0.01, 7.0),
    ],
    "bends": lambda: [keras.layers.Rescaling(2.0, -1.0), keras.layers.Activation("softplus"), bent("bend", 0.5)],
    "saturating": lambda: [
        keras.layers.Rescaling(3.0, -1.5),
        keras.layers.Activation("tanh"),
        keras.layers.LeakyReLU(0.3),
    ],
    "more channels": lambda: [
        keras.layers.Conv2D(3, 1, name="spread", kernel_initializer=keras.initializers.RandomNormal(1.0, 0.3, 0)),
        keras.layers.BatchNormalization(gamma_initializer=keras.initializers.RandomUniform(0.2, 3.0, seed=1)),
        keras.layers.LeakyReLU(0.2),
    ],
}


@pytest.mark.parametrize("kind", POINTWISE)
def test_what_can_be_undone_keeps_the_lesion(pairs, kind):
    model = chain(*POINTWISE[kind]())
    for trusting in (False, True):  # measured, and by what is known of such layers
        found = trace_lesions(model, *pairs, Observer(skip_invertible=trusting))
        assert found.held == pytest.approx(np.broadcast_to(found.first, found.held.shape), rel=0.02)
        assert found.alone == pytest.approx(np.broadcast_to(found.first, found.alone.shape), rel=0.02)
        assert found.lost.max() < 0.02


def test_what_is_trusted_is_what_would_be_measured(pairs, tiny, shaken):
    model = shaken(models.build(tiny()))
    trusted, measured = (
        trace_lesions(model, *pairs, Observer(path_points=1, skip_invertible=each)) for each in (True, False)
    )
    missed = (trusted.held - measured.held) / trusted.first
    assert missed.min() > -0.01, "measuring never finds more than there is"
    assert missed.max() < 0.1, "and with so few channels not all of it"
    assert trusted.layers[trusted.worst_layer] == measured.layers[measured.worst_layer]


def test_only_what_can_be_undone_is_trusted():
    norm = keras.layers.BatchNormalization()
    norm.build((None, 4, 4, 2))
    assert is_invertible(norm)
    norm.gamma.assign([1.0, 0.0])
    assert not is_invertible(norm)
    bends = [keras.layers.LeakyReLU(0.1), keras.layers.Activation("tanh"), keras.layers.Rescaling(0.5)]
    assert all(map(is_invertible, [*bends, keras.layers.Flatten()]))
    cuts = [
        keras.layers.LeakyReLU(0.0),
        keras.layers.ReLU(),
        keras.layers.Activation("relu"),
        keras.layers.Rescaling(0.0),
    ]
    assert not any(map(is_invertible, [*cuts, keras.layers.Activation("silu"), keras.layers.Conv2D(1, 1)]))


def test_in_the_image_it_is_the_lesion_over_the_noise(pairs):
    pictures, healthy = pairs
    found = trace_lesions(chain(keras.layers.Rescaling(1.0)), pictures, healthy, Observer(noise=0.1))
    wanted = np.sqrt(np.square(pictures - healthy).sum(axis=(1, 2, 3))) / 0.1
    assert found.first == pytest.approx(wanted, rel=1e-5)


def test_a_projection_keeps_what_linear_algebra_says(pairs):
    pictures, healthy = pairs
    flat = keras.layers.Flatten()
    dense = keras.layers.Dense(12, use_bias=False, name="few")
    model = chain(flat, dense)
    rng = np.random.default_rng(0)
    axes = rng.standard_normal((SIDE * SIDE, 12))
    axes[:, 0] = (pictures - healthy)[0].ravel() + 0.5 * rng.standard_normal(SIDE * SIDE) * 0.1
    dense.set_weights([axes.astype(np.float32)])
    span = np.linalg.qr(axes)[0]
    signal = (pictures - healthy).reshape(2, -1).astype(np.float64)
    wanted = np.linalg.norm(signal @ span, axis=1) / np.linalg.norm(signal, axis=1)
    found = trace_lesions(model, pictures, healthy, Observer(channels=12))
    assert found.alone[-1] / found.first == pytest.approx(wanted, rel=0.01)
    assert found.alone[0] / found.first == pytest.approx(1.0, rel=0.01)
    assert found.layers[found.worst_layer].name == "few"


STAGES = 5


def carrier(leak=None):
    """Bright parts in channels 0 and 1, the rest in 2 and 3, never mixed; stage `leak` drops the first two."""
    rng = np.random.default_rng(2)
    parts = [keras.layers.Conv2D(4, 1, name="split"), keras.layers.ReLU(name="split_act")]
    for number in range(STAGES):
        parts.append(keras.layers.Conv2D(4, 3, padding="same", name=f"stage{number}"))
        parts.append(keras.layers.LeakyReLU(0.3, name=f"act{number}"))
        if number == 2:
            parts.append(keras.layers.AveragePooling2D(8, name="pool"))  # loses some of it honestly
    model = chain(*parts)
    model.get_layer("split").set_weights(
        [
            np.array([1.0, -1.0, -1.0, -2.0], np.float32).reshape(1, 1, 1, 4) * [1, -2, 1, 1],
            np.array([-0.6, -1.2, 0.6, 1.2]),
        ]
    )
    for number in range(STAGES):
        kernel = np.zeros((3, 3, 4, 4))
        for group in (slice(0, 2), slice(2, 4)):
            kernel[..., group, group] = rng.standard_normal((3, 3, 2, 2)) * 0.15
            kernel[1, 1, group, group] += np.eye(2)
        if number == leak:
            kernel[..., :2] = 0.0
        model.get_layer(f"stage{number}").set_weights([kernel, np.zeros(4)])
    return model


@pytest.fixture(scope="module")
def bright():
    """An image at 0.7 with a lesion that is brighter still, so that only the channels for bright parts see it."""
    healthy = np.full((1, SIDE, SIDE, 1), 0.7, np.float32)
    lesion = healthy.copy()
    lesion[0, 10:19, 12:20] = 0.95
    return lesion, healthy


def test_nothing_is_stolen_where_nothing_is_planted(bright):
    found = trace_lesions(carrier(), *bright)
    assert found.layers[found.worst_layer].name == "pool"
    assert found.held[-1, 0] > 0.5 * found.first[0]


@pytest.mark.parametrize("stage", range(STAGES))
def test_the_stage_that_drops_the_lesion_channels_is_named(bright, stage):
    found = trace_lesions(carrier(leak=stage), *bright)
    assert found.layers[found.worst_layer].name == f"stage{stage}"
    assert found.held[-1, 0] == pytest.approx(0.0, abs=0.01 * found.first[0])
    assert found.lost[found.worst_layer, 0] == pytest.approx(1.0, abs=0.02)


def weighted(model):
    """The layers of a model that hold weights, with the operations."""
    return [(layer.name, operation) for layer, operation in layers.trace_layers(model) if layer.parameters]


@pytest.mark.parametrize(
    "name", ["enc_conv1", "enc_norm2", "enc_latent", "dec_dense", "dec_conv1", "dec_norm1", "dec_conv2"]
)
def test_a_zeroed_layer_of_an_autoencoder_is_named_behind_and_before_the_bottleneck(pairs, tiny, shaken, name):
    model = shaken(models.build(tiny()))
    operation = dict(weighted(model))[name]
    weights = operation.get_weights()
    weights[0] = np.zeros_like(weights[0])  # the kernel, or the gain of a normalization
    operation.set_weights(weights)
    found = trace_lesions(model, *pairs, Observer(channels=6, path_points=1))
    assert found.layers[found.worst_layer].name == name


def test_bottleneck_is_named_and_nothing_is_gained_behind_it(pairs, tiny, shaken):
    found = trace_lesions(shaken(models.build(tiny(latent=4))), *pairs)
    assert found.layers[found.worst_layer].name == "enc_latent"
    assert np.all(np.diff(found.held, axis=0) <= 1e-9)
    assert np.all(found.alone <= found.first + 1e-9)


def test_what_goes_round_a_layer_is_still_held(pairs, tiny, shaken):
    model = shaken(models.build(tiny(model="unet", residual=True)))
    for layer in ("enc_conv2", "dec_up1"):
        part = model.encoder if layer.startswith("enc") else model.decoder
        part.get_layer(layer).set_weights([np.zeros_like(each) for each in part.get_layer(layer).get_weights()])
    known = [layer.name for layer in layers.list_layers(model)]
    measured = {"enc_conv2", known[-1]}
    found = run_steps(trace_lesions_in_steps(model, *pairs, Observer(path_points=1), measured))
    assert [layer.name for layer in found.layers] == ["enc_conv2", known[-1]]
    assert found.alone[0].max() == 0.0
    assert np.all(found.held[0] > 0.5 * found.first)


def test_frontier_is_all_that_is_on_its_way(tiny):
    known = layers.list_layers(models.build(tiny(model="unet", residual=True, depth=1)))
    at = {layer.name: number for number, layer in enumerate(known)}
    assert live_tensors(known, at["enc_conv2"]) == ["images", "enc_act1", "enc_conv2"]
    assert live_tensors(known, at["dec_last"]) == ["images", "dec_last"]
    assert live_tensors(known, len(known) - 1) == ["output"]
    varied = layers.list_layers(models.build(tiny(model="vae")))
    at = {layer.name: number for number, layer in enumerate(varied)}
    assert live_tensors(varied, max(at["enc_mean"], at["enc_log_var"])) == ["enc_mean"]


def test_images_without_a_lesion_are_reported(pairs):
    with pytest.raises(ConfigError, match="no lesion in any of the pairs"):
        trace_lesions(chain(keras.layers.Rescaling(1.0)), pairs[1], pairs[1])


def test_stopped_is_no_answer(pairs):
    with pytest.raises(Cancelled):
        trace_lesions(chain(keras.layers.Rescaling(1.0)), *pairs, context=JobContext(lambda: True))


EACH = """
import json
import keras, numpy as np
from engine import config, models
from engine.data.phantom import phantom
from engine.analysis.detectability import Observer, trace_lesions

made = phantom(32, 1, 0, label="glioma_tumor")
model = models.build(config.from_flat({"model": "ae", "size": 32, "filters": (4, 8), "latent": 4}))
for variable in model.variables:
    rng = np.random.default_rng(len(variable.path))
    if "kernel" in variable.path:
        variable.assign(rng.standard_normal(variable.shape) * 0.3)
found = trace_lesions(model, made.image[None, ..., None], made.healthy[None, ..., None], Observer(path_points=1))
shares = (found.alone / found.first)[:, 0].tolist()
print(json.dumps({"backend": keras.backend.backend(), "thief": found.layers[found.worst_layer].name, "shares": shares}))
"""


def test_the_same_answer_on_each_backend(backend, run_on):
    said = json.loads(run_on(backend, EACH))
    assert said["backend"] == backend
    assert said["thief"] == "enc_latent"
    at_home = json.loads(run_on("tensorflow", EACH))
    assert said["shares"] == pytest.approx(at_home["shares"], abs=0.02)
