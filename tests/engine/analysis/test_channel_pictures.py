"""Images of channels: kernels, the scans that excite them, the inputs they like best, the pixels they answer to."""

import json

import numpy as np
import pytest

from engine import models
from engine.analysis import activations, channel_statistics, feature_visualization, top_activations
from engine.analysis.feature_visualization import ChannelObjective, GradientAscentSettings
from engine.errors import ConfigError
from engine.job_context import Cancelled, JobContext, ResumableJob


@pytest.fixture
def images():
    return np.random.default_rng(0).random((6, 32, 32, 1)).astype(np.float32)


@pytest.fixture
def seeker(tiny):
    """An autoencoder whose first channel answers to a bright spot on a dark ring, and to nothing else."""
    model = models.build(tiny(norm="none", activation="relu"))
    layer = model.encoder.get_layer("enc_conv1")
    kernel, bias = layer.get_weights()
    kernel[..., 0] = -1 / 8
    kernel[1, 1, 0, 0], bias[0] = 1.0, 0.0
    layer.set_weights([kernel, bias])
    return model


def test_kernels_are_the_weights_channel_by_channel(tiny):
    model = models.build(tiny())
    found = channel_statistics.kernels(model, "enc_conv2")
    weights = model.encoder.get_layer("enc_conv2").get_weights()[0]
    assert found.shape == (8, 4, 3, 3)
    assert np.array_equal(found[5, 2], weights[:, :, 2, 5])
    laid = channel_statistics.kernels(model, "dec_conv1")
    weights = model.decoder.get_layer("dec_conv1").get_weights()[0]
    assert laid.shape == (4, 8, 3, 3)
    assert np.array_equal(laid[3, 6], weights[:, :, 3, 6])


def test_axes_of_a_subspace_are_images(tiny):
    model = models.build(tiny(model="residual-ae"))
    found = channel_statistics.kernels(model, "subspace")
    assert found.shape == (8, 1, 32, 32)
    assert np.array_equal(found[3].ravel(), np.asarray(model.space.axes)[:, 3])


def test_layers_without_images_are_reported(tiny):
    model = models.build(tiny())
    with pytest.raises(ConfigError, match="weights of layer 'enc_norm1' cannot be shown as kernels"):
        channel_statistics.kernels(model, "enc_norm1")
    with pytest.raises(ConfigError, match="no layer 'enc_conv9'"):
        channel_statistics.kernels(model, "enc_conv9")


def test_top_images_are_the_images_with_the_planted_spot(seeker, monkeypatch):
    images = np.full((9, 32, 32, 1), 0.3, np.float32)
    for index, (row, column), bright in ((7, (6, 12), 1.0), (2, (20, 4), 0.8), (4, (10, 10), 0.6)):
        images[index, row + 1, column + 1] = bright  # in the middle of what unit (row / 2, column / 2) sees
    monkeypatch.setattr(activations, "MOST_AT_ONCE", 4)
    found = top_activations.top_activations(seeker, images, "enc_act1", 3)
    assert len(found) == 4
    assert [each.index for each in found[0]] == [7, 2, 4]
    assert [(each.row, each.column) for each in found[0]] == [(3, 6), (10, 2), (5, 5)]
    first = found[0][0]
    assert first.box == (12, 6, 3, 3)
    assert first.patch(images[7])[1, 1] == 1.0
    assert first.value == pytest.approx(0.7)
    numbers = top_activations.top_activations(seeker, images, "enc_latent", 2)
    assert len(numbers) == 8
    assert numbers[0][0].box == (0, 0, 32, 32)


def test_top_images_of_nothing_and_when_stopped(seeker, images):
    with pytest.raises(ConfigError, match="no image"):
        top_activations.top_activations(seeker, images[:0], "enc_act1")
    with pytest.raises(Cancelled):
        top_activations.top_activations(seeker, images, "enc_act1", context=JobContext(lambda: True))


def test_preferred_input_of_a_unit_is_what_it_was_made_for(seeker):
    found = feature_visualization.preferred(
        seeker, ChannelObjective("enc_act1", 0, (5, 7)), GradientAscentSettings(jitter=0, blur=0.0, bound=0.05)
    )
    assert found.value > max(found.start, 0.0) + 0.3
    spot = found.image[10:13, 14:17]
    assert spot[1, 1] > 0.9
    assert np.delete(spot.ravel(), 4).max() < 0.3
    outside = np.delete(found.image, slice(10, 13), axis=0)
    assert np.abs(outside - 0.5).max() < 0.1, "what the unit does not see stays gray"
    assert found.image.min() >= 0
    assert found.image.max() <= 1
    assert np.sqrt(np.mean((found.image - 0.5) ** 2)) <= 0.051


def test_preferred_input_raises_every_kind_of_channel_and_is_repeatable(tiny):
    model = models.build(tiny())
    for channel in (
        ChannelObjective("enc_norm2", 3),
        ChannelObjective("enc_latent", 1),
        ChannelObjective("dec_act1", 2, (4, 4)),
    ):
        found = feature_visualization.preferred(model, channel, GradientAscentSettings(steps=12))
        assert found.value > found.start, channel
        assert np.array_equal(
            found.image, feature_visualization.preferred(model, channel, GradientAscentSettings(steps=12)).image
        )


def test_saliency_is_the_kernel_for_one_unit(seeker, images):
    found = feature_visualization.saliency(seeker, images, ChannelObjective("enc_conv1", 0, (3, 6)))
    assert found.shape == (6, 32, 32)
    wanted = np.zeros((32, 32))
    wanted[6:9, 12:15] = -1 / 8
    wanted[7, 13] = 1.0
    assert found == pytest.approx(np.broadcast_to(wanted, found.shape), abs=1e-6)
    smooth = feature_visualization.saliency(seeker, images, ChannelObjective("enc_conv1", 0, (3, 6)), copies=3)
    assert smooth == pytest.approx(found, abs=1e-5), "a linear channel answers alike everywhere"


def test_smooth_saliency_averages_over_noisy_copies(seeker, images):
    channel = ChannelObjective("enc_act1", 0)
    plain = feature_visualization.saliency(seeker, images, channel)
    smooth = feature_visualization.saliency(seeker, images, channel, copies=8)
    assert not np.allclose(plain, smooth)
    assert np.array_equal(smooth, feature_visualization.saliency(seeker, images, channel, copies=8))


def test_channels_and_units_that_are_not_there_are_reported(seeker, images):
    for channel, said in (
        (ChannelObjective("enc_conv9", 0), "no layer 'enc_conv9'"),
        (ChannelObjective("enc_act1", 4), "no channel 4.*from 0 to 3"),
        (ChannelObjective("enc_act1", 0, (16, 0)), "no unit"),
        (ChannelObjective("enc_latent", 0, (0, 0)), "no unit"),
    ):
        with pytest.raises(ConfigError, match=said):
            feature_visualization.saliency(seeker, images, channel)


EACH = """
import json
import keras, numpy as np
from engine import config, models
from engine.analysis import channel_statistics, top_activations, feature_visualization
from engine.analysis.feature_visualization import ChannelObjective
from engine.analysis.feature_visualization import GradientAscentSettings

keras.utils.set_random_seed(0)
model = models.build(config.from_flat({"model": "unet", "size": 32, "filters": (4, 8)}))
images = np.random.default_rng(0).random((3, 32, 32, 1)).astype("float32")
numbers = channel_statistics.statistics(model, images, ["enc_act2"])["enc_act2"]
alive = int(np.argmax(numbers.max))
channel = ChannelObjective("enc_act2", alive)
liked = feature_visualization.preferred(model, channel, GradientAscentSettings(steps=8))
found = feature_visualization.saliency(model, images, channel)
first = top_activations.top_activations(model, images, "enc_act2", 1)[alive][0]
print(json.dumps({"backend": keras.backend.backend(), "raised": liked.value - liked.start,
    "salient": float(np.abs(found).max()), "highest": float(numbers.max[alive]), "first": first.value}))
"""


def test_all_questions_on_each_backend(backend, run_on):
    said = json.loads(run_on(backend, EACH))
    assert said["backend"] == backend
    assert said["raised"] > 0
    assert said["salient"] > 0
    assert said["first"] == pytest.approx(said["highest"], rel=1e-5)


def test_a_hunt_that_was_stopped_in_a_batch_finds_the_same(seeker, images, monkeypatch):
    monkeypatch.setattr(activations, "batch_size_for", lambda known, names: 2)
    wanted = top_activations.top_activations(seeker, images, "enc_act2", 4)
    begun, passed = [], activations._batch
    monkeypatch.setattr(activations, "_batch", lambda *words: (begun.append(words[1][0, 0, 0, 0]), passed(*words))[1])
    hunt = ResumableJob(
        lambda context: top_activations.find_top_activations_in_steps(seeker, images, "enc_act2", 4, context)
    )
    left = iter(range(3))
    with pytest.raises(Cancelled):
        hunt.run(JobContext(lambda: next(left, None) is None))
    assert hunt.run() == wanted
    assert begun == [images[first, 0, 0, 0] for first in (0, 0, 2, 4)]
