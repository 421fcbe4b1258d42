"""The GPUs of this machine, dealt out to trials: the process of a trial sees the card it is given alone.

Who has a card is said by locks in the system's folder for scratch, so that searches and workers beside each other on
one machine know of each other; the system takes the lock from a process that dies.
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
    """Names of the cards that may be used, as `CUDA_VISIBLE_DEVICES` takes them; empty where there are none."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        return [name.strip() for name in allowed.split(",") if name.strip() not in ("", "-1")]
    try:
        told = subprocess.run(NVIDIA_SMI, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return told.stdout.split() if told.returncode == 0 else []


@dataclass(frozen=True)
class GpuLease:
    """A card that a trial has, for as long as the lock is held."""

    name: str
    lock: FileLock

    def release(self) -> None:
        """Give it back."""
        self.lock.release()


def lease_gpu(cards: Sequence[str]) -> GpuLease | None:
    """Take the first card that the fewest trials have: one each, then several to a card.

    Args:
        cards: their names.

    Returns:
        The card; None where there is no choice.
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
