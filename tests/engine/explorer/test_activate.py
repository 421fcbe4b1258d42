"""The layers of a run and what they make of scans, as the window is told of them."""

import numpy as np
import pytest

from engine import data, evaluation
from engine.analysis import activations, layers
from engine.errors import ConfigError
from engine.explorer import activation_cache
from engine.messages import ComputeActivations, ListLayers

pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture(scope="module")
def model(run):
    return evaluation.load_model(run)


@pytest.fixture(scope="module")
def images(run):
    return data.load(config=run.config.data).test.read(np.array([2, 0]))


def test_layers_are_reported_in_order_with_their_fields(ask, model, run):
    answer = ask(ListLayers)
    known = layers.list_layers(model)
    assert (answer.run, answer.model, answer.size) == (str(run.path), "ae", 32)
    assert [each.name for each in answer.layers] == [layer.name for layer in known]
    told = next(each for each in answer.layers if each.name == "enc_conv2")
    field = next(layer.field for layer in known if layer.name == "enc_conv2")
    assert np.array_equal(told.rows, field.rows)
    assert told.known
    assert (told.before, told.after) == ("enc_norm2", "enc_act2")
    assert answer.layers[-1].before == "dec_conv2"
    assert next(each for each in answer.layers if each.name == "enc_latent").before is None
    assert "Convolution 3 × 3, 4 → " in " ".join(told.words)
    assert answer.layers[0].shape == (16, 16, 4)


def test_activations_of_every_layer_are_those_of_the_plain_way(ask, model, images):
    plain = activations.compute(model, images)
    for name, wanted in plain.items():
        answer = ask(ComputeActivations, layer=name)
        assert np.array_equal(answer.originals, images[..., 0])
        assert answer.activations == pytest.approx(wanted, abs=1e-5), name
        assert len(answer.names) == 2


def test_images_are_brought_to_the_size_of_the_run(ask, run):
    larger = run.config.data.model_copy(update={"size": 48})
    assert ask(ComputeActivations, layer="enc_act1", data=larger).originals.shape == (2, 32, 32)


def test_a_walk_through_the_layers_takes_two_passes(ask, model, monkeypatch):
    passes = []
    passed = activation_cache._forward
    monkeypatch.setattr(activation_cache, "_forward", lambda *words: (passes.append(1), passed(*words))[1])
    names = [layer.name for layer in layers.list_layers(model)]
    for name in (*names[2:], *names):
        ask(ComputeActivations, layer=name)
    assert len(passes) == 2


def test_what_is_kept_fits_the_budget_and_answers_stay_right(ask, explorer, model, images):
    plain = activations.compute(model, images)
    ask(ListLayers)
    handlers = explorer._answers[ComputeActivations].__self__._handlers[ComputeActivations].__self__
    budget = 3 * plain["enc_conv1"].nbytes
    holder = handlers.cache = activation_cache.ActivationCache(budget)
    for name in (*plain, *reversed(plain)):
        assert ask(ComputeActivations, layer=name).activations == pytest.approx(plain[name], abs=1e-5), name
        assert 0 < holder.size <= budget
    holder = handlers.cache = activation_cache.ActivationCache(1)
    assert ask(ComputeActivations, layer="enc_act2").activations == pytest.approx(plain["enc_act2"], abs=1e-5)
    assert holder.size == 0


def test_a_strange_layer_or_no_image_is_a_sentence(ask):
    with pytest.raises(ConfigError, match="no layer 'enc_conv9'"):
        ask(ComputeActivations, layer="enc_conv9")
    with pytest.raises(ConfigError, match="No image was selected"):
        ask(ComputeActivations, layer="enc_conv1", indices=())
