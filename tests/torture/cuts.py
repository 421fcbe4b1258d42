"""Cut the power, or kill the process, at a random moment of a training; resume it, and count what was lost.

A power cut is simulated as follows. The runs lie on a file system in an image file. At a random moment the training is
halted and the image is copied: it holds what has reached the disk, and nothing of the page cache. The training is
killed, the copy is mounted, which replays its journal, and the run is resumed there. One training is cut at several
moments: it goes on once its image is copied.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from engine import runs
from engine.runs import Run
from tests.torture.common import TINY, Tally, fork, last_words, mounted, require_root

IMAGE_BYTES = 400 * 2**20
EPOCHS = 2000
# What each epoch waits: a power cut loses what the system has not written yet, by itself after 5 to 30 s.
PAUSES_S = (0, 1, 5, 12, 40)
CUTS_PER_TRAINING = 4
REPORTED = re.compile(rb"epoch +(\d+)/")


@dataclass
class Outcome:
    """What one cut did: epochs that the program had reported, epochs of the resumed run before it went on."""

    reported: int
    kept: int
    is_resumed: bool
    has_model: bool
    said: str

    @property
    def is_whole(self) -> bool:
        """Return whether nothing that was reported is lost."""
        return self.is_resumed and self.has_model and self.kept >= self.reported


def find_obstacle(filesystem: str) -> str:
    """Return why no power cut can be simulated here; empty if it can."""
    if not shutil.which(f"mkfs.{filesystem}"):
        return f"mkfs.{filesystem} is not installed."
    return require_root() or ("" if Path("/dev/loop-control").exists() else "This machine has no loop devices.")


def start_training(root: Path, log: Path, pause_s: float) -> BaseProcess:
    """Start a training of many epochs."""
    log.touch()
    return fork(log, "train", *TINY, "--epochs", str(EPOCHS), "--run", "one", "--runs", str(root), pause_s=pause_s)


def reported_epochs(log: Path) -> int:
    """Return the last epoch that the program reported as complete."""
    return max((int(number) for number in REPORTED.findall(log.read_bytes())), default=0)


def wait_for_epochs(process: BaseProcess, log: Path, count: int) -> None:
    """Wait until a training has reported this many epochs."""
    while reported_epochs(log) < count:
        if not process.is_alive():
            raise SystemExit(f"The training ended: {log.read_text(errors='replace')[-500:]}")
        time.sleep(0.01)


def resume(run: Run, reported: int) -> Outcome:
    """Resume a run for one epoch more than it has, and look at what it holds."""
    checkpoints = [int(path.name[6:]) for path in run.checkpoints.glob("epoch-*")]
    try:
        with zipfile.ZipFile(run.model_path) as archive:
            has_model = archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        has_model = False
    goal = max([reported, *checkpoints]) + 1
    log = run.path.parent.parent / "log-of-resuming"
    done = fork(log, "resume", run.name, "--runs", str(run.path.parent), "--epochs", str(goal))
    done.join()
    said = log.read_text(errors="replace")
    first = re.search(r"from epoch (\d+)", said)
    kept = int(first[1]) - 1 if first else 0
    history = [row["epoch"] for row in run.history()]
    is_resumed = done.exitcode == 0 and history == list(range(1, goal + 1))
    return Outcome(reported, kept, is_resumed, has_model, last_words(said))


def cut_power(filesystem: str, folder: Path, pause_s: float, chance: random.Random) -> Iterator[Outcome]:
    """Train on a file system of its own, cut the power at some moments, resume from what was on the disk at each."""
    image, log = folder / "image", folder / "log"
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run([f"mkfs.{filesystem}", "-q", image], check=True, capture_output=True)
    cuts = []
    with mounted(folder / "mnt", "-o", "loop", image) as place:
        process = start_training(place / "runs", log, pause_s)
        for number in range(CUTS_PER_TRAINING):
            wait_for_epochs(process, log, reported_epochs(log) + chance.randint(0 if number else 1, 1))
            time.sleep(chance.uniform(0, pause_s + 0.5))
            os.kill(process.pid, signal.SIGSTOP)
            subprocess.run(["cp", "--sparse=always", image, folder / f"copy{number}"], check=True)
            cuts.append(reported_epochs(log))
            os.kill(process.pid, signal.SIGCONT)
        process.kill()
        process.join()
    image.unlink()
    for number, reported in enumerate(cuts):
        # One at a time: the copies have the same id, and no system mounts two of those.
        with mounted(folder / "mnt", "-o", "loop", folder / f"copy{number}") as place:
            yield resume(runs.Run(place / "runs" / "one"), reported)


def kill(folder: Path, pause_s: float, chance: random.Random) -> Outcome:
    """Train, kill the process, resume."""
    log = folder / "log"
    process = start_training(folder / "runs", log, pause_s)
    wait_for_epochs(process, log, 3)
    time.sleep(chance.uniform(0, pause_s + 0.5))
    process.kill()
    process.join()
    return resume(runs.Run(folder / "runs" / "one"), reported_epochs(log))


def run(mode: str, filesystems: list[str], cuts: int, seed: int) -> Tally:
    """Make a number of cuts for each file system, or of kills.

    Args:
        mode: 'power' or 'kill'.
        filesystems: ext4, xfs, btrfs; kills need none.
        cuts: for each of them; of power, rounded up to four for each length of an epoch.
        seed: of the moments.
    """
    tally, chance = Tally(mode), random.Random(seed)
    for filesystem in filesystems if mode == "power" else ["this disk"]:
        if mode == "power" and (obstacle := find_obstacle(filesystem)):
            print(f"{filesystem} skipped: {obstacle}")
            continue
        for number in range(-(-cuts // CUTS_PER_TRAINING) if mode == "power" else cuts):
            pause_s = PAUSES_S[number % len(PAUSES_S)]
            with tempfile.TemporaryDirectory(prefix="engram-torture-", ignore_cleanup_errors=True) as name:
                folder = Path(name)
                made = (
                    cut_power(filesystem, folder, pause_s, chance)
                    if mode == "power"
                    else [kill(folder, pause_s, chance)]
                )
                for outcome in made:
                    described = (
                        f"{filesystem}, epochs of {pause_s + 0.1:g} s, {outcome.reported} reported, {outcome.kept} kept"
                    )
                    tally.note(described, "" if outcome.is_whole else str(outcome))
    return tally
