"""Stamps of files: alike only where the files cannot have changed."""

import os

from gui.run_repository import SETTLED_NS, stamp


def settle(file, more_ns=0):
    """Let a file look as if it was written long ago."""
    os.utime(file, ns=(0, 10**18 + more_ns))


def test_settled_files_have_a_stamp_that_changes_with_each(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("1")
    settle(first)
    seen = [stamp(first, second)]
    second.write_text("2")
    settle(second)
    seen.append(stamp(first, second))
    settle(first, 1)
    seen.append(stamp(first, second))
    second.write_text("22")
    settle(second)
    seen.append(stamp(first, second))
    assert None not in seen
    assert len(set(seen)) == 4
    assert stamp(first, second) == seen[-1]


def test_file_written_just_now_has_none(tmp_path):
    file = tmp_path / "file"
    file.write_text("1")
    assert stamp(file) is None
    written = file.stat().st_mtime_ns
    os.utime(file, ns=(0, written + SETTLED_NS))  # a clock of another machine, which is ahead
    assert stamp(file) is None
