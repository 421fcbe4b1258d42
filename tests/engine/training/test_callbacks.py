from itertools import chain

import keras
import numpy as np
import pytest

from engine.training.callbacks import EpochSequence, ProgressCallback, thin_points


class Images:
    def __init__(self, count):
        self.values = np.arange(count, dtype=np.float32).reshape(-1, 1, 1, 1)

    def __len__(self):
        return len(self.values)

    def read(self, which):
        return self.values[which]


def order(seed, epoch, count=11):
    batches = EpochSequence(Images(count), 4, seed, epoch)
    return [x.ravel().tolist() for x, _ in (batches[index] for index in range(len(batches)))]


def test_every_image_once_an_epoch_in_an_order_of_its_own():
    first, second = order(0, 0), order(0, 1)
    assert [len(batch) for batch in first] == [4, 4, 3]
    assert sorted(chain.from_iterable(first)) == sorted(chain.from_iterable(second)) == list(range(11))
    assert first != second
    assert first != order(1, 0)
    assert first == order(0, 0)


@pytest.fixture
def fit():
    """Fit a line through 32 images for one epoch of 8 batches with a reporter: (reporter, events, batches seen)."""

    def go(should_stop, target=None):
        model = keras.Sequential([keras.Input((1, 1, 1)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        batches, events = EpochSequence(Images(32), 4, 0, 0), []
        batches.images.values /= 32
        if target is not None:
            batches.images.values[:] = target
        reporter = ProgressCallback("one", 3, batches, events.append, should_stop)
        model.fit(batches, verbose=0, shuffle=False, callbacks=[reporter])
        return reporter, events

    return go


def test_progress_counts_images_and_the_time_left(fit):
    reporter, events = fit(lambda: False)
    last = events[-1]
    assert (last.epoch, last.epochs, last.batch, last.batches) == (1, 3, 8, 8)
    assert reporter.images == 32
    assert last.left_s == pytest.approx(64 / reporter.images_per_s)
    assert not reporter.stopped


def test_request_to_stop_ends_the_epoch_at_once(fit):
    reporter, _ = fit(iter([False, False, True]).__next__)
    assert reporter.stopped
    assert reporter.images == 12


def test_the_time_of_a_pause_does_not_count(fit, monkeypatch):
    from engine.training import callbacks

    clock = iter(range(10_000))
    monkeypatch.setattr(callbacks.time, "perf_counter", lambda: next(clock))

    def pausing():
        for _ in range(50):
            next(clock)
        return False

    reporter, _ = fit(pausing)
    assert reporter.seconds < 8 * 6


def test_a_loss_that_is_no_number_is_noticed(fit):
    reporter, _ = fit(lambda: False, target=np.nan)
    assert reporter.diverged
    assert not reporter.stopped


def test_loss_of_the_batches_since_a_report_is_told_and_thinned(fit, monkeypatch):
    monkeypatch.setattr("engine.training.callbacks.REPORT_INTERVAL_S", 0)
    reporter, events = fit(lambda: False)
    means, recent = [event.loss for event in events], [event.batch_loss for event in events]
    assert recent[0] == means[0]
    assert np.cumsum(recent) / np.arange(1, 9) == pytest.approx(means, rel=1e-5)
    assert reporter.batch_losses == [(place / 8, loss) for place, loss in enumerate(recent, 1)]
    assert thin_points(reporter.batch_losses, 2)[1] == (1.0, pytest.approx(np.mean(recent[4:])))
    assert thin_points([]) == ()
