"""What the channels of a run do and like, as the window is told; long work yields and continues where it was."""

import os

import numpy as np
import pytest

from engine import data, evaluation
from engine.analysis import channel_statistics, feature_visualization, layers, top_activations
from engine.analysis.feature_visualization import ChannelObjective
from engine.errors import ConfigError
from engine.explorer import channel_handlers
from engine.messages import (
    ComputeChannelStatistics,
    ComputeSaliency,
    MaximizeActivation,
    ReadKernels,
    RequestProgress,
    TopActivations,
    never_stop,
)
from engine.result_cache import ResultCache


@pytest.fixture(scope="module")
def model(run):
    return evaluation.load_model(run)


@pytest.fixture(scope="module")
def split(run):
    return data.load(config=run.config.data).test


@pytest.fixture(autouse=True)
def nothing_kept(run):
    yield
    (run.derived / channel_handlers.FILE).unlink(missing_ok=True)


def give_way_after(explorer, times):
    """Let the explorer be asked to stop from a moment on."""
    left = iter(range(times))
    explorer.should_stop = lambda: next(left, None) is None


def test_statistics_are_those_of_the_split_and_are_kept(ask, model, split, run, monkeypatch):
    answer = ask(ComputeChannelStatistics)
    wanted = channel_statistics.statistics(model, split)
    assert list(answer.layers) == list(wanted)
    assert (answer.split, answer.images) == ("test", len(split))
    for name, each in wanted.items():
        numbers = answer.layers[name]
        assert numbers.mean == pytest.approx(each.mean.tolist(), abs=1e-6)
        assert numbers.spread == pytest.approx(each.std.tolist(), abs=1e-6)
        assert numbers.zeros == pytest.approx(each.zero_fraction.tolist(), abs=1e-6)
        assert numbers.lowest == pytest.approx(each.min.tolist(), abs=1e-6)
        assert numbers.highest == pytest.approx(each.max.tolist(), abs=1e-6)
        assert numbers.dead == tuple(each.dead)
    monkeypatch.setattr(channel_statistics, "compute_statistics_in_steps", None)
    assert ask(ComputeChannelStatistics) == answer
    assert (run.derived / channel_handlers.FILE).is_file()


def test_statistics_of_another_model_in_the_folder_are_not_believed(ask, run, split):
    ask(ComputeChannelStatistics)
    images = channel_handlers.SplitKey(data.load(config=run.config.data), split)
    assert channel_handlers.load_cached(run, images)
    content, stamp = run.model_path.read_bytes(), run.model_path.stat()
    changed = evaluation.load_model(run)
    changed.set_weights([1.01 * weights for weights in changed.get_weights()])
    changed.save(run.model_path)
    os.utime(run.model_path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # within one tick of the clock
    assert channel_handlers.load_cached(run, images) is None
    run.model_path.write_bytes(content)
    assert channel_handlers.load_cached(run, images)


@pytest.mark.parametrize("damage", [{"images": 9, "layers": {"enc_act1": {}}}, {"layers": {}}, "none"])
def test_damaged_statistics_in_the_folder_are_computed_again(ask, run, split, damage):
    known = ask(ComputeChannelStatistics)
    images = channel_handlers.SplitKey(data.load(config=run.config.data), split)
    ResultCache(run.path / channel_handlers.FILE).keep(images.key(run), damage)
    assert channel_handlers.load_cached(run, images) is None
    assert ask(ComputeChannelStatistics) == known
    assert channel_handlers.load_cached(run, images).layers == known.layers


def test_statistics_yield_and_continue_where_they_were(ask, explorer, model, events, monkeypatch):
    from engine.analysis import activations

    monkeypatch.setattr(activations, "batch_size_for", lambda known, names: 2)
    explorer.should_stop = never_stop
    ask(
        ComputeChannelStatistics, data=ask.run.config.data.model_copy(update={"phantom_seed": 5})
    )  # loads model and data
    (ask.run.derived / channel_handlers.FILE).unlink()
    explorer._answers[ComputeChannelStatistics].__self__._handlers = {}
    seen = []
    passed = activations._batch
    monkeypatch.setattr(activations, "_batch", lambda *words: (seen.append(len(words[1])), passed(*words))[1])
    number = len(layers.list_layers(model))  # asked once for each as a batch passes, and once more as it is counted
    give_way_after(explorer, 5 * number // 2)
    assert ask(ComputeChannelStatistics) is None
    assert sum(seen) == 4
    explorer.should_stop = never_stop
    answer = ask(ComputeChannelStatistics)
    assert sum(seen) == answer.images + 2  # the second batch had to begin anew
    told = [event for event in events if isinstance(event, RequestProgress)]
    assert (told[-1].done, told[-1].total) == (answer.images, answer.images)


def test_top_images_are_named_with_their_place(ask, model, split):
    wanted = top_activations.top_activations(model, split, "enc_act2", 3)[5]
    answer = ask(TopActivations, layer="enc_act2", channel=5, count=3)
    assert [each.index for each in answer.favourites] == [each.index for each in wanted]
    first = answer.favourites[0]
    assert first.name == split.names[wanted[0].index]
    assert (first.unit, first.box) == ((wanted[0].row, wanted[0].column), wanted[0].box)
    assert first.value == pytest.approx(wanted[0].value, abs=1e-5)


def test_top_images_of_the_next_channel_are_known(ask, explorer, monkeypatch):
    ask(TopActivations, layer="enc_act2", channel=0)
    monkeypatch.setattr(top_activations.activations, "_batch", None)
    assert len(ask(TopActivations, layer="enc_act2", channel=1).favourites) > 0


def test_preferred_input_yields_and_is_the_same_in_the_end(ask, explorer, model):
    wanted = feature_visualization.preferred(model, ChannelObjective("enc_act2", 3))
    give_way_after(explorer, 10)
    assert ask(MaximizeActivation, layer="enc_act2", channel=3) is None
    explorer.should_stop = never_stop
    answer = ask(MaximizeActivation, layer="enc_act2", channel=3)
    assert answer.picture == pytest.approx(wanted.image, abs=1e-4)
    assert answer.value == pytest.approx(wanted.value, rel=1e-3)
    assert answer.value >= answer.start


def test_saliency_and_kernels_are_those_of_the_plain_way(ask, model, split):
    images = split.read(np.array([2, 0]))
    answer = ask(ComputeSaliency, layer="enc_act2", channel=1, unit=(3, 4))
    wanted = feature_visualization.saliency(model, images, ChannelObjective("enc_act2", 1, (3, 4)))
    assert answer.saliency == pytest.approx(wanted, abs=1e-5)
    assert np.array_equal(answer.originals, images[..., 0])
    assert np.array_equal(ask(ReadKernels, layer="enc_conv2").kernels, channel_statistics.kernels(model, "enc_conv2"))
    assert ask(ReadKernels, layer="enc_act2").kernels is None


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        (TopActivations, {"layer": "enc_act2", "channel": 8}, "no channel 8"),
        (TopActivations, {"layer": "none"}, "no layer 'none'"),
        (TopActivations, {"layer": "enc_act2", "split": "nowhere"}, "no image in the split 'nowhere'"),
        (MaximizeActivation, {"layer": "enc_act2", "channel": 8}, "no channel 8"),
        (ComputeSaliency, {"layer": "enc_latent", "unit": (0, 0)}, "no unit"),
        (ReadKernels, {"layer": "none"}, "no layer 'none'"),
    ],
)
def test_what_is_not_there_is_a_sentence(ask, kind, fields, said):
    with pytest.raises(ConfigError, match=said):
        ask(kind, **fields)
