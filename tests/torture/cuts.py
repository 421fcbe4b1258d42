"""Cut the power, or kill the process, at a random moment of a training; resume it, and count what was lost.

A power cut is simulated as follows. The runs lie on a file system in an image file. At a random moment the training is
halted and the image is copied: it holds what has reached the disk, and nothing of the page cache. The training is
killed, the copy is mounted, which replays its journal, and the run is resumed there.
"""

import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from engine import runs
from engine.runs import Run
from tests.torture.common import ROOT, TINY, Tally, call, engine_command, environment, mounted, require_root

IMAGE_BYTES = 400 * 2**20
EPOCHS = 2000
# From 0.1 s to several seconds an epoch.
LENGTHS = ((), (), ("--phantom-count", "600", "--batch-size", "2"), ("--phantom-count", "2000", "--batch-size", "1"))
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


def start_training(root: Path, log: Path, length: tuple[str, ...]) -> subprocess.Popen:
    """Start a training of many epochs."""
    command = engine_command("train", *TINY, *length, "--epochs", str(EPOCHS), "--run", "one", "--runs", str(root))
    with log.open("wb") as output:
        return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, env=environment())


def reported_epochs(log: Path) -> int:
    """Return the last epoch that the program reported as complete."""
    return max((int(number) for number in REPORTED.findall(log.read_bytes())), default=0)


def wait_for_epochs(process: subprocess.Popen, log: Path, count: int) -> None:
    """Wait until a training has reported this many epochs."""
    while reported_epochs(log) < count:
        if process.poll() is not None:
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
    done = call("resume", run.name, "--runs", str(run.path.parent), "--epochs", str(goal))
    said = done.stderr.strip().splitlines()[-1:] or [""]
    first = re.search(r"from epoch (\d+)", done.stderr)
    kept = int(first[1]) - 1 if first else 0
    history = [row["epoch"] for row in run.history()]
    is_resumed = done.returncode == 0 and history == list(range(1, goal + 1))
    return Outcome(reported, kept, is_resumed, has_model, said[0])


def cut_power(filesystem: str, folder: Path, chance: random.Random) -> Outcome:
    """Train on a file system of its own, cut the power, resume from what was on the disk."""
    image, copy, log = folder / "image", folder / "copy", folder / "log"
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run([f"mkfs.{filesystem}", "-q", image], check=True, capture_output=True)
    with mounted(folder / "mnt", "-o", "loop", image) as place:
        process = start_training(place / "runs", log, chance.choice(LENGTHS))
        wait_for_epochs(process, log, chance.randint(1, 3))
        time.sleep(chance.uniform(0, 4))
        process.send_signal(signal.SIGSTOP)
        subprocess.run(["cp", "--sparse=always", image, copy], check=True)
        reported = reported_epochs(log)
        process.kill()
        process.wait()
    image.unlink()
    with mounted(folder / "mnt", "-o", "loop", copy) as place:
        return resume(runs.Run(place / "runs" / "one"), reported)


def kill(folder: Path, chance: random.Random) -> Outcome:
    """Train, kill the process, resume."""
    log = folder / "log"
    process = start_training(folder / "runs", log, chance.choice(LENGTHS))
    wait_for_epochs(process, log, 3)
    time.sleep(chance.uniform(0, 4))
    process.kill()
    process.wait()
    return resume(runs.Run(folder / "runs" / "one"), reported_epochs(log))


def run(mode: str, filesystems: list[str], cuts: int, seed: int) -> Tally:
    """Make a number of cuts for each file system, or of kills.

    Args:
        mode: 'power' or 'kill'.
        filesystems: ext4, xfs, btrfs; kills need none.
        cuts: for each of them.
        seed: of the moments.
    """
    tally, chance = Tally(mode), random.Random(seed)
    for filesystem in filesystems if mode == "power" else ["this disk"]:
        if mode == "power" and (obstacle := find_obstacle(filesystem)):
            print(f"{filesystem} skipped: {obstacle}")
            continue
        for number in range(cuts):
            with tempfile.TemporaryDirectory(prefix="engram-torture-", ignore_cleanup_errors=True) as name:
                folder = Path(name)
                outcome = cut_power(filesystem, folder, chance) if mode == "power" else kill(folder, chance)
            tally.note(
                f"{filesystem} {number + 1}, {outcome.reported} epochs", "" if outcome.is_whole else str(outcome)
            )
    return tally
