"""Plain words follow from the model in hand: checked on each kind of model, by what must be true of it."""

import pytest

from engine import config, models
from engine.analysis import layer_text, layers
from engine.analysis.layer_text import describe_shape, pluralize, ratio


@pytest.fixture
def described():
    """`described("unet", filters=(4, 8))` -> name -> its sentences in one, in network order."""

    def make(kind, **changes):
        model = models.build(config.from_flat({"model": kind, "size": 32, **changes}))
        return {name: " ".join(said) for name, said in layer_text.describe_layers(layers.trace_layers(model)).items()}

    return make


def bottlenecks(said):
    return [name for name, each in said.items() if "Bottleneck: " in each]


def test_autoencoder(described):
    said = described("ae", filters=(4, 8), latent=6)
    assert said["enc_conv1"] == (
        "Input: the image, 1 channel of 32 × 32. Receptive field 3 × 3 px (0.88% of the image), step 2 × 2 px. "
        "Convolution 3 × 3, 1 → 4 channels, stride 2: as many values as its input."
    )
    assert "Input: enc_norm2, 8 channels of 8 × 8" in said["enc_act2"]
    assert "6 values (0.59% of 1,024 pixels)" in said["enc_latent"]
    assert bottlenecks(said) == ["enc_latent"]
    assert "Receptive field: the whole image." in said["dec_conv1"]
    assert said["dec_output"].endswith("Sigmoid: maps every value into 0 to 1. Output layer.")
    assert not any("Skip connection" in each for each in said.values())


def test_an_autoencoder_without_a_narrow_place_has_no_bottleneck(described):
    assert not bottlenecks(described("ae", filters=(4, 16), latent=1200))
    assert bottlenecks(described("ae", filters=(4, 8), latent=1200)) == ["enc_conv2"]


def test_variational_autoencoder(described):
    said = described("vae", filters=(4, 8), latent=6)
    assert "the output does not depend on this layer" in said["enc_log_var"]
    assert bottlenecks(said) == ["enc_mean"]
    assert sum("does not depend" in each for each in said.values()) == 1


def test_residual_autoencoder(described):
    said = described("residual-ae", filters=(4, 8), latent=6, mirrored=True)
    assert bottlenecks(said) == ["subspace"]
    assert "Projects the image onto 6 directions" in said["subspace"]
    assert "Shares its weights with subspace." in said["subspace#2"]
    assert "back to an image" in said["subspace#2"]
    assert "and keeps the rest" in said["subspace#3"]
    assert "the source is not known" in said["contrast#2"]
    assert not any("does not depend" in each for each in said.values())


def test_unet_has_ways_across_and_no_bottleneck(described):
    said = described("unet", filters=(4, 8, 8))
    assert not bottlenecks(said)
    assert "Keeps the maximum of every 2 × 2 positions" in said["enc_pool2"]
    deepest = next(name for name in reversed(said) if name.startswith("enc_act3"))
    assert "Skip connection: enc_act1_2, enc_act2_2 also reach the output" in said[deepest]
    assert "Concatenates 8 + 8 channels" in said["dec_skip1"]
    assert "Receptive field" in said["dec_output"]


def test_skip_autoencoder_adds_what_comes_across(described):
    said = described("skip-ae", filters=(4, 8, 8))
    assert not bottlenecks(said)
    assert "Input: dec_norm1, 8 channels of 8 × 8 and enc_act2, 8 channels of 8 × 8" in said["dec_skip1"]
    assert "Adds its inputs element by element" in said["dec_skip1"]


@pytest.mark.parametrize("kind", [name for name in models.BUILDERS])
def test_every_layer_of_every_model_has_its_sentences(described, kind):
    for name, said in described(kind).items():
        assert said.count(". ") >= 2, name
        assert said.endswith(".")
        assert "  " not in said
        assert "None" not in said


def test_counts_and_shapes_are_read_as_people_do():
    assert pluralize(1, "channel") == "1 channel"
    assert describe_shape((4, 6, 8192)) == "8,192 channels of 4 × 6"
    assert ratio(8, 2) == "4× fewer values than its input"
    assert ratio(2, 2) == "as many values as its input"
