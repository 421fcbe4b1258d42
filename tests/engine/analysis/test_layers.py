"""Layers of every registered model: listed in order, each once, with activations that end in the model's output."""

import json

import keras
import numpy as np
import pytest

from engine import models
from engine.analysis import activations, layers
from engine.errors import ConfigError

NAMES = sorted(models.BUILDERS)


@pytest.fixture
def images():
    return np.random.default_rng(0).random((5, 32, 32, 1)).astype(np.float32)


@pytest.fixture(params=NAMES)
def model(request, tiny):
    return models.build(tiny(model=request.param))


def test_the_layers_of_an_autoencoder_in_network_order(tiny):
    found = layers.list_layers(models.build(tiny()))
    encoder = ["enc_conv1", "enc_norm1", "enc_act1", "enc_conv2", "enc_norm2", "enc_act2", "enc_flat", "enc_latent"]
    decoder = ["dec_dense", "dec_grid", "dec_conv1", "dec_norm1", "dec_act1", "dec_conv2", "dec_output"]
    assert [layer.name for layer in found] == encoder + decoder
    assert [layer.part for layer in found] == ["encoder"] * len(encoder) + ["decoder"] * len(decoder)
    first, norm, latent = found[0], found[1], found[7]
    assert (first.kind, first.shape, first.parameters) == ("Conv2D", (16, 16, 4), 4 * (9 + 1))
    assert (norm.kind, norm.parameters) == ("BatchNormalization", 16)
    assert (latent.kind, latent.shape, latent.parameters) == ("Dense", (8,), 8 * 8 * 8 * 8 + 8)


def test_a_model_is_walked_through_once(tiny, monkeypatch):
    model = models.build(tiny())
    found = layers.list_layers(model)
    monkeypatch.setattr(layers, "trace_layers", None)
    assert layers.list_layers(model) == found


def test_every_weight_belongs_to_one_listed_layer(model):
    found = layers.trace_layers(model)
    names = [layer.name for layer, _ in found]
    assert len(set(names)) == len(names)
    holders = [operation for layer, operation in found if layer.parameters]
    assert len(set(map(id, holders))) == len(holders)
    assert sum(layer.parameters for layer, _ in found) == model.count_params()
    assert not any(layer.kind == "InputLayer" for layer, _ in found)


def test_the_last_activation_is_what_the_model_gives(model, images):
    found = activations.compute(model, images)
    last = list(found.values())[-1]
    outputs = model(images, training=False)
    wanted = outputs["logits"] if isinstance(outputs, dict) else outputs
    assert last == pytest.approx(np.asarray(wanted), abs=1e-6)
    pictures = 1 / (1 + np.exp(-last)) if isinstance(outputs, dict) else last
    assert pictures == pytest.approx(np.asarray(model.reconstruct(images)), abs=1e-6)


def test_activations_have_the_shapes_listed_and_none_when_only_some_are_wanted(model, images):
    found = activations.compute(model, images)
    assert {name: array.shape for name, array in found.items()} == {
        layer.name: (5, *layer.shape) for layer in layers.list_layers(model)
    }
    assert all(array.dtype == np.float32 for array in found.values())
    some = list(found)[3:1:-1]
    part = activations.compute(model, images, some)
    assert list(part) == some[::-1], "in network order"
    assert all(np.array_equal(part[name], found[name]) for name in part)


def test_piece_by_piece_is_the_same_as_at_once(model, images, monkeypatch):
    whole = activations.compute(model, images)
    monkeypatch.setattr(activations, "MEMORY_BYTES", 2 * sum(array[0].nbytes for array in whole.values()))
    pieces = list(activations.batches(model, images))
    assert [first for first, _ in pieces] == [0, 2, 4]
    for name, array in whole.items():
        assert np.concatenate([piece[name] for _, piece in pieces]) == pytest.approx(array, abs=1e-5)


def test_a_split_is_read_batch_by_batch(tiny, images):
    read = []

    class Split:
        def __len__(self):
            return len(images)

        def read(self, which):
            read.append(which)
            return images[which]

    model = models.build(tiny())
    pieces = list(activations.batches(model, Split(), ["enc_latent"]))
    assert read == [slice(0, activations.MOST_AT_ONCE)]
    assert np.array_equal(pieces[0][1]["enc_latent"], activations.compute(model, images, ["enc_latent"])["enc_latent"])


def test_nothing_behind_the_last_layer_wanted_is_computed(model, images, monkeypatch):
    known = layers.list_layers(model)
    called = []
    overheard = layers.trace_calls
    monkeypatch.setattr(
        layers, "trace_calls", lambda model, hear: overheard(model, lambda call: (called.append(call.name), hear(call)))
    )
    activations.compute(model, images, [known[1].name, known[3].name])
    assert called == [layer.name for layer in known[:4]]


def test_as_many_pass_together_as_fit_into_memory_on_the_way_to_a_small_layer(tiny, monkeypatch):
    known = layers.list_layers(models.build(tiny()))
    sizes = {layer.name: 4 * int(np.prod(layer.shape)) for layer in known}
    way = [layer.name for layer in known[: [layer.name for layer in known].index("enc_latent") + 1]]
    monkeypatch.setattr(activations, "TRANSIENT_BYTES", 3 * max(sizes[name] for name in way))
    assert activations.batch_size_for(known, {"enc_latent"}) == 3
    monkeypatch.setattr(activations, "MEMORY_BYTES", 2 * sum(sizes[name] for name in way))
    assert activations.batch_size_for(known, set(way)) == 2


def test_a_layer_that_is_not_there_is_reported(tiny, images):
    with pytest.raises(ConfigError, match=r"no layer 'enc_conv9'.*enc_conv1, enc_norm1"):
        activations.compute(models.build(tiny()), images, ["enc_conv9"])


def test_looking_changes_nothing_about_a_model(model, images):
    before = np.asarray(model.reconstruct(images))
    layers.list_layers(model)
    activations.compute(model, images)
    assert np.array_equal(np.asarray(model.reconstruct(images)), before)
    assert not any("call" in vars(layer) for layer in model._flatten_layers())


class Block(keras.layers.Layer):
    """A layer made of layers that adds what came in by hand."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.layers.Conv2D(1, 3, padding="same", name="inner")
        self.scale = self.add_weight(shape=(), name="scale", initializer="ones")

    def build(self, shape):
        self.inner.build(shape)
        self.built = True

    def call(self, images):
        return images + self.scale * self.inner(images)


def test_skips_shared_layers_bare_operations_and_layers_in_layers_are_heard():
    incoming = keras.Input((32, 32, 1))
    shared = keras.layers.Conv2D(1, 1, name="shared")
    joined = keras.layers.Concatenate(name="joined")([shared(incoming), shared(shared(incoming))])
    halved = keras.ops.multiply(joined, 0.5)
    inner = keras.Model(incoming, keras.layers.Conv2D(1, 1, name="last")(halved), name="inside")

    class Odd(keras.Model):
        size = 32

        def __init__(self):
            super().__init__()
            self.inside, self.block = inner, Block(name="block")
            self.unused = keras.layers.Dense(3)
            self.block.build((None, 32, 32, 1))
            self.built = True

        def call(self, images, training=False):
            return self.block(self.inside(images))

    model = Odd()
    found = layers.list_layers(model)
    names = [layer.name for layer in found]
    assert {"shared", "shared#2", "shared#3", "joined", "last"} < set(names)
    assert names[-2:] == ["inner", "block"]
    assert [layer.parameters for layer in found if layer.name.startswith("shared")] == [2, 0, 0]
    assert [layer.parameters for layer in found if layer.part == ""] == [10, 1]
    assert [layer.kind for layer in found].count("Multiply") == 1
    images = np.ones((2, 32, 32, 1), np.float32)
    assert np.array_equal(activations.compute(model, images)["block"], np.asarray(model(images)))


EACH = """
import json
import keras, numpy as np
from engine import config, models
from engine.analysis import activations, layers

images = np.random.default_rng(0).random((3, 32, 32, 1)).astype("float32")
found = {}
for name in sorted(models.BUILDERS):
    model = models.build(config.from_flat({"model": name, "size": 32, "filters": (4, 8)}))
    last = list(activations.compute(model, images).values())[-1]
    outputs = model(images, training=False)
    wanted = keras.ops.convert_to_numpy(outputs["logits"] if isinstance(outputs, dict) else outputs)
    listed = layers.list_layers(model)
    total = sum(layer.parameters for layer in listed)
    strangers = [layer.name for layer in listed if not layer.receives or not layer.field.known]
    found[name] = [float(abs(last - wanted).max()), total - model.count_params(), strangers]
print(json.dumps({"backend": keras.backend.backend(), "found": found}))
"""


def test_layers_and_activations_on_each_backend(backend, run_on):
    said = json.loads(run_on(backend, EACH))
    assert said["backend"] == backend
    assert set(said["found"]) == set(NAMES)
    for name, (difference, missing, strangers) in said["found"].items():
        assert difference < 1e-5, name
        assert missing == 0, name
        assert strangers == [], name
