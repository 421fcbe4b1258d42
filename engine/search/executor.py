"""What a search asks of the place where its trials run: this machine (`process`) or a cluster (`cluster`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.messages import Event, Message
from engine.runs import Run

JOB_QUEUES = {  # queueing systems, and what stands for them in dask_jobqueue
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
    """A trial to be trained from where its run stands.

    Args:
        number: of the trial.
        run: what is trained.
        log: file for what the frameworks say.
    """

    number: int
    run: Run
    log: Path


@dataclass(frozen=True)
class ProcessExited:
    """A trial's process has ended; `code` is negative for a signal."""

    code: int
    last_line: str


TrialMessage = tuple[int, Event | ProcessExited]


class EventSink(Protocol):
    """Takes news, from any thread."""

    def put(self, item: TrialMessage, /) -> None:
        """Take (number of the trial, what happened)."""


class TrialHandle(Protocol):
    """A hand on a trial that has been begun."""

    def send(self, message: Message) -> None:
        """Send it a command; one that is gone hears nothing."""

    def kill(self) -> None:
        """End it by force."""

    def close(self) -> None:
        """Let go of one that is gone."""


class Executor(Protocol):
    """Where trials run, each in a process of its own."""

    def submit(self, task: TrialTask, sink: EventSink) -> TrialHandle:
        """Begin a trial; its events, and last its `ProcessExited`, go to the inbox."""

    def prewarm(self, backend: str) -> None:
        """Another trial will follow, most likely on this backend."""

    def check(self) -> None:
        """Make sure that the place is still there.

        Raises:
            SearchError: it is not.
        """

    def close(self) -> None:
        """Leave, whatever still runs there."""
