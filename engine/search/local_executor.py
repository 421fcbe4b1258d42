"""Trials on this machine: a process each, and a prewarmed one, its framework imported, for the next trial."""

import subprocess
import threading
from pathlib import Path
from typing import IO

from engine.child_process import module_command, start_module
from engine.errors import EngramError
from engine.messages import Message, read_event
from engine.search import gpus
from engine.search.executor import EventSink, ProcessExited, TrialTask
from engine.search.gpus import GpuLease
from engine.search.trial_worker import TrialJob

LAST_WORDS_BYTES = 4096


class TrialProcess:
    """A process that imports a framework and then trains the one run that it receives.

    Args:
        backend: the framework.
        log: file for its output.
        card: the only GPU that it sees; None for all of them.
    """

    def __init__(self, backend: str, log: Path, card: GpuLease | None = None) -> None:
        self.backend, self._log, self._card = backend, log, card
        seen = {} if card is None else {"CUDA_VISIBLE_DEVICES": card.name}
        with log.open("wb") as words:
            self._process = start_module(
                module_command("engine.search.trial_worker", backend),
                {**seen, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                # Ctrl-C goes to the search, which then stops its trials.
                start_new_session=True,
            )

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        return self._process.poll() is None

    def train(self, task: TrialTask, sink: EventSink) -> None:
        """Send it its run; the sink receives its events, and last its `ProcessExited`."""
        self.send(TrialJob(run=str(task.run.path), log=str(task.log)))
        threading.Thread(target=self._listen, args=(task, sink), daemon=True).start()

    def _listen(self, task: TrialTask, sink: EventSink) -> None:
        with _stream(self._process.stdout) as lines:
            for line in lines:
                try:
                    sink.put((task.number, read_event(line)))
                except EngramError:
                    # A library wrote to the bare descriptor.
                    continue
        code = self._process.wait()
        sink.put((task.number, ProcessExited(code, last_line(task.log) or last_line(self._log))))

    def send(self, message: Message) -> None:
        """Send it a command; a process that has ended ignores it."""
        try:
            stdin = _stream(self._process.stdin)
            stdin.write(message.to_json_line().encode())
            stdin.flush()
        except (OSError, ValueError):
            return

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()

    def close(self) -> None:
        """Release the resources of a process that has ended."""
        if self._card is not None:
            self._card.release()
        try:
            _stream(self._process.stdin).close()
        except OSError:
            # The pipe broke with unsent data.
            return

    def terminate(self) -> None:
        """Kill a process that waits for its run."""
        self.kill()
        self._process.communicate()


class LocalExecutor:
    """Executor for parallel trials on this machine, which share its GPUs.

    Args:
        folder: folder for the log of the prewarmed process.
        prewarm: whether to start the process of the next trial early. It holds the memory of its framework (0.4 to
            0.8 GB). There is none with several GPUs, since a framework may choose its GPU as soon as it is imported.
    """

    def __init__(self, folder: Path, prewarm: bool = True) -> None:
        self._cards = gpus.list_visible_gpus()
        self._prewarms = prewarm and len(self._cards) <= 1
        self._log = folder / "spare.log"
        self._spare: TrialProcess | None = None

    def submit(self, task: TrialTask, sink: EventSink) -> TrialProcess:
        """Start a trial, in the prewarmed process if it has the right backend."""
        backend = task.run.config.training.backend
        process, self._spare = self._spare, None
        if process is not None and not (process.backend == backend and process.is_alive()):
            process.terminate()
            process = None
        if process is None:
            process = TrialProcess(backend, task.log, gpus.lease_gpu(self._cards))
        process.train(task, sink)
        return process

    def prewarm(self, backend: str) -> None:
        """Start the process of the next trial early."""
        if self._prewarms and self._spare is None:
            self._spare = TrialProcess(backend, self._log)

    def check(self) -> None:
        """Do nothing: this machine is always available."""

    def close(self) -> None:
        """End the prewarmed process."""
        if self._spare is not None:
            self._spare.terminate()
        self._spare = None
        self._log.unlink(missing_ok=True)


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the process has no such pipe")
    return stream


def last_line(log: Path) -> str:
    """Return the last line of a log, empty if there is none."""
    try:
        text = log.read_bytes()[-LAST_WORDS_BYTES:].decode(errors="replace")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
