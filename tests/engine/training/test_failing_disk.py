"""A disk that is full, a memory that does not suffice: the run fails with a sentence and can be resumed."""

import builtins
import os

import pytest

import engine
from engine import runs
from engine.errors import RunError, StorageError, TrainingError
from engine.messages import JobEnded
from engine.training.trainer import Trainer


def full(*_, **__):
    raise OSError(28, "No space left on device")


@pytest.fixture
def run(quick_epochs, tiny, tmp_path):
    """A run of one epoch."""
    return engine.train(tiny(epochs=1), run="one", root=tmp_path)


@pytest.mark.parametrize("name", ["new.keras", "variables.npz", "history.csv.new", "epoch-00002.npy"])
def test_a_full_disk_is_the_reason_of_the_failed_run_and_names_the_file(run, name, monkeypatch):
    whole = builtins.open

    def open_on_full_disk(path, mode="r", *words, **more):
        if str(path).endswith(name) and mode in ("wb", "xb", "rb+", "w"):
            full()
        return whole(path, mode, *words, **more)

    heard = []
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", open_on_full_disk)
        with pytest.raises(StorageError, match=rf"{name}: No space left on device. Free space"):
            engine.resume(run, epochs=2, emit=heard.append)
    assert isinstance(heard[-1], JobEnded)
    assert (run.state(), heard[-1].state) == ("failed", "failed")
    assert name in heard[-1].reason
    engine.resume(run, epochs=2)
    assert (run.state(), len(run.history())) == ("finished", 2)


def test_a_failure_that_cannot_be_recorded_is_passed_on(run, monkeypatch):
    heard = []
    monkeypatch.setattr(runs.Run, "append", full)
    with pytest.raises(StorageError, match="No space left"):
        engine.resume(run, epochs=2, emit=heard.append)
    assert [(type(event), event.state) for event in heard] == [(JobEnded, "failed")]


def test_a_run_that_cannot_be_created_is_refused_with_a_sentence_and_leaves_nothing(tiny, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(RunError, match="cannot be saved"):
            runs.create_run(tiny(), "one", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_lack_of_memory_on_tensorflow_names_a_batch_size_that_fits(run, monkeypatch):
    from tensorflow import errors

    def fail(self):
        raise errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(Trainer, "run_epoch", fail)
    heard = []
    with pytest.raises(TrainingError, match="not enough memory"):
        engine.resume(run, epochs=2, emit=heard.append)
    assert run.state() == "failed"
    assert "batch size of 4 (now 8)" in heard[-1].advice


def test_a_bug_is_not_taken_for_a_failure_of_the_disk(run, monkeypatch):
    def fail(self):
        raise LookupError("a bug")

    monkeypatch.setattr(Trainer, "run_epoch", fail)
    with pytest.raises(LookupError):
        engine.resume(run, epochs=2)


@pytest.mark.parametrize(("now", "year"), [(3600.0 * 24, 1970), (2.0**33, 2242)])
def test_a_clock_before_1980_is_named(run, monkeypatch, now, year):
    from engine.training import job

    monkeypatch.setattr(job.time, "time", lambda: now)
    with pytest.raises(TrainingError, match=f"clock of this computer says {year}"):
        engine.resume(run, epochs=2)
    assert run.state() == "failed"


@pytest.mark.parametrize(
    "content", ["", "[]", '{"data": []}', '{"backends": [1]}', '{"backends": [{"first_epoch": "x"}]}']
)
def test_a_damaged_provenance_is_written_again(run, content):
    (run.path / "provenance.json").write_text(content)
    engine.resume(run)
    assert run.provenance["data"]["source"] == "phantom"
    assert [entry["backend"] for entry in run.provenance["backends"]] == ["tensorflow"]
