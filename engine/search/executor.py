"""Executors, which run trials: their interface, and the one for this machine. For a cluster see `dask_executor`.

On this machine each trial has a process of its own; a prewarmed one, its framework imported, waits for the next trial.
Each process sees its own GPU alone. File locks in the system's temporary folder mark the GPUs in use, so that several
searches and workers on one machine respect each other. The system releases the lock of a process that dies.
"""

import getpass
import itertools
import os
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from filelock import FileLock, Timeout

from engine.child_process import module_command, run_process, start_process
from engine.errors import EngramError
from engine.messages import Event, Message, read_event
from engine.runs import Run
from engine.search.trial_worker import CUDA_VARIABLE, TrialJob

# Queueing systems, and their classes in dask_jobqueue.
JOB_QUEUES = {
    "slurm": "SLURMCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "lsf": "LSFCluster",
    "oar": "OARCluster",
    "moab": "MoabCluster",
    "htcondor": "HTCondorCluster",
}
LAST_WORDS_BYTES = 4096
NVIDIA_SMI = ("nvidia-smi", "--query-gpu=index", "--format=csv,noheader")
NVIDIA_SMI_TIMEOUT_S = 10


@dataclass(frozen=True)
class TrialTask:
    """A trial to train from the last epoch of its run.

    Args:
        number: number of the trial.
        run: the run to train.
        log: file for the output of the backend.
    """

    number: int
    run: Run
    log: Path


@dataclass(frozen=True)
class ProcessExited:
    """Exit of a trial's process; `code` is negative for a signal."""

    code: int
    last_line: str


TrialMessage = tuple[int, Event | ProcessExited]


class EventSink(Protocol):
    """Receiver of events, from any thread."""

    def put(self, item: TrialMessage, /) -> None:
        """Receive (number of the trial, event)."""


class TrialHandle(Protocol):
    """Handle on a submitted trial."""

    def send(self, message: Message) -> None:
        """Send it a command; a process that has ended ignores it."""

    def kill(self) -> None:
        """Kill its process."""

    def close(self) -> None:
        """Release the resources of a trial that has ended."""


class Executor(Protocol):
    """Executor of trials, each in a process of its own."""

    def submit(self, task: TrialTask, sink: EventSink) -> TrialHandle:
        """Submit a trial; the sink receives its events, and last its `ProcessExited`."""

    def prewarm(self, backend: str) -> None:
        """Prepare for another trial, most likely on this backend."""

    def check(self) -> None:
        """Check that the executor can still run trials.

        Raises:
            SearchError: it cannot.
        """

    def close(self) -> None:
        """Release everything, even if trials still run."""


# ---- GPUs of this machine -----------------------------------------------------------------------------------------


def list_visible_gpus() -> list[str]:
    """Return the names of the usable GPUs, as `CUDA_VISIBLE_DEVICES` takes them; empty if there are none."""
    allowed = os.environ.get(CUDA_VARIABLE)
    if allowed is not None:
        return [name.strip() for name in allowed.split(",") if name.strip() not in ("", "-1")]
    try:
        listing = run_process(NVIDIA_SMI, timeout_s=NVIDIA_SMI_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return listing.stdout.decode(errors="replace").split() if listing.returncode == 0 else []


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


# ---- this machine -------------------------------------------------------------------------------------------------


class TrialProcess:
    """A process that imports a framework and then trains the one run that it receives.

    Args:
        backend: the framework.
        log: file for its output.
        card: the only GPU that it sees; None for all of them.
    """

    def __init__(self, backend: str, log: Path, card: GpuLease | None = None) -> None:
        self.backend, self._log, self._card = backend, log, card
        seen = {} if card is None else {CUDA_VARIABLE: card.name}
        with log.open("wb") as words:
            self._process = start_process(
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
        self._cards = list_visible_gpus()
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
            process = TrialProcess(backend, task.log, lease_gpu(self._cards))
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
