"""The train job, alone in its process as in life: end, stop, kill, resume, divergence."""

import json
import math
import signal

import numpy as np
import pytest

import engine
from engine import quality, runs
from engine.errors import BackendError, ConfigError, RunBusy, SourceNotFound, TrainingError
from engine.messages import EpochEnded, JobEnded, JobStarted, Log, Progress

JOB = """
import os, signal, sys
import engine
from engine import config, runs

path, how, after = sys.argv[1], sys.argv[2], int(sys.argv[3])
asked = 0

def hear(event):
    global asked
    if event.event == "job-started":
        asked = 1  # what is asked while images are read does not count

def should_stop():
    global asked
    asked += bool(asked)
    if asked == after and how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    return asked == after and how == "stop"

engine.resume(runs.open(path), emit=hear, should_stop=should_stop)
"""


@pytest.fixture
def work(start_python):
    """Train a run in a process of its own until it ends, is stopped or killed after so many steps."""

    def go(run, how="end", after=0):
        process = start_python(JOB, run.path, how, after)
        errors = process.communicate(timeout=240)[1].decode()
        assert process.returncode == (-signal.SIGKILL if how == "kill" else 0), errors

    return go


def weights(run):
    newest = max(run.checkpoints.glob("epoch-*"))
    with open(newest / "variables.npz", "rb") as file:
        return dict(np.load(file))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A VAE trained for three epochs without a break: its folder, filled on first use."""
    return tmp_path_factory.mktemp("whole")


EVERYTHING = {
    "flip": 0.5, "shift": 0.1, "rotation": 10, "zoom": 0.1, "gamma": 0.2, "gain": 0.1,
    "noise": "rician", "noise_high": 0.2, "schedule": "cosine", "warm_up": 0.1, "clip_norm": 1.0,
    "weight_decay": 0.01, "ema": 0.9, "kl_warm_up": 2, "free_bits": 0.1,
}  # fmt: skip


def test_a_killed_run_with_everything_on_goes_on_to_the_same_bits(tiny, work, tmp_path):
    settings = tiny(model="vae", epochs=3, **EVERYTHING)
    whole, broken = (runs.create(settings, name, tmp_path) for name in ("whole", "broken"))
    work(whole)
    work(broken, "kill", 9)
    assert 0 < len(broken.history()) < 3
    work(broken)
    wanted, found = weights(whole), weights(broken)
    assert all(np.array_equal(wanted[name], found[name]) for name in wanted)
    keys = ("loss", "kl", "val_loss")
    rows = [[[row[key] for key in keys] for row in run.history()] for run in (whole, broken)]
    assert rows[0] == rows[1]


def test_a_denoising_run_keeps_what_its_model_was_given(tiny, tmp_path):
    run = engine.train(tiny(noise="gaussian", noise_low=0.1, noise_high=0.1), run="one", root=tmp_path)
    said = " ".join(event.text for event in run.events() if isinstance(event, Log))
    assert "gaussian noise of level 0.1 to 0.1" in said
    assert "Validation images always have the same noise" in said
    noisy, originals = (np.load(run.previews / f"{name}.npy") / 255 for name in ("noisy", "originals"))
    assert (noisy - originals).std() == pytest.approx(0.08, abs=0.03)
    assert not (engine.train(tiny(), run="two", root=tmp_path).previews / "noisy.npy").exists()


@pytest.mark.parametrize(("how", "after"), [("kill", 9), ("stop", 13)])
def test_a_broken_run_goes_on_to_the_same_bits(how, after, tiny, work, whole, tmp_path):
    settings = tiny(model="vae", epochs=3)
    if not (whole / "one").exists():
        work(runs.create(settings, "one", whole))
    run = runs.create(settings, "one", tmp_path)
    work(run, how, after)
    assert run.state() == {"kill": "interrupted", "stop": "stopped"}[how]
    assert 0 < len(run.history()) < 3
    work(run)
    wanted, found = weights(runs.open("one", whole)), weights(run)
    assert run.state() == "finished"
    assert all(np.array_equal(wanted[name], found[name]) for name in wanted)
    keys = ("loss", "kl", "val_loss")
    rows = [[row[key] for key in keys] for row in run.history()]
    assert rows == [[row[key] for key in keys] for row in runs.open("one", whole).history()]


def test_a_job_tells_and_keeps_everything(tiny, tmp_path):
    heard, free = [], []

    def hear(event):
        heard.append(event)
        if isinstance(event, JobEnded):
            free.append(runs.open("one", tmp_path).state())

    run = engine.train(tiny(epochs=3), run="one", root=tmp_path, emit=hear)
    assert free == ["finished"]
    kinds = {type(event) for event in heard}
    assert kinds >= {JobStarted, Progress, EpochEnded, JobEnded}
    recorded = [event for event in heard if not isinstance(event, Progress)]
    assert list(run.events()) == recorded
    last = [event for event in heard if isinstance(event, Progress)][-1]
    assert (last.epoch, last.batch, last.left_s) == (3, last.batches, 0)
    assert last.images_per_s > 0
    epochs = [event for event in heard if isinstance(event, EpochEnded)]
    assert [event.epoch for event in epochs] == [1, 2, 3]
    best = min(epochs, key=lambda event: event.metrics["val_loss"])
    assert best.best
    assert run.best_epoch() == best.epoch
    originals, preview = (np.load(run.previews / f"{name}.npy") for name in ("originals", "epoch-00003"))
    assert originals.shape == preview.shape == (min(8, heard_images(heard)), 32, 32)
    assert np.load(run.path / epochs[0].preview).dtype == np.uint8
    text = json.dumps(run.provenance)
    assert run.provenance["backend"] == "tensorflow"
    assert run.provenance["data"]["fingerprint"]
    assert {"seed", "versions", "threads", "onednn", "device"} <= set(run.provenance)
    assert str(tmp_path) not in text


def test_entropy_floors_are_told_where_the_loss_is_in_nats(tiny, tmp_path):
    run = engine.train(tiny(model="vae", epochs=1), root=tmp_path)
    started = next(event for event in run.events() if isinstance(event, JobStarted))
    images = engine.data.load(config=run.config.data)
    for split, told in (("train", started.train_floor_nats), ("validation", started.validation_floor_nats)):
        assert told == pytest.approx(quality.entropy_floor_nats(images.splits[split].read()).mean())
    assert started.validation_floor_nats < run.history()[0]["val_reconstruction"]
    plain = engine.train(tiny(epochs=1), root=tmp_path)
    assert next(event for event in plain.events() if isinstance(event, JobStarted)).train_floor_nats is None


def heard_images(heard):
    return next(event.validation_images for event in heard if isinstance(event, JobStarted))


def test_the_model_kept_is_the_best_by_validation(tiny, tmp_path):
    from engine import data, models, scoring

    run = engine.train(tiny(epochs=4, learning_rate=0.05), run="one", root=tmp_path)
    images = data.load(config=run.config.data)
    found = scoring.score(models.load(run), images.validation)["loss"].mean()
    assert found == pytest.approx(min(row["val_loss"] for row in run.history()), rel=1e-5)


def test_a_stop_before_the_first_epoch_keeps_a_model(tiny, tmp_path):
    run = engine.train(tiny(), run="one", root=tmp_path, should_stop=iter([False, False, True]).__next__)
    assert (run.state(), run.history()) == ("stopped", [])
    assert run.model_path.exists()


def test_more_epochs_can_be_asked_for_but_not_fewer(tiny, tmp_path):
    run = engine.train(tiny(epochs=2), run="one", root=tmp_path)
    engine.resume(run, epochs=3)
    assert [row["epoch"] for row in run.history()] == [1, 2, 3]
    assert run.config.training.epochs == 3
    with pytest.raises(ConfigError, match="already has 3 epochs"):
        engine.resume(run, epochs=1)
    with run.lock(), pytest.raises(RunBusy):
        engine.resume(run, epochs=9)
    assert run.config.training.epochs == 3


def test_a_cosine_is_stretched_over_a_new_goal_and_says_so(tiny, tmp_path, monkeypatch):
    """At its old end the rate was zero; it goes on at the middle of the longer cosine and is zero at the new end."""
    from engine.models import optimiser

    made, build = [], optimiser.build

    def remember(*words):
        made.append(build(*words))
        return made[-1]

    monkeypatch.setattr(optimiser, "build", remember)
    run = engine.train(tiny(epochs=2, schedule="cosine"), run="one", root=tmp_path)
    first, steps = made[0], int(made[0].iterations)
    assert float(first.learning_rate) == pytest.approx(0, abs=1e-9)
    told = []
    engine.resume(run, epochs=4, emit=told.append)
    course = made[-1]._learning_rate
    assert float(course(steps)) == pytest.approx(course.rate / 2, rel=1e-3)
    assert int(made[-1].iterations) == 2 * steps
    assert float(made[-1].learning_rate) == pytest.approx(0, abs=1e-9)
    assert any("course of a run of 4 epochs" in event.text for event in told if isinstance(event, Log))


def test_a_backend_that_cannot_be_used_changes_nothing_about_a_run(tiny, tmp_path, monkeypatch):
    run = engine.train(tiny(epochs=1), run="one", root=tmp_path)
    before = list(run.events())
    with pytest.raises(ConfigError, match="one of tensorflow, torch, jax"):
        engine.resume(run, epochs=2, backend="theano")
    monkeypatch.setattr("engine.backend.installed", lambda: ["tensorflow"])
    with pytest.raises(BackendError, match="torch is not installed"):
        engine.resume(run, epochs=2, backend="torch")
    assert (run.config.training.backend, run.config.training.epochs) == ("tensorflow", 1)
    assert list(run.events()) == before


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(tiny, tmp_path, monkeypatch):
    from engine import callbacks

    settings = tiny(learning_rate=1.0, epochs=5)
    monkeypatch.setattr(callbacks.Reporter, "_speak", poisoned(callbacks.Reporter._speak))
    with pytest.raises(TrainingError, match=r"no longer a finite number in epoch 2.*learning rate \(now 1\)"):
        engine.train(settings, run="one", root=tmp_path)
    run = runs.open("one", tmp_path)
    assert run.state() == "failed"
    assert len(run.history()) == 1
    assert run.model_path.exists()


def poisoned(speak):
    def broken(self, batch, loss):
        speak(self, batch, math.nan if self._epoch == 1 else loss)

    return broken


def test_a_source_that_is_not_there_is_told_and_recorded(tiny, tmp_path):
    with pytest.raises(SourceNotFound):
        engine.train(tiny(source=str(tmp_path / "nowhere")), run="one", root=tmp_path)
    last = list(runs.open("one", tmp_path).events())[-1]
    assert last.state == "failed"
    assert "nowhere" in last.reason


def test_another_backend_in_the_same_process_is_refused(tiny, tmp_path):
    with pytest.raises(BackendError, match=r"already computes with tensorflow|is not installed"):
        engine.train(tiny(backend="jax"), run="one", root=tmp_path)


def test_changed_conditions_and_data_are_warned_of(tiny, tmp_path):
    run = engine.train(tiny(epochs=1), run="one", root=tmp_path)
    path = max(run.checkpoints.glob("epoch-*")) / "state.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps(state | {"conditions": state["conditions"] | {"threads": 99}}))
    run.write_json("provenance.json", {**run.provenance, "data": {"fingerprint": "other"}})
    heard = []
    engine.resume(run, epochs=2, emit=heard.append)
    warnings = [event.text for event in heard if isinstance(event, Log) and event.level == "warning"]
    assert any("threads" in text for text in warnings)
    assert any("images have changed" in text for text in warnings)
