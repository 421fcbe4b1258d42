import csv
import os
import signal
import zipfile

import pytest

from engine import config, runs
from engine.config import RunConfig
from engine.errors import RunBusy, RunDamaged, RunError, RunExists, RunNotFound
from engine.folders import cache_root
from engine.messages import EpochEnded, JobEnded, JobStarted
from engine.result_cache import ResultCache

HOLD = """
import sys
from engine import runs
with runs.open_run(sys.argv[1]).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def run(tmp_path):
    return runs.create_run(RunConfig(), "one", tmp_path)


def started(run, **changes):
    values = {"first_epoch": 0, "epochs": 2, "train_images": 8, "validation_images": 2, "parameters": 10}
    names = {"run": run.name, "path": str(run.path), "backend": "tensorflow", "device": "CPU"}
    return JobStarted(**values, **names, **changes)


def epoch(number, loss):
    return EpochEnded(run="one", epoch=number, metrics={"loss": loss, "val_loss": loss}, best=True)


def test_a_run_keeps_its_settings(run, tmp_path):
    again = runs.open_run("one", tmp_path)
    assert again == run
    assert again.config == RunConfig()
    assert (again.state(), again.history(), again.best_epoch(), again.provenance) == ("new", [], None, {})


def test_names_are_chosen_in_order(tmp_path):
    names = [runs.create_run(RunConfig(), root=tmp_path).name for _ in range(2)]
    assert names == ["ae-0001", "ae-0002"]
    assert [run.name for run in runs.list_runs(tmp_path)] == names
    runs.create_run(RunConfig(), "ae-0007", tmp_path)
    assert runs.create_run(RunConfig(), root=tmp_path).name == "ae-0008"


def test_a_taken_name_is_refused_and_nothing_is_lost(run, tmp_path):
    run.append(epoch(1, 0.5))
    with pytest.raises(RunExists, match=r"already a run 'one'.*resume"):
        runs.create_run(RunConfig(), "one", tmp_path)
    assert len(run.history()) == 1


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "x" * 101])
def test_a_name_that_is_no_folder_name_is_refused(name, tmp_path):
    with pytest.raises(RunError, match="is not a valid run name"):
        runs.create_run(RunConfig(), name, tmp_path)


def test_a_missing_run_names_those_that_are_there(run, tmp_path):
    with pytest.raises(RunNotFound, match=r"no run 'two'.*one"):
        runs.open_run("two", tmp_path)


def test_a_folder_that_cannot_be_written_gets_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be saved"):
        runs.create_run(RunConfig(), "one", tmp_path / "file" / "runs")


def test_damaged_settings_get_a_sentence(run):
    (run.path / "config.json").write_text("{")
    with pytest.raises(RunDamaged, match=r"config.json of run 'one'"):
        _ = run.config


def test_an_epoch_that_was_run_twice_counts_once(run):
    for number, loss in ((1, 0.5), (2, 0.4), (2, 0.3), (3, 0.6)):
        run.append(epoch(number, loss))
    assert [row["loss"] for row in run.history()] == [0.5, 0.3, 0.6]
    assert run.best_epoch() == 2
    runs.write_history(run)
    with open(run.path / "history.csv", newline="") as file:
        assert [row["val_loss"] for row in csv.DictReader(file)] == ["0.5", "0.3", "0.6"]


def test_a_line_cut_off_by_a_crash_is_passed_over(run):
    run.append(epoch(1, 0.5))
    with open(run.path / "events.jsonl", "a") as file:
        file.write(epoch(2, 0.4).to_json_line()[:40])
    assert len(run.history()) == 1
    run.append(epoch(2, 0.4))
    assert len(run.history()) == 2


def test_state_follows_the_events(run):
    run.append(started(run))
    assert run.state() == "interrupted"
    run.append(JobEnded(run="one", state="stopped", epoch=1))
    assert run.state() == "stopped"


def test_a_run_held_by_another_process_is_busy_until_that_process_dies(run, start_python):
    run.append(started(run))
    holder = start_python(HOLD, run.path)
    assert holder.stdout.readline() == b"held\n"
    assert run.state() == "running"
    with pytest.raises(RunBusy, match="being trained"), run.lock():
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert run.state() == "interrupted"
    with run.lock():
        assert run.is_busy()


def test_a_copy_is_a_run_of_its_own(run, tmp_path, start_python):
    run.append(started(run))
    run.append(EpochEnded(run="one", epoch=1, metrics={"loss": 0.5, "val_loss": 0.4}, best=True))
    run.append(JobEnded(run="one", state="finished", epoch=1))
    (run.path / "lock").touch()
    copied = runs.copy_run(run, "kept")
    assert (copied.name, copied.state(), copied.config) == ("kept", "finished", run.config)
    assert {event.run for event in copied.events()} == {"kept"}
    assert not (copied.path / "lock").exists()
    assert next(copied.events()).path == ""
    with pytest.raises(RunExists, match="already a run 'kept'"):
        runs.copy_run(run, "kept")
    with pytest.raises(RunError, match="is not a valid run name"):
        runs.copy_run(run, "../kept")
    with run.lock(), pytest.raises(RunBusy):
        runs.copy_run(run, "other")
    assert sorted(each.name for each in runs.list_runs(tmp_path)) == ["kept", "one"]


@pytest.mark.parametrize("leftovers", [(), ("config.json.new",), ("lock", "config.json.new")])
def test_a_folder_that_a_kill_left_without_settings_burns_no_name(tmp_path, leftovers):
    (tmp_path / "one").mkdir()
    for name in leftovers:
        (tmp_path / "one" / name).touch()
    assert runs.create_run(RunConfig(), "one", tmp_path).config == RunConfig()
    assert [run.name for run in runs.list_runs(tmp_path)] == ["one"]


def test_a_folder_of_somebody_elses_stays_taken(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "letter.txt").touch()
    with pytest.raises(RunExists):
        runs.create_run(RunConfig(), "one", tmp_path)
    assert (tmp_path / "one" / "letter.txt").exists()


@pytest.mark.parametrize("operation", ["open", "fsync", "replace"])
def test_a_kill_while_a_run_is_created_leaves_its_name_free(tmp_path, monkeypatch, operation):
    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, operation, die)
        with pytest.raises(KeyboardInterrupt):
            runs.create_run(RunConfig(), "one", tmp_path)
    assert runs.list_runs(tmp_path) == []
    assert runs.create_run(RunConfig(), "one", tmp_path).config == RunConfig()


def fail(run):
    run.append(JobEnded(run=run.name, state="failed", reason="No images."))


def test_name_of_a_run_that_failed_with_nothing_to_keep_is_taken_anew(run, tmp_path):
    fail(run)
    run.previews.mkdir()
    for name in ("provenance.json", "history.csv"):
        (run.path / name).write_text("{}")
    other = config.from_flat({"latent": 7})
    assert runs.create_run(other, "one", tmp_path).config == other
    assert sorted(path.name for path in run.path.iterdir()) == ["config.json", "events.jsonl"]
    assert [event.reason for event in run.events()] == ["No images."]


@pytest.mark.parametrize("holds", ["epoch", "model", "checkpoint", "nothing yet", "an end that nobody told"])
def test_name_of_a_run_that_holds_something_stays_taken(run, tmp_path, holds):
    if holds == "epoch":
        run.append(epoch(1, 0.5))
    if holds == "an end that nobody told":
        run.append(started(run))
    elif holds != "nothing yet":
        fail(run)
    if holds == "model":
        run.model_path.touch()
    if holds == "checkpoint":
        (run.checkpoints / "epoch-00001").mkdir(parents=True)
    with pytest.raises(RunExists):
        runs.create_run(RunConfig(), "one", tmp_path)


def test_name_of_a_failed_run_that_is_trained_now_stays_taken(run, tmp_path, start_python):
    fail(run)
    process = start_python(HOLD, run.path)
    assert process.stdout.readline().strip() == b"held"
    with pytest.raises(RunExists):
        runs.create_run(RunConfig(), "one", tmp_path)


def test_model_is_distinguished_from_another_by_its_content_alone(run):
    assert runs.model_checksum(run) == ""
    seen = set()
    for content in (b"one", b"two"):
        with zipfile.ZipFile(run.model_path, "w") as archive:
            archive.writestr("model.weights.h5", content)
        os.utime(run.model_path, ns=(1, 1))
        seen.add(runs.model_checksum(run))
        os.utime(run.model_path)
        seen.add(runs.model_checksum(run))
    run.model_path.write_bytes(b"no archive")
    seen.add(runs.model_checksum(run))
    assert len(seen) == 3


def test_runs_of_one_tick_of_the_clock_are_listed_by_name(tmp_path):
    for name in ("b", "c", "a"):
        made = runs.create_run(RunConfig(), name, tmp_path)
        os.utime(made.path / "config.json", ns=(1, 1))
    assert [found.name for found in runs.list_runs(tmp_path)] == ["a", "b", "c"]


def test_what_is_derived_from_a_run_lies_in_its_folder(run):
    assert run.derived == run.path


@pytest.fixture(params=["packaged", "read-only"])
def protected(request, run, monkeypatch):
    """A run that ships with Engram, or lies in a folder that may only be read."""
    if request.param == "packaged":
        monkeypatch.setattr(runs.settings, "RESOURCES", run.path.parents[0])
    else:
        monkeypatch.setattr(runs.os, "access", lambda path, mode: path != run.path)
    return run


def test_nothing_is_written_beside_a_protected_run(protected):
    before = sorted(protected.path.iterdir())
    ResultCache(protected.derived / "measures.json").keep("one", 1)
    assert sorted(protected.path.iterdir()) == before
    assert ResultCache(protected.derived / "measures.json").get("one") == 1
    assert cache_root() in protected.derived.parents


def test_a_run_that_ships_with_engram_is_not_trained():
    packaged = runs.list_runs(config.RESOURCES / "demo")[0]
    with pytest.raises(RunError, match="comes with Engram"), packaged.lock():
        pass
    assert not (packaged.path / "lock").exists()
