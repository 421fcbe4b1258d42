"""Cut the power or kill a training at random moments, resume it, and count what was lost.

    python scripts/torture.py power --filesystem ext4 --cuts 6    (root, Linux: a loop-mounted file system)
    python scripts/torture.py kill --cuts 6

A power cut is simulated as follows. The runs lie on a file system in an image file. At a random moment the training is
halted and the image is copied: it holds what has reached the disk, and nothing of the page cache. The training is
killed, the copy is mounted, which replays its journal, and the run is resumed there.
"""

import argparse
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from engine import runs  # noqa: E402
from engine.runs import Run  # noqa: E402

IMAGE_BYTES = 400 * 2**20
TINY = (
    *("--data", "phantom", "--phantom-count", "48", "--size", "32", "--batch-size", "8"),
    *("--filters", "4,8", "--latent", "4"),
)
EPOCHS = 2000
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
    if sys.platform != "linux" or os.geteuid() != 0:
        return "Power cuts need Linux and root, to mount an image."
    if not shutil.which(f"mkfs.{filesystem}"):
        return f"mkfs.{filesystem} is not installed."
    if not Path("/dev/loop-control").exists():
        return "This machine has no loop devices."
    return ""


@contextlib.contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    """Mount an image."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def engine_command(*words: str) -> list[str]:
    """Return the command line of the engine."""
    return [sys.executable, "-m", "engine", *words]


def start_training(root: Path, log: Path) -> subprocess.Popen:
    """Start a training of many short epochs."""
    command = engine_command("train", *TINY, "--epochs", str(EPOCHS), "--run", "one", "--runs", str(root))
    with log.open("wb") as output:
        return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, env=environment())


def environment() -> dict[str, str]:
    """Return the environment of the processes: this checkout, and a cache of its own."""
    cache = Path(tempfile.gettempdir()) / "engram-torture-cache"
    return {**os.environ, "PYTHONPATH": str(ROOT), "ENGRAM_CACHE": str(cache)}


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
    command = engine_command("resume", run.name, "--runs", str(run.path.parent), "--epochs", str(goal))
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, check=False)
    said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [""]
    first = re.search(rb"from epoch (\d+)", done.stderr)
    kept = int(first[1]) - 1 if first else 0
    history = [row["epoch"] for row in run.history()]
    is_resumed = done.returncode == 0 and history == list(range(1, goal + 1))
    return Outcome(reported, kept, is_resumed, has_model, said[0])


def cut_power(filesystem: str, folder: Path, chance: random.Random) -> Outcome:
    """Train on a file system of its own, cut the power, resume from what was on the disk."""
    image, copy, log = folder / "image", folder / "copy", folder / "log"
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run([f"mkfs.{filesystem}", "-q", image], check=True)
    with mounted(image, folder / "mnt") as place:
        process = start_training(place / "runs", log)
        wait_for_epochs(process, log, 3)
        time.sleep(chance.uniform(0, 4))
        process.send_signal(signal.SIGSTOP)
        shutil.copyfile(image, copy)
        reported = reported_epochs(log)
        process.kill()
        process.wait()
    image.unlink()
    with mounted(copy, folder / "mnt") as place:
        return resume(runs.Run(place / "runs" / "one"), reported)


def kill(folder: Path, chance: random.Random) -> Outcome:
    """Train, kill the process, resume."""
    log = folder / "log"
    process = start_training(folder / "runs", log)
    wait_for_epochs(process, log, 3)
    time.sleep(chance.uniform(0, 4))
    process.kill()
    process.wait()
    return resume(runs.Run(folder / "runs" / "one"), reported_epochs(log))


def main() -> int:
    """Print one line for each cut, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=("power", "kill"))
    parser.add_argument("--filesystem", default="ext4", help="ext4, xfs or btrfs")
    parser.add_argument("--cuts", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.mode == "power" and (obstacle := find_obstacle(options.filesystem)):
        print(f"Skipped: {obstacle}")
        return 0
    chance, outcomes = random.Random(options.seed), []
    for number in range(options.cuts):
        with tempfile.TemporaryDirectory(prefix="engram-torture-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            power = options.mode == "power"
            outcomes.append(cut_power(options.filesystem, folder, chance) if power else kill(folder, chance))
        print(f"{number + 1}: {outcomes[-1]}", flush=True)
    whole = sum(outcome.is_whole for outcome in outcomes)
    print(f"{whole} of {len(outcomes)} lost nothing that was reported.")
    return 0 if whole == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
