import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from engine.data import cache
from engine.errors import DataError
from engine.folders import cache_root


def writer(value=7, count=3, calls=None):
    """A writer of `count` images of one value that counts how often it was asked."""

    def write(folder):
        if calls is not None:
            calls.append(folder)
        np.save(folder / "images.npy", np.full((count, 4, 4), value, dtype=np.uint8))
        return cache.Index(tuple(range(count)), ("key",) * count, ((count, "damaged"),))

    return write


def refuse(folder):
    raise AssertionError("written again")


def entry(key="one"):
    return cache_root() / "images" / key


def test_the_second_time_nothing_is_written():
    first, _ = cache.fetch("one", writer())
    again, index = cache.fetch("one", refuse)
    np.testing.assert_array_equal(first, again)
    assert isinstance(again, np.memmap)
    assert not again.flags.writeable
    assert index == cache.Index((0, 1, 2), ("key",) * 3, ((3, "damaged"),))


def test_another_key_is_another_entry():
    cache.fetch("one", writer(1))
    assert cache.fetch("two", writer(2))[0][0, 0, 0] == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "images.npy").unlink(),
        lambda folder: (folder / "index.json").unlink(),
        lambda folder: os.truncate(folder / "images.npy", 150),
        lambda folder: os.truncate(folder / "index.json", 20),
        lambda folder: (folder / "images.npy").write_bytes((folder / "images.npy").read_bytes()[:-1] + b"\xff"),
        lambda folder: (folder / "index.json").write_text("{}"),
        lambda folder: (folder / "index.json").write_text("[]"),
        lambda folder: (folder / "index.json").write_text(
            (folder / "index.json").read_text().replace('"damaged"', '"mangled"')
        ),
    ],
)
def test_a_damaged_entry_is_made_again(damage):
    cache.fetch("one", writer(1))
    damage(entry())
    store, _ = cache.fetch("one", writer(2))
    assert (store == 2).all()
    assert [folder.name for folder in entry().parent.iterdir()] == ["one"]


def test_damage_in_the_middle_of_a_large_entry_is_seen_at_its_checked_blocks(monkeypatch):
    monkeypatch.setattr(cache, "_BLOCK", 64)
    monkeypatch.setattr(cache, "_BLOCKS", 4)

    def write(folder):
        np.save(folder / "images.npy", np.zeros((100, 8, 8), dtype=np.uint8))
        return cache.Index((), (), ())

    cache.fetch("one", write)
    content = bytearray((entry() / "images.npy").read_bytes())
    content[-1] = 1
    (entry() / "images.npy").write_bytes(content)
    with pytest.raises(AssertionError, match="written again"):
        cache.fetch("one", refuse)


def test_writers_at_the_same_time_all_get_a_whole_entry():
    together = threading.Barrier(4)

    def fetch(value):
        def write(folder):
            together.wait(timeout=240)
            return writer(value)(folder)

        return cache.fetch("one", write)[0]

    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(fetch, range(4)))
    assert len({store.tobytes() for store in stores}) == 1
    assert [folder.name for folder in entry().parent.iterdir()] == ["one"]


def test_a_writer_that_fails_leaves_nothing():
    with pytest.raises(AssertionError):
        cache.fetch("one", refuse)
    assert not list(entry().parent.iterdir())


def test_a_cache_that_cannot_be_written_says_what_to_do(own_cache, monkeypatch):
    file = own_cache / "file"
    file.touch()
    monkeypatch.setenv("ENGRAM_CACHE", str(file))
    with pytest.raises(DataError, match="ENGRAM_CACHE"):
        cache.fetch("one", writer())


def test_the_entries_not_wanted_for_longest_go_when_there_are_too_many(monkeypatch):
    for age, key in enumerate(["oldest", "older", "newest"]):
        cache.fetch(key, writer(count=100))
        os.utime(entry(key), (1000 * age, 1000 * age))
    cache.fetch("oldest", refuse)  # wanted again just now
    monkeypatch.setattr(cache, "LIMIT_BYTES", 7000)  # room for two
    cache.fetch("another", writer(count=100))
    assert {folder.name for folder in entry().parent.iterdir()} == {"oldest", "newest", "another"}


def test_what_a_killed_writer_left_is_removed_after_a_day():
    cache.fetch("one", writer())
    for name, time in (("new-long-ago", 0), ("new-just-now", None)):
        (entry().parent / name).mkdir()
        os.utime(entry().parent / name, None if time is None else (time, time))
    cache.fetch("two", writer())
    assert {folder.name for folder in entry().parent.iterdir()} == {"one", "two", "new-just-now"}


@pytest.mark.parametrize(
    ("platform", "place"),
    [("linux", ".cache/engram"), ("darwin", "Library/Caches/engram"), ("win32", "AppData/Local/engram/cache")],
)
def test_the_platforms_place(monkeypatch, tmp_path, platform, place):
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in ("ENGRAM_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    assert cache_root() == tmp_path / place


def test_a_result_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def fail(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        cache.write_result(tmp_path / "audits" / "one.json", b"{}")
    assert list((tmp_path / "audits").iterdir()) == []


def test_a_new_result_stays_if_the_clock_was_set_back(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "KEPT_RESULTS", 1)
    cache.write_result(tmp_path / "old.json", b"{}")
    os.utime(tmp_path / "old.json", (2**32, 2**32))
    cache.write_result(tmp_path / "new.json", b"{}")
    assert (tmp_path / "new.json").exists()
