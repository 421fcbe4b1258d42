"""The order in which files, folders and names reach the disk, recorded call by call."""

import os
import stat
from pathlib import Path

import pytest

from engine import durable, runs
from engine.config import RunConfig
from engine.messages import EpochEnded, Log


@pytest.fixture
def calls(monkeypatch):
    """Record every flush and rename, by the names of what they concern."""
    made = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(descriptor):
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        made.append(("flush folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "flush", path.name))
        fsync(descriptor)

    def record_replace(source, target):
        made.append(("rename", Path(source).name, Path(target).name))
        replace(source, target)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("only Linux tells the path of a descriptor")
    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    return made


def test_content_is_on_the_disk_before_its_name(tmp_path, calls):
    durable.write_text_atomic(tmp_path / "a.json", "new")
    assert calls == [("flush", "a.json.new"), ("rename", "a.json.new", "a.json"), ("flush folder", tmp_path.name)]
    assert (tmp_path / "a.json").read_text() == "new"


def test_a_new_folder_is_flushed_into_the_one_above(tmp_path, calls):
    durable.make_folder(tmp_path / "a")
    durable.make_folder(tmp_path / "a")
    assert calls == [("flush folder", tmp_path.name)]


def test_a_copied_run_is_on_the_disk_before_its_name(tmp_path, calls):
    run = runs.create_run(RunConfig(), "one", tmp_path)
    (run.path / "checkpoint").mkdir()
    (run.path / "checkpoint" / "a.npz").write_bytes(b"a")
    calls.clear()
    runs.copy_run(run, "two")
    renamed = calls.index(("rename", ".two", "two"))
    before = [("flush", "a.npz"), ("flush folder", "checkpoint"), ("flush", "config.json"), ("flush folder", ".two")]
    assert set(before) <= set(calls[:renamed])
    assert calls[renamed + 1 :] == [("flush folder", tmp_path.name)]


def test_on_windows_no_folder_is_flushed(tmp_path, calls, monkeypatch):
    monkeypatch.setattr(durable, "HAS_FOLDER_FLUSH", False)
    durable.write_text_atomic(tmp_path / "a.json", "new")
    assert calls == [("flush", "a.json.new"), ("rename", "a.json.new", "a.json")]


def test_a_run_is_on_the_disk_before_it_is_returned(tmp_path, calls):
    run = runs.create_run(RunConfig(), "one", tmp_path)
    assert calls == [
        ("flush folder", tmp_path.name),
        ("flush", "config.json.new"),
        ("rename", "config.json.new", "config.json"),
        ("flush folder", staged := calls[3][1]),
        ("rename", staged, "one"),
        ("flush folder", tmp_path.name),
    ]
    assert run.config == RunConfig()


def test_an_epoch_is_on_the_disk_when_it_is_recorded(tmp_path, calls):
    run = runs.create_run(RunConfig(), "one", tmp_path)
    calls.clear()
    run.append(Log(text="a"))
    assert calls == [("flush folder", "one")]
    calls.clear()
    run.append(EpochEnded(run="one", epoch=1, metrics={}, best=True))
    assert calls == [("flush", "events.jsonl")]


def test_a_link_in_place_of_the_new_file_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / "a.json.new").symlink_to(victim)
    durable.write_text_atomic(tmp_path / "a.json", "new")
    assert (victim.read_text(), (tmp_path / "a.json").read_text()) == ("kept", "new")
    (tmp_path / "folder").symlink_to(tmp_path / "target")
    (tmp_path / "target").mkdir()
    durable.remove_folder(tmp_path / "folder")
    assert ((tmp_path / "target").is_dir(), (tmp_path / "folder").is_symlink()) == (True, False)


def test_a_full_disk_is_reported_with_the_file(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(28, "No space left on device")

    (tmp_path / "a.json").write_text("old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left") as raised:
        durable.write_text_atomic(tmp_path / "a.json", "new")
    assert Path(raised.value.filename).parent == tmp_path
    assert (tmp_path / "a.json").read_text() == "old"


def test_an_output_on_a_full_disk_is_reported_with_the_file(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("only Linux has a device that is always full")
    with pytest.raises(OSError, match="/dev/full") as raised:
        durable.write_output(Path("/dev/full"), b"content")
    assert raised.value.filename == "/dev/full"


def test_a_file_that_may_only_be_read_is_flushed(tmp_path):
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        pytest.skip("root may write every file; run the tests as another user")
    path = tmp_path / "model.keras"
    path.write_bytes(b"weights")
    path.chmod(0o444)
    durable.flush_file(path)
    assert path.read_bytes() == b"weights"
