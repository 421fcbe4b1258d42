"""Interface of the executors that run trials: this machine (`local_executor`) or a cluster (`dask_executor`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.messages import Event, Message
from engine.runs import Run

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
