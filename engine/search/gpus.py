"""Assignment of this machine's GPUs to trials: each trial's process sees its own GPU alone.

File locks in the system's temporary folder mark the GPUs in use, so that several searches and workers on one machine
respect each other. The system releases the lock of a process that dies.
"""

import getpass
import itertools
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

NVIDIA_SMI = ("nvidia-smi", "--query-gpu=index", "--format=csv,noheader")
TIMEOUT_S = 10


def list_visible_gpus() -> list[str]:
    """Return the names of the usable GPUs, as `CUDA_VISIBLE_DEVICES` takes them; empty if there are none."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        return [name.strip() for name in allowed.split(",") if name.strip() not in ("", "-1")]
    try:
        listing = subprocess.run(NVIDIA_SMI, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return listing.stdout.split() if listing.returncode == 0 else []


@dataclass(frozen=True)
class GpuLease:
    """A GPU that a trial holds for as long as it holds the lock."""

    name: str
    lock: FileLock

    def release(self) -> None:
        """Release the GPU."""
        self.lock.release()


def lease_gpu(cards: Sequence[str]) -> GpuLease | None:
    """Lease the first of the GPUs with the fewest trials: one trial each first, then several.

    Args:
        cards: names of the GPUs.

    Returns:
        The lease. Returns None if there are fewer than two GPUs.
    """
    if len(cards) < 2:
        return None
    folder = Path(tempfile.gettempdir()) / f"engram-cards-{getpass.getuser()}"
    folder.mkdir(exist_ok=True)
    for depth in itertools.count():
        for name in cards:
            lock = FileLock(folder / f"{name.replace(os.sep, '-')}.{depth}", timeout=0, thread_local=False)
            try:
                lock.acquire()
            except Timeout:
                continue
            return GpuLease(name, lock)
    return None
