"""A run trained in an engine process of its own, so that its memory comes back and its death is survived."""

import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

from engine import config
from engine.errors import EngramError, TrainingError
from engine.messages import Emit, Event, JobEnded, Message, Refused, Resume, ShouldStop, Stop, read_event
from engine.runs import Run

LOOK_S = 0.1
GRACE_S = 60.0


def train(run: Run, emit: Emit, should_stop: ShouldStop, log: Path) -> None:
    """Train a run from where it stands, in another process, until that one says how it ended.

    Args:
        run: the run.
        emit: takes the events of the run.
        should_stop: asked all the while; the run is then stopped and kept.
        log: file that takes what the process says besides.

    Raises:
        TrainingError: the process died.
        EngramError: it refused the run.
    """
    training = run.config.training
    with tempfile.TemporaryDirectory() as scratch, log.open("ab") as said:
        words = ["-m", "engine.worker", "--scratch", scratch, "--backend", training.backend]
        process = subprocess.Popen(
            [sys.executable, *words, "--threads", str(training.threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the study, which passes it on as a wish
        )
        with process:
            try:
                _Follower(process, run, emit).follow(should_stop)
            finally:
                _end(process)


class _Follower:
    """Reads the events of an engine process and tells it to stop."""

    def __init__(self, process: subprocess.Popen[bytes], run: Run, emit: Emit) -> None:
        self.process, self.run, self.emit = process, run, emit
        self._events: queue.Queue[Event | None] = queue.Queue()
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()
        self._send(Resume(run=str(run.path)))

    def follow(self, should_stop: ShouldStop) -> None:
        """Pass events on until the run has ended."""
        deadline = float("inf")
        while True:
            if deadline == float("inf") and should_stop():
                self._send(Stop())
                deadline = time.monotonic() + GRACE_S
            if time.monotonic() > deadline:
                self.process.kill()
            try:
                event = self._events.get(timeout=LOOK_S)
            except queue.Empty:
                continue
            if event is None:
                raise self._death()
            self.emit(event)
            if isinstance(event, JobEnded):
                return
            if isinstance(event, Refused):
                raise EngramError(event.reason, event.advice)

    def _read(self, lines: IO[bytes]) -> None:
        for line in lines:
            try:
                self._events.put(read_event(line))
            except EngramError:
                continue  # a library that writes to the bare descriptor
        self._events.put(None)

    def _send(self, message: Message) -> None:
        stdin = self.process.stdin
        try:
            if stdin:
                stdin.write(message.line().encode())
                stdin.flush()
        except BrokenPipeError:
            pass  # it is dead: the end of its events says so

    def _death(self) -> TrainingError:
        code = self.process.wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        advice = "Its complete epochs are kept; start the study again to go on."
        return TrainingError(f"The engine process that trained {self.run.name} ended unexpectedly ({how}).", advice)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Closing its stdin ends it; when it does not listen, force does."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _environment() -> dict[str, str]:
    """This process's environment, in which a Python finds this engine wherever it is started."""
    home = str(Path(config.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}
