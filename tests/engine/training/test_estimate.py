"""What a run will cost: measured by steps like its own, on random images, and stopped at once."""

import pytest

from engine.messages import RunEstimated
from engine.training import trial_steps
from engine.training.estimate import estimate


@pytest.mark.slow
def test_parts_of_a_run_are_measured_and_nothing_is_left(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(trial_steps, "STEPS_S", 0.0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    heard = []
    estimate(tiny(), "mine", heard.append)
    first, last = heard
    assert (first.token, first.is_complete, first.images_per_s) == ("mine", False, None)
    assert last.is_complete
    assert last.parameters == first.parameters > 1000
    assert min(last.images_per_s, last.validation_s, last.epoch_s, last.start_s) > 0
    assert last.memory_mb > 100
    assert not list(tmp_path.iterdir())
    estimate(tiny(), "stopped", heard.append, lambda: True)
    assert [event.token for event in heard] == ["mine", "mine", "stopped"]


@pytest.mark.slow
def test_run_that_needs_more_memory_than_there_is_is_not_tried(tiny, monkeypatch):
    monkeypatch.setattr(trial_steps, "free_memory_mb", lambda: 0.1)
    monkeypatch.setattr(trial_steps, "_fit", lambda *run: pytest.fail("a step was computed"))
    heard = []
    estimate(tiny(), "big", heard.append)
    assert isinstance(heard[-1], RunEstimated)
    assert heard[-1].is_complete
    assert heard[-1].free_mb == 0.1
    assert heard[-1].memory_mb > 0.1
    assert heard[-1].images_per_s is None
