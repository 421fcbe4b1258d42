"""Channels of two models: identical ones differ by nothing, planted permutations are found."""

import numpy as np
import pytest

from engine import models
from engine.analysis import activations, matching
from engine.errors import ConfigError


@pytest.fixture
def images():
    return np.random.default_rng(0).random((4, 32, 32, 1)).astype(np.float32)


def permute(model, order):
    """Put the channels of the first encoder layer into another order; what the model gives stays as it was."""
    conv, norm = model.encoder.get_layer("enc_conv1"), model.encoder.get_layer("enc_norm1")
    following = model.encoder.get_layer("enc_conv2")
    conv.set_weights([weight[..., order] for weight in conv.get_weights()])
    norm.set_weights([weight[order] for weight in norm.get_weights()])
    kernel, bias = following.get_weights()
    following.set_weights([kernel[:, :, order], bias])


def test_identical_models_differ_by_nothing(tiny, images, shaken):
    first, second = (shaken(models.build(tiny())) for _ in range(2))
    ones, others = activations.compute(first, images), activations.compute(second, images)
    for name, activation in ones.items():
        found = matching.match(activation, others[name])
        assert not found.difference.any(), name
        assert np.array_equal(found.pairs[:, 0], found.pairs[:, 1]), name
        assert found.correlation == pytest.approx(1.0), name


def test_planted_permutation_is_found_completely(tiny, images, shaken):
    settings = tiny(filters=(16, 8))
    first, second = (shaken(models.build(settings)) for _ in range(2))
    order = np.random.default_rng(3).permutation(16)
    permute(second, order)
    ones, others = activations.compute(first, images), activations.compute(second, images)
    for name in ("enc_conv1", "enc_norm1", "enc_act1"):
        found = matching.match(ones[name], others[name])
        assert np.array_equal(order[found.pairs[:, 1]], found.pairs[:, 0]), name
        assert found.rms == pytest.approx(0.0, abs=1e-6), name
    last = list(ones)[-1]
    assert others[last] == pytest.approx(ones[last], abs=1e-5)
    assert not np.array_equal(matching.match(ones["enc_act1"], others["enc_act1"]).pairs, [[i, i] for i in range(16)])


def test_constant_channels_find_each_other_and_none_else():
    rng = np.random.default_rng(0)
    first = rng.random((5, 4, 4, 3))
    first[..., 1] = 2.0
    second = first[..., [1, 2, 0]]
    found = matching.match(first, second)
    assert found.pairs.tolist() == [[0, 2], [1, 0], [2, 1]]
    assert found.correlation == pytest.approx(1.0)
    assert matching.match(first, np.where(second == 2.0, 3.0, second)).correlation[1] == 0.0


def test_more_channels_than_the_other_leaves_some_alone():
    rng = np.random.default_rng(0)
    first = rng.random((6, 5))
    found = matching.match(first, first[:, [4, 2]])
    assert found.pairs.tolist() == [[2, 1], [4, 0]]
    assert found.difference.shape == (6, 2)


def test_two_inputs_keep_their_channels(tiny, images):
    model = models.build(tiny())
    one, other = activations.compute(model, images[:1]), activations.compute(model, images[1:2])
    found = matching.match(one["enc_act1"], other["enc_act1"], paired=True)
    assert np.array_equal(found.pairs[:, 0], found.pairs[:, 1])
    assert found.difference == pytest.approx(one["enc_act1"] - other["enc_act1"], abs=1e-6)


def test_what_does_not_go_together_is_reported():
    with pytest.raises(ConfigError, match="Activations of 2 x 4 x 4 x 3 and 2 x 8 x 8 x 3 cannot be matched"):
        matching.match(np.zeros((2, 4, 4, 3)), np.zeros((2, 8, 8, 3)))
