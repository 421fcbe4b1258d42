"""Numbers of channels over a dataset: the same as at once, and dead means dead everywhere."""

from contextlib import suppress

import numpy as np
import pytest

from engine import models
from engine.analysis import activations, channel_statistics
from engine.job_context import Cancelled, JobContext, ResumableJob


@pytest.fixture
def images():
    return np.random.default_rng(0).random((7, 32, 32, 1)).astype(np.float32)


def test_batch_by_batch_is_the_same_as_at_once(tiny, images, monkeypatch):
    model = models.build(tiny(activation="relu"))
    whole = activations.compute(model, images)
    monkeypatch.setattr(activations, "MEMORY_BYTES", 3 * sum(array[0].nbytes for array in whole.values()))
    told = []
    context = JobContext(on_progress=lambda title, done, total: told.append((done, total)))
    found = channel_statistics.statistics(model, images, context=context)
    assert told == [(3, 7), (6, 7), (7, 7)]
    assert list(found) == list(whole)
    for name, array in whole.items():
        values = array.reshape(-1, array.shape[-1]).astype(np.float64)
        assert found[name].images == 7
        assert found[name].mean == pytest.approx(values.mean(axis=0), rel=1e-4, abs=1e-6)
        assert found[name].std == pytest.approx(values.std(axis=0), rel=1e-4, abs=1e-6)
        assert found[name].energy == pytest.approx((values**2).mean(axis=0), rel=1e-4, abs=1e-6)
        assert found[name].zero_fraction == pytest.approx((values == 0).mean(axis=0), abs=1e-3)
        assert found[name].max == pytest.approx(values.max(axis=0), rel=1e-4, abs=1e-6)
        assert found[name].min == pytest.approx(values.min(axis=0), rel=1e-4, abs=1e-6)
    assert found["enc_act1"].zero_fraction.max() > 0.1


def test_dead_means_dead_in_every_image(tiny, images):
    model = models.build(tiny(norm="none", activation="relu"))
    layer = model.encoder.get_layer("enc_conv1")
    kernel, bias = layer.get_weights()
    kernel[:] = np.abs(kernel)
    bias[:] = 0.0
    bias[1] = -100.0  # nothing gets through
    kernel[..., 2], bias[2] = 1.0, -8.0  # only a bright image does
    layer.set_weights([kernel, bias])
    dark = images * 0.5
    assert channel_statistics.statistics(model, dark, ["enc_act1"])["enc_act1"].dead.tolist() == [
        False,
        True,
        True,
        False,
    ]
    bright = np.concatenate([dark, np.ones((1, 32, 32, 1), np.float32)])
    found = channel_statistics.statistics(model, bright, ["enc_act1"])["enc_act1"]
    assert found.dead.tolist() == [False, True, False, False]
    assert found.zero_fraction[1] == 1.0


def test_stopped_is_no_answer(tiny, images):
    with pytest.raises(Cancelled):
        channel_statistics.statistics(models.build(tiny()), images, context=JobContext(lambda: True))


def test_stopped_between_layers_it_continues_and_counts_every_image_once(tiny, images, monkeypatch):
    model = models.build(tiny())
    monkeypatch.setattr(activations, "batch_size_for", lambda known, names: 3)
    wanted = channel_statistics.statistics(model, images)
    tally = ResumableJob(lambda context: channel_statistics.compute_statistics_in_steps(model, images, None, context))
    found, turns = None, 0
    while found is None:
        with suppress(Cancelled):
            found = tally.run(JobContext(after(len(wanted) + 2 + turns % 3)))  # few layers are counted
        turns += 1
    assert turns > 4
    for name, each in found.items():
        assert each.images == 7
        assert np.array_equal(each.mean, wanted[name].mean)
        assert np.array_equal(each.std, wanted[name].std)


def test_a_pass_is_given_up_at_the_next_layer_when_it_is_to_stop(tiny, images):
    model, heard = models.build(tiny()), []
    context = JobContext(lambda: heard.append(1) or len(heard) == 4)
    passages = activations.interruptible_batches(model, images, context=context)
    assert next(passages) is None
    assert len(heard) == 4
    assert [(first, len(next(iter(batch.values())))) for first, batch in passages] == [(0, 7)]


def after(times):
    """Whether to stop: no for a number of times, then yes."""
    left = iter(range(times))
    return lambda: next(left, None) is None
