"""A process with Keras imported that trains one run after the other until it is killed, and its handle."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import engine
from engine import backend, runs
from engine.runs import Run
from tests import graphs

ROOT = Path(__file__).resolve().parents[2]


class TrainingChild:
    """The parent's side of such a process, which imports Keras at once and then waits for its jobs.

    Args:
        log: the file for what the process writes to stderr.
        python: the interpreter.
    """

    def __init__(self, log: Path, python: str) -> None:
        self._log = log
        with log.open("wb") as words:
            self._process = subprocess.Popen(
                [python, "-m", "tests.engine.training_child"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
            )

    def stop(self, run: Run, step: int) -> None:
        """Train a run until a request to stop in this step ends it; the process waits for another job."""
        assert self._send(run, "stop", step) == "ended\n", self._log.read_text()

    def kill(self, run: Run, step: int) -> None:
        """Train a run until SIGKILL ends the process in this step."""
        assert self._send(run, "kill", step) == ""
        assert self._process.wait() == -signal.SIGKILL, self._log.read_text()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _send(self, run: Run, how: str, step: int) -> str:
        self._process.stdin.write(json.dumps([str(run.path), how, step]) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


class TrainingChildren:
    """Such processes, one after the other: the first begins as every Python does, the others as forks.

    Args:
        folder: the folder for what they write to stderr.
        forking_python: the interpreter of all but the first.
    """

    def __init__(self, folder: Path, forking_python: str) -> None:
        self._folder, self._forking_python = folder, forking_python
        self._started: list[TrainingChild] = []
        self._warm: list[TrainingChild] = []

    def stop(self, run: Run, step: int) -> None:
        """Train a run in a process until a request to stop in this step ends it."""
        if not self._warm:
            self._warm.append(self._start())
        self._warm[0].stop(run, step)

    def kill(self, run: Run, step: int) -> None:
        """Train a run in a process until SIGKILL ends that in this step."""
        child = self._warm.pop(0) if self._warm else self._start()
        child.kill(run, step)

    def close(self) -> None:
        """End all of them."""
        for child in self._started:
            child.close()

    def _start(self) -> TrainingChild:
        python = self._forking_python if self._started else sys.executable
        self._started.append(TrainingChild(self._folder / f"{len(self._started)}.log", python))
        return self._started[-1]


def _work(path: str, how: str, step: int) -> None:
    asked = 0

    def hear(event):
        nonlocal asked
        if event.event == "job-started":
            asked = 1  # requests while images are read do not count

    def should_stop():
        nonlocal asked
        asked += bool(asked)
        if asked == step and how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        return asked == step

    engine.resume(runs.open_run(path), emit=hear, should_stop=should_stop)


def _main() -> None:
    backend.preload("engine.training.trainer", "tensorflow")
    graphs.simplify()
    for line in sys.stdin:
        _work(*json.loads(line))
        sys.stdout.write("ended\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()
