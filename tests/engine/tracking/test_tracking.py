"""Tracking: what is recorded, what never is, and that a run does not care what becomes of W&B."""

import getpass
import json
import os
import platform
import signal
import struct
import zlib
from pathlib import Path

import pytest
from wandb.proto.wandb_internal_pb2 import Record

from engine import runs, tracking
from engine.errors import TrackingError
from engine.messages import EpochEnded, JobEnded, JobStarted
from engine.training import job

BLOCK = 32768


def records(path):
    """The records of a W&B transaction log: blocks of chunks, each with its checksum, length and part of a record."""
    content, place, kept = path.read_bytes(), 7, b""
    assert content[:4] == b":W&B"
    while place + 7 <= len(content):
        if BLOCK - place % BLOCK < 7:
            place += BLOCK - place % BLOCK
            continue
        checksum, length, part = struct.unpack("<IHB", content[place : place + 7])
        chunk = content[place + 7 : place + 7 + length]
        place += 7 + length
        assert zlib.crc32(chunk, zlib.crc32(bytes([part]))) == checksum
        kept = kept + chunk if part in (3, 4) else chunk
        if part in (1, 4):
            record = Record()
            record.ParseFromString(kept)
            yield record


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("patient-anna-mueller")


@pytest.fixture
def tracked(folder, tiny):
    """A tracked run on a folder of images whose path names a patient, trained once for all tests that look at it."""
    if not (folder / "kept").exists():
        job.train(tiny(tracking="offline"), run="kept", root=folder)
    return runs.open_run("kept", folder)


def log_of(run):
    (log,) = run.path.glob("wandb/offline-run-*/*.wandb")
    return log


def test_every_epoch_and_the_settings_are_recorded(tracked):
    found = list(records(log_of(tracked)))
    history = [
        {(item.key or item.nested_key[0]): json.loads(item.value_json) for item in record.history.item}
        for record in found
        if record.WhichOneof("record_type") == "history"
    ]
    rows = tracked.history()
    assert [row["val_loss"] for row in history] == [row["val_loss"] for row in rows]
    assert [row["_step"] for row in history] == [1, 2]
    (run,) = [record.run for record in found if record.WhichOneof("record_type") == "run"]
    told = {(item.key or item.nested_key[0]): item.value_json for item in run.config.update}
    assert (run.display_name, told["latent"], told["model"]) == ("kept", "8", '"ae"')


def test_nothing_recorded_names_a_machine_a_user_a_path_or_a_patient(tracked):
    names = {platform.node(), getpass.getuser(), str(Path.home()), str(tracked.path), "mueller", str(Path.cwd())}
    recorded = b"".join(record.SerializeToString() for record in records(log_of(tracked)))
    left = b"".join(path.read_bytes() for path in tracked.path.glob("wandb/**/*") if path.is_file())
    for name in names - {""}:
        assert name.encode() not in recorded, name
        assert name.encode() not in left, name


def test_a_source_is_named_only_where_it_names_nobody(tiny, tmp_path):
    assert tracking.anonymized(tiny())["source"] == "phantom"
    assert tracking.anonymized(tiny(source="hf:some/set"))["source"] == "hf:some/set"
    assert tracking.anonymized(tiny(source=f"hf:{tmp_path}"))["source"] == "folder"
    assert tracking.anonymized(tiny(source="/data/anna-mueller"))["source"] == "folder"


def test_without_tracking_nothing_is_tracked(tiny, tmp_path):
    def hear(event):
        raise AssertionError

    run = runs.create_run(tiny(), "plain", tmp_path)
    assert tracking.with_tracking(run, run.config, hear) is hear


@pytest.fixture
def online(monkeypatch, tmp_path):
    """No key on this machine."""
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return tmp_path / "netrc"


def test_online_without_a_login_is_refused_before_there_is_a_run(online, tiny, tmp_path):
    with pytest.raises(TrackingError, match=r"not logged in .* `wandb sync`"):
        job.train(tiny(tracking="online"), run="none", root=tmp_path)
    assert not (tmp_path / "none").exists()


def test_a_key_in_the_environment_or_in_netrc_is_a_login(online, monkeypatch):
    assert not tracking.is_logged_in()
    online.write_text("machine api.wandb.ai login user password key\n")
    assert tracking.is_logged_in()
    online.write_text("machine elsewhere login user password key\n")
    assert not tracking.is_logged_in()
    monkeypatch.setenv("WANDB_API_KEY", "key")
    assert tracking.is_logged_in()


def epoch(number):
    return EpochEnded(run="r", epoch=number, metrics={"val_loss": 1.0}, best=False)


@pytest.fixture
def tracker(tiny, tmp_path):
    told = []
    run = runs.create_run(tiny(tracking="offline"), "r", tmp_path)
    tracker = tracking.with_tracking(run, run.config, told.append)
    tracker.told = told
    counts = {"first_epoch": 0, "epochs": 9, "train_images": 1, "validation_images": 1, "parameters": 1}
    tracker(JobStarted(run="r", path=str(run.path), backend="tensorflow", device="CPU", **counts))
    yield tracker
    tracker(JobEnded(run="r", state="stopped"))
    assert [event.event for event in told][-1] == "job-ended"


def test_w_b_dying_does_no_harm(tracker):
    tracker(epoch(1))
    os.kill(tracker._process.pid, signal.SIGKILL)
    tracker._process.wait()
    for number in range(2, 100):
        tracker(epoch(number))
    assert len(tracker.told) == 100


def test_w_b_hanging_does_not_block(tracker):
    os.kill(tracker._process.pid, signal.SIGSTOP)
    for number in range(1, 5000):  # far more than the pipe holds: one that waits would wait here for ever
        tracker(epoch(number))
    assert len(tracker.told) == 5000
    assert tracker._pipe is None
    os.kill(tracker._process.pid, signal.SIGKILL)
