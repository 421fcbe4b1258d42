"""The train job: end, stop, kill, resume, divergence."""

import json
import math
import threading

import numpy as np
import pytest
from PIL import Image

import engine
from engine import metrics, runs
from engine.data.phantom_source import PhantomSource
from engine.errors import BackendError, ConfigError, RunBusy, SourceNotFound, TrainingError
from engine.messages import EpochEnded, JobEnded, JobStarted, Log, Progress
from tests.engine.training_child import TrainingChildren


@pytest.fixture(scope="module")
def children(tmp_path_factory, forking_python):
    """Return processes that train runs until they are killed: `children.stop(run, step=13)`."""
    pool = TrainingChildren(tmp_path_factory.mktemp("children"), forking_python)
    yield pool
    pool.close()


def weights(run):
    newest = max(run.checkpoints.glob("epoch-*"))
    with open(newest / "variables.npz", "rb") as file:
        return dict(np.load(file))


EVERYTHING = {
    "flip": 0.5, "shift": 0.1, "rotation": 10, "zoom": 0.1, "gamma": 0.2, "gain": 0.1,
    "noise": "rician", "noise_high": 0.2, "schedule": "cosine", "warm_up": 0.1, "clip_norm": 1.0,
    "weight_decay": 0.01, "ema": 0.9, "kl_warm_up": 2, "free_bits": 0.1,
}  # fmt: skip


def assert_same_bits(run, whole):
    wanted, found = weights(whole), weights(run)
    assert wanted.keys() == found.keys()
    assert all(np.array_equal(wanted[name], found[name]) for name in wanted)
    keys = ("loss", "kl", "val_loss")
    rows, wanted_rows = ([[row[key] for key in keys] for row in each.history()] for each in (run, whole))
    assert rows == wanted_rows


def test_a_run_stopped_in_one_process_resumes_in_another_to_the_same_bits(trained, children, tmp_path):
    whole = trained("vae", epochs=3)
    run = runs.create_run(whole.config, "one", tmp_path)
    children.stop(run, step=13)
    assert run.state() == "stopped"
    assert 0 < len(run.history()) < 3
    engine.resume(run)
    assert run.state() == "finished"
    assert_same_bits(run, whole)


@pytest.mark.parametrize("changes", [EVERYTHING, {}], ids=["everything on", "plain"])
def test_a_run_killed_in_its_process_resumes_to_the_same_bits(changes, trained, children, tmp_path):
    """It resumes in this process, which has trained other runs before; that must change nothing either."""
    whole = trained("vae", epochs=3, **changes)
    run = runs.create_run(whole.config, "one", tmp_path)
    children.kill(run, step=9)
    assert run.state() == "interrupted"
    assert 0 < len(run.history()) < 3
    engine.resume(run)
    assert run.state() == "finished"
    assert_same_bits(run, whole)


def test_a_denoising_run_keeps_what_its_model_was_given(trained):
    run = trained(epochs=1, noise="gaussian", noise_low=0.1, noise_high=0.1)
    said = " ".join(event.text for event in run.events() if isinstance(event, Log))
    assert "gaussian noise of level 0.1 to 0.1" in said
    assert "Each validation image always gets the same noise" in said
    noisy, originals = (np.load(run.previews / f"{name}.npy") / 255 for name in ("noisy", "originals"))
    assert (noisy - originals).std() == pytest.approx(0.08, abs=0.03)
    assert not (trained(epochs=1).previews / "noisy.npy").exists()


def test_what_was_left_out_of_the_images_is_told_and_recorded(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 40), dtype=np.uint8)
        for name in (f"images/{number}.png", f"masks/{number}.png"):
            (tmp_path / "scans" / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / "scans" / name)
    (tmp_path / "scans" / "images" / "volume.nii").write_bytes(b"\0" * 344 + b"n+1\0")
    settings = tiny(source=str(tmp_path / "scans"), epochs=1)
    heard = []
    run = engine.train(settings, root=tmp_path / "runs", emit=heard.append)
    said = [event.text for event in run.events() if isinstance(event, Log)]
    sentence = "8 of 17 files are used as images: 8 are masks, 1 is a volume."
    assert sentence in said
    assert sentence in [event.text for event in heard if isinstance(event, Log)]
    recorded = run.provenance["data"]
    assert (recorded["images"], recorded["left_out"]) == (8, sentence)
    assert recorded["plane"] == ""
    assert recorded["skipped"] == {"a mask": 8, "a volume": 1}
    assert [note for note in said if "only 8 images" in note or "no test set" in note] == recorded["notes"][1:]
    written = {file: file.read_bytes() for file in run.path.rglob("*") if file.is_file()}
    assert [file.name for file, content in written.items() if str(tmp_path).encode() in content] == []
    assert run.config.data.source == str(tmp_path / "scans")


def test_a_stop_before_the_first_step_trains_none_and_keeps_what_is_there(trained, tmp_path):
    run = trained(epochs=1, at=tmp_path / "one")
    before, heard = run.model_path.read_bytes(), []
    engine.resume(
        run, epochs=2, emit=heard.append, should_stop=lambda: any(isinstance(each, JobStarted) for each in heard)
    )
    assert [type(event) for event in heard if not isinstance(event, Log)] == [JobStarted, JobEnded]
    assert (run.state(), len(run.history()), run.model_path.read_bytes()) == ("stopped", 1, before)


def test_a_job_tells_and_keeps_everything(tiny, tmp_path):
    heard, free = [], []

    def hear(event):
        heard.append(event)
        if isinstance(event, JobEnded):
            free.append(runs.open_run("one", tmp_path).state())

    run = engine.train(tiny(epochs=3), run="one", root=tmp_path, emit=hear)
    assert free == ["finished"]
    kinds = {type(event) for event in heard}
    assert kinds >= {JobStarted, Progress, EpochEnded, JobEnded}
    recorded = [event for event in heard if not isinstance(event, Progress)]
    # The record does not say where the run lies.
    assert list(run.events()) == [
        event.model_copy(update={"path": ""}) if isinstance(event, JobStarted) else event for event in recorded
    ]
    assert [event.sequence for event in recorded] == list(range(1, len(recorded) + 1))
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
    assert run.provenance["data"]["split_by"] == "auto"
    assert run.provenance["data"]["patients"]["patients"] == 0
    assert {"seed", "versions", "threads", "onednn", "device"} <= set(run.provenance)
    assert str(tmp_path) not in text


def test_a_run_in_bfloat16_is_validated_and_saved_in_float32(trained):
    from engine import data, models
    from engine.evaluation import scoring

    run = trained(epochs=1, precision="bfloat16")
    assert run.provenance["precision"] == "bfloat16"
    assert "Precision: bfloat16, as requested." in [event.text for event in run.events() if isinstance(event, Log)]
    model = models.load(run)
    assert {layer.compute_dtype for layer in model._flatten_layers()} == {"float32"}
    found = scoring.score(model, data.load(config=run.config.data).validation)["loss"].mean()
    assert found == pytest.approx(run.history()[0]["val_loss"], rel=1e-6)
    exact = trained(epochs=1)
    assert run.history()[0]["loss"] != exact.history()[0]["loss"]
    assert run.history()[0]["loss"] == pytest.approx(exact.history()[0]["loss"], rel=0.02)


def test_entropy_floors_are_reported_where_the_loss_is_in_nats(trained):
    run = trained("vae", epochs=3)
    started = next(event for event in run.events() if isinstance(event, JobStarted))
    images = engine.data.load(config=run.config.data)
    for split, told in (("train", started.train_floor_nats), ("validation", started.validation_floor_nats)):
        assert told == pytest.approx(metrics.entropy_floor_nats(images.splits[split].read()).mean())
    assert started.validation_floor_nats < run.history()[0]["val_reconstruction"]
    plain = trained(epochs=1)
    assert next(event for event in plain.events() if isinstance(event, JobStarted)).train_floor_nats is None


def heard_images(heard):
    return next(event.validation_images for event in heard if isinstance(event, JobStarted))


def test_the_model_kept_is_the_best_by_validation(trained):
    from engine import data, models
    from engine.evaluation import scoring

    run = trained(epochs=4, learning_rate=0.05)
    images = data.load(config=run.config.data)
    found = scoring.score(models.load(run), images.validation)["loss"].mean()
    assert found == pytest.approx(min(row["val_loss"] for row in run.history()), rel=1e-5)


def test_a_stop_before_the_first_epoch_keeps_a_model(tiny, tmp_path):
    run = engine.train(tiny(), run="one", root=tmp_path, should_stop=iter([False, False, True]).__next__)
    assert (run.state(), run.history()) == ("stopped", [])
    assert run.model_path.exists()


def test_a_stop_while_the_images_are_loaded_ends_the_job(tiny, tmp_path, monkeypatch):
    read, began, heard = PhantomSource.read, threading.Event(), []
    monkeypatch.setattr(PhantomSource, "read", lambda source, index: (began.set(), read(source, index))[1])
    fresh = tiny(phantom_seed=76, phantom_count=200)  # not in the cache
    run = engine.train(fresh, run="one", root=tmp_path, emit=heard.append, should_stop=began.is_set)
    assert [type(event) for event in heard] == [Log, JobEnded]
    assert (heard[-1].state, heard[-1].epoch, heard[-1].reason) == ("stopped", 0, "")
    assert (run.state(), run.model_path.exists()) == ("stopped", False)


def test_more_epochs_can_be_requested_but_not_fewer(trained, tmp_path):
    run = trained(epochs=2, at=tmp_path / "one")
    engine.resume(run, epochs=3)
    assert [row["epoch"] for row in run.history()] == [1, 2, 3]
    assert run.config.training.epochs == 3
    with pytest.raises(ConfigError, match="already has 3 epochs"):
        engine.resume(run, epochs=1)
    with run.lock(), pytest.raises(RunBusy):
        engine.resume(run, epochs=9)
    assert run.config.training.epochs == 3


def test_a_cosine_is_stretched_over_a_new_goal_and_says_so(tiny, tmp_path, monkeypatch):
    """At its old end the rate was zero; it continues at the middle of the longer cosine and is zero at the new end."""
    from engine.models import optimizer

    made, build = [], optimizer.build

    def remember(*words):
        made.append(build(*words))
        return made[-1]

    monkeypatch.setattr(optimizer, "build", remember)
    run = engine.train(tiny(epochs=1, schedule="cosine"), run="one", root=tmp_path)
    first, steps = made[0], int(made[0].iterations)
    assert float(first.learning_rate) == pytest.approx(0, abs=1e-9)
    told = []
    engine.resume(run, epochs=2, emit=told.append)
    course = made[-1]._learning_rate
    assert float(course(steps)) == pytest.approx(course.rate / 2, rel=1e-3)
    assert int(made[-1].iterations) == 2 * steps
    assert float(made[-1].learning_rate) == pytest.approx(0, abs=1e-9)
    assert any(
        "learning-rate schedule is recomputed for 2 epochs" in event.text for event in told if isinstance(event, Log)
    )


def test_a_backend_that_cannot_be_used_changes_nothing_about_a_run(trained, tmp_path, monkeypatch):
    run = trained(epochs=1, at=tmp_path / "one")
    before = list(run.events())
    with pytest.raises(ConfigError, match="one of auto, tensorflow, torch, jax"):
        engine.resume(run, epochs=2, backend="theano")
    monkeypatch.setattr("engine.backend.installed", lambda: ["tensorflow"])
    with pytest.raises(BackendError, match="torch is not installed"):
        engine.resume(run, epochs=2, backend="torch")
    assert (run.config.training.backend, run.config.training.epochs) == ("tensorflow", 1)
    assert list(run.events()) == before


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(tiny, tmp_path, monkeypatch):
    from engine.training import callbacks

    settings = tiny(learning_rate=1.0, epochs=5)
    monkeypatch.setattr(
        callbacks.ProgressCallback, "_emit_progress", poisoned(callbacks.ProgressCallback._emit_progress)
    )
    with pytest.raises(TrainingError, match=r"no longer a finite number in epoch 2.*learning rate \(now 1\)"):
        engine.train(settings, run="one", root=tmp_path)
    run = runs.open_run("one", tmp_path)
    assert run.state() == "failed"
    assert len(run.history()) == 1
    assert run.model_path.exists()


def poisoned(speak):
    def broken(self, batch, loss):
        speak(self, batch, math.nan if self._epoch == 1 else loss)

    return broken


def test_a_source_that_is_not_there_is_reported_and_recorded(tiny, tmp_path):
    run = runs.create_run(tiny(source=str(tmp_path / "nowhere")), "one", tmp_path)
    with pytest.raises(SourceNotFound, match="a new run may take the name 'one'"):
        engine.train(run=run)
    last = list(run.events())[-1]
    assert last.state == "failed"
    assert "nowhere" in last.reason


def test_a_source_with_a_typo_takes_no_name_and_imports_no_framework(run_python, tmp_path):
    (tmp_path / "empty").mkdir()
    code = f"""
import sys
import engine
from engine import cli, config
from engine.errors import DataError

root = {str(tmp_path)!r}
for source in ("nowhere", "empty"):
    typed = root + "/" + source
    try:
        engine.train(config.from_flat({{"source": typed}}), run="one", root=root + "/runs")
    except DataError as error:
        print(type(error).__name__)
    for words in (["train", "--run", "one"], ["demo", "--out", root + "/out"],
                  ["search", "--preset", "study-ae", "--name", "one"]):
        print(cli.main([*words, "--data", typed, "--runs", root + "/runs"]))
print("keras" in sys.modules)
"""
    said = run_python(code).split()
    assert said == ["SourceNotFound", "3", "3", "3", "EmptySource", "2", "2", "2", "False"]
    assert not [file for file in (tmp_path / "runs").rglob("*") if file.is_file()]


def test_a_name_that_a_wrong_source_took_is_free_again(tiny, tmp_path):
    run = runs.create_run(tiny(epochs=1, source=str(tmp_path / "nowhere")), "one", tmp_path)
    with pytest.raises(SourceNotFound):
        engine.resume(run)
    again = engine.train(tiny(epochs=1), run="one", root=tmp_path)
    assert (again.path, again.state(), len(again.history())) == (run.path, "finished", 1)
    numbers = [event.sequence for event in again.events()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [event.state for event in again.events() if isinstance(event, JobEnded)] == ["failed", "finished"]


def test_another_backend_in_the_same_process_is_refused(tiny, tmp_path):
    with pytest.raises(BackendError, match=r"already uses the tensorflow backend|is not installed"):
        engine.train(tiny(backend="jax"), run="one", root=tmp_path)


def test_changed_conditions_and_data_are_warned_of(trained, tmp_path):
    run = trained(epochs=1, at=tmp_path / "one")
    path = max(run.checkpoints.glob("epoch-*")) / "state.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps(state | {"conditions": state["conditions"] | {"threads": 99}}))
    run.write_json("provenance.json", {**run.provenance, "data": {"fingerprint": "other"}})
    heard = []
    engine.resume(run, epochs=2, emit=heard.append)
    warnings = [event.text for event in heard if isinstance(event, Log) and event.level == "warning"]
    assert any("threads" in text for text in warnings)
    assert any("images have changed" in text for text in warnings)
