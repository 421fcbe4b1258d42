"""What differs on macOS and Windows, played on this system."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine import durable, folders, runs
from engine.cli import activations, reconstruct
from engine.config import RunConfig
from engine.data import cache, parser_process
from engine.errors import RunError


@pytest.fixture
def windows(monkeypatch):
    """A Windows on which another process has a file open: `windows(2)` lets the third attempt to rename succeed."""
    monkeypatch.setattr(durable.sys, "platform", "win32")
    monkeypatch.setattr(durable, "RETRY_S", 0)
    replace, attempts = os.replace, []

    def start(refusals):
        def refuse(source, target):
            attempts.append(target)
            if len(attempts) <= refusals:
                raise PermissionError(13, "Access is denied", str(source))
            replace(source, target)

        monkeypatch.setattr(os, "replace", refuse)
        return attempts

    return start


def test_rename_waits_for_a_reader_on_windows(tmp_path, windows):
    attempts = windows(refusals=2)
    durable.write_text_atomic(tmp_path / "config.json", "new")
    assert (tmp_path / "config.json").read_text() == "new"
    assert len(attempts) == 3


def test_rename_that_is_never_allowed_fails(tmp_path, windows, monkeypatch):
    attempts = windows(refusals=10**9)
    monkeypatch.setattr(durable, "REPLACE_TIMEOUT_S", 0)
    with pytest.raises(PermissionError):
        durable.write_text_atomic(tmp_path / "config.json", "new")
    assert attempts


def test_rename_is_not_tried_again_elsewhere(tmp_path, windows, monkeypatch):
    attempts = windows(refusals=1)
    monkeypatch.setattr(durable.sys, "platform", "linux")
    with pytest.raises(PermissionError):
        durable.replace(tmp_path / "a", tmp_path / "b")
    assert len(attempts) == 1


def test_old_result_that_is_read_elsewhere_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "KEPT_RESULTS", 1)
    cache.write_result(tmp_path / "old.json", b"old")
    os.utime(tmp_path / "old.json", (1, 1))

    def refuse(path, missing_ok=False):
        raise PermissionError(13, "in use", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    cache.write_result(tmp_path / "new.json", b"new")
    assert (tmp_path / "new.json").read_bytes() == b"new"


@pytest.mark.parametrize("has_full_flush", [True, False])
def test_macos_flushes_the_cache_of_the_disk(tmp_path, monkeypatch, has_full_flush):
    """A file system may lack it, such as one on the network."""
    asked, flushed = [], []

    def control(descriptor, command):
        asked.append(command)
        if not has_full_flush:
            raise OSError(45, "Operation not supported")

    monkeypatch.setattr(durable, "fcntl", SimpleNamespace(F_FULLFSYNC=51, fcntl=control))
    monkeypatch.setattr(os, "fsync", flushed.append)
    with (tmp_path / "a").open("wb") as file:
        durable.flush(file.fileno())
    assert asked == [51]
    assert len(flushed) == (0 if has_full_flush else 1)


@pytest.mark.parametrize("name", ["con", "NUL", "aux.1", "com1", "Lpt9.old", "run."])
def test_name_that_windows_has_no_folder_for_is_refused(tmp_path, name):
    with pytest.raises(RunError, match="is not a valid run name"):
        runs.create_run(RunConfig(), name, tmp_path)


@pytest.mark.parametrize("name", ["a", "console", "com", "com10", "run.1", "x" * 100])
def test_other_names_are_taken(name):
    assert runs.NAME_PATTERN.fullmatch(name)


def test_outputs_never_differ_in_case_alone(monkeypatch):
    subjects = [SimpleNamespace(stem=stem) for stem in ("Head", "head", "HEAD", "brain")]
    reconstruct._make_names_unique(subjects)
    assert len({each.stem.casefold() for each in subjects}) == 4
    assert subjects[0].stem == "Head"
    scan, taken = [None], set()
    monkeypatch.setattr(activations.data, "open_scan", lambda path: scan)
    monkeypatch.setattr(activations.data, "prepare", lambda *words: None)
    run = SimpleNamespace(config=SimpleNamespace(data=None))
    stems = [activations._opened(f"{name}.png", 0, run, taken).stem for name in ("Head", "head", "HEAD")]
    assert len({stem.casefold() for stem in stems}) == 3


@pytest.mark.parametrize(
    ("platform", "environment", "end"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/engram"),
        ("linux", {}, "/home/.cache/engram"),
        ("darwin", {}, "/home/Library/Caches/engram"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/engram/cache"),
        ("win32", {}, "/home/AppData/Local/engram/cache"),
    ],
)
def test_cache_is_where_the_system_keeps_caches(monkeypatch, platform, environment, end):
    monkeypatch.setattr(folders.sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home"))
    for name in ("ENGRAM_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert folders.cache_root() == Path(end)


def test_parser_needs_no_proc(monkeypatch):
    """Windows has neither /proc nor limits nor timers of processes."""
    monkeypatch.setattr(parser_process, "_SIZES", Path("/nowhere/statm"))
    monkeypatch.setattr(parser_process, "resource", None)
    monkeypatch.setattr(parser_process, "signal", SimpleNamespace())
    request = {"module": "math", "function": "sqrt", "arguments": [4.0], "memory_bytes": 2**30, "seconds": 5.0}
    assert parser_process._reply(request) == {"value": 2.0}
