"""A patient's decoded pixels do not stay behind."""

import os
import subprocess
import sys
import tempfile

import pytest

from engine.data import scan_scratch


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_by(process, folder, name="abc"):
    made = folder / f"{scan_scratch.PREFIX}{process}{name}"
    made.mkdir()
    (made / "pixels.npy").write_bytes(b"pixels")
    return made


def ended_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return f"{process.pid}-"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot ask whether a process lives without ending it")
def test_folders_of_ended_processes_are_removed_and_those_of_living_ones_stay(temporary):
    gone, mine = left_by(ended_process(), temporary), left_by(f"{os.getpid()}-", temporary)
    other = temporary / "engram-window-1"
    other.mkdir()
    with scan_scratch.scan_folder() as folder:
        assert folder.parent == temporary
        assert sorted(temporary.iterdir()) == sorted([mine, other, folder])
    assert not folder.exists()
    assert not gone.exists()


def test_folders_without_a_process_are_removed_after_a_day(temporary):
    old, new = left_by("", temporary, "old"), left_by("", temporary, "new")
    os.utime(old, (0, 0))
    scan_scratch.remove_abandoned()
    assert (old.exists(), new.exists()) == (False, True)


def test_a_link_is_not_followed(temporary, tmp_path_factory):
    victim = tmp_path_factory.mktemp("victim")
    (victim / "kept").touch()
    (temporary / f"{scan_scratch.PREFIX}{ended_process()}x").symlink_to(victim)
    scan_scratch.remove_abandoned()
    assert (victim / "kept").exists()
