"""The processes of trials, found by what they run and by the locks that they hold (Linux)."""

import os
import select
from pathlib import Path


def children(process):
    """The processes of trials that a process has started."""
    return [each for each in trial_processes() if parent(each) == process]


def parent(process):
    """Who started a process; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def holds(process, path):
    """Whether a process holds the lock of a run."""
    return str(path / "lock") in held_files(process)


def wait_for_end(process):
    """Wait until a process is gone that this one has not started."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return
    assert select.select([descriptor], [], [], 60)[0], "it lives on"
    os.close(descriptor)


def holder(path):
    """The process that trains a run; 0 when there is none."""
    return next((process for process in trial_processes() if holds(process, path)), 0)


def trial_processes():
    """Every process of a trial, those that wait for one included."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        found += [int(process.name)] * (b"engine.search.trial_worker" in words)
    return found


def held_files(process):
    """The files that a process has open; none when it is gone."""
    try:
        return [os.readlink(each) for each in Path(f"/proc/{process}/fd").iterdir()]
    except OSError:
        return []
