"""What the modes of `make torture` share: the command line of the engine, tiny settings, mounts, the tally."""

import contextlib
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest import mock

from engine import cli
from engine.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[2]
TINY = (
    *("--data", "phantom", "--phantom-count", "48", "--size", "32", "--batch-size", "8"),
    *("--filters", "4,8", "--latent", "4"),
)
TIMEOUT_S = 300


@dataclass
class Tally:
    """Cases of one mode, and those that went wrong."""

    mode: str
    cases: int = 0
    failures: list[str] = field(default_factory=list)

    def note(self, name: str, problem: str = "") -> None:
        """Count a case; a problem makes it a failure."""
        self.cases += 1
        if problem:
            self.failures.append(name)
        print(f"{self.mode} {self.cases}: {name}: {problem or 'as promised'}", flush=True)

    def close(self) -> int:
        """Print the sum; return the exit status."""
        print(
            f"{self.mode}: {self.cases - len(self.failures)} of {self.cases} cases as promised. {self.failures or ''}"
        )
        return 1 if self.failures or not self.cases else 0


def engine_command(*words: str) -> list[str]:
    """Return the command line of the engine."""
    return [sys.executable, "-P", "-m", "engine", *words]


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of the processes: this checkout, and a cache of its own."""
    cache = Path(tempfile.gettempdir()) / "engram-torture-cache"
    return {**os.environ, "PYTHONPATH": str(ROOT), "ENGRAM_CACHE": str(cache), **changes}


def call(*words: str, command: Sequence[str] = (), **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the engine to its end.

    Args:
        words: command line of the engine.
        command: what comes before it, such as the program that sets a limit.
        changes: of the environment.
    """
    return subprocess.run(
        [*command, *engine_command(*words)],
        cwd=ROOT,
        env=environment(**changes),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TIMEOUT_S,
        check=False,
    )


def fork(log: Path, *words: str, pause_s: float = 0.0) -> BaseProcess:
    """Start the engine in a copy of this process, which has imported everything but has not computed yet.

    Args:
        log: file for what it says.
        words: command line of the engine.
        pause_s: time that each epoch waits before it is saved, so that it lasts as long without a processor.
    """
    sys.stdout.flush()
    process = multiprocessing.get_context("fork").Process(target=_run_engine, args=(log, words, pause_s))
    process.start()
    return process


def _run_engine(log: Path, words: Sequence[str], pause_s: float) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(environment())
    finish_epoch = Trainer._finish_epoch

    def wait(trainer: Trainer, metrics: dict[str, float]) -> None:
        time.sleep(pause_s)
        finish_epoch(trainer, metrics)

    with mock.patch.object(Trainer, "_finish_epoch", wait):
        sys.exit(cli.main(words))


def last_words(text: str) -> str:
    """Return the last line of what a process said."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def find_problem(done: subprocess.CompletedProcess[str], sentence: str = "") -> str:
    """Return what is wrong with the end of a command that may fail: a traceback, a signal, or another sentence.

    Args:
        done: the command.
        sentence: pattern that its last line must have if it failed; anything if empty.
    """
    if "Traceback (most recent call last)" in done.stderr:
        return f"a traceback: {last_words(done.stderr)}"
    if done.returncode < 0:
        return f"ended by signal {-done.returncode}: {last_words(done.stderr)}"
    if done.returncode and not re.search(sentence, last_words(done.stderr)):
        return f"exit code {done.returncode}, said {last_words(done.stderr)!r}"
    return ""


@contextlib.contextmanager
def mounted(place: Path, *words: object) -> Iterator[Path]:
    """Mount a file system at a place, which is created."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", *map(str, words), place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def require_root() -> str:
    """Return why no file system can be mounted here; empty if it can."""
    return "" if sys.platform == "linux" and os.geteuid() == 0 else "This needs Linux and root, to mount file systems."
