"""Training of a run in a process of its own, as in a search, which frees its memory and contains a crash."""

import queue
import time
from pathlib import Path

from engine.errors import EngramError, TrainingError
from engine.messages import Continue, Emit, JobEnded, Pause, RequestFailed, Stop
from engine.runs import Run
from engine.search.executor import ProcessExited, TrialMessage, TrialTask
from engine.search.local_executor import TrialProcess
from engine.search.runner import StopAndPause

LOOK_S = 0.1
GRACE_S = 60.0


def train(run: Run, emit: Emit, control: StopAndPause, log: Path) -> None:
    """Train a run from its last epoch in another process, until that process reports the end.

    Args:
        run: the run.
        emit: receives the events of the run.
        control: polled throughout; a stop keeps the run.
        log: file for the other output of the process; removed unless the process crashes.

    Raises:
        TrainingError: the process crashed.
        EngramError: the run cannot be trained.
    """
    inbox: queue.Queue[TrialMessage] = queue.Queue()
    process = TrialProcess(run.config.training.backend, log)
    process.train(TrialTask(1, run, log), inbox)
    try:
        ended, gone = _relay(process, inbox, emit, control)
    finally:
        process.kill()
        process.close()
    if ended is None:
        how = f"signal {-gone.code}" if gone.code < 0 else f"exit code {gone.code}"
        advice = "Completed epochs are saved; start the study again to resume."
        raise TrainingError(f"The process that trained {run.name} ended unexpectedly ({how}).", advice)
    log.unlink(missing_ok=True)
    if isinstance(ended, RequestFailed):
        raise EngramError(ended.reason, ended.advice)


def _relay(
    process: TrialProcess, inbox: "queue.Queue[TrialMessage]", emit: Emit, control: StopAndPause
) -> tuple[JobEnded | RequestFailed | None, ProcessExited]:
    """Pass on events and commands until the process exits; return its last event and its exit."""
    ended: JobEnded | RequestFailed | None = None
    deadline, is_held = float("inf"), False
    while True:
        if deadline == float("inf") and control.should_stop():
            process.send(Stop())
            deadline = time.monotonic() + GRACE_S
        if is_held != control.is_paused():
            is_held = not is_held
            process.send(Pause() if is_held else Continue())
        if time.monotonic() > deadline:
            process.kill()
        try:
            _, news = inbox.get(timeout=LOOK_S)
        except queue.Empty:
            continue
        if isinstance(news, ProcessExited):
            return ended, news
        if isinstance(news, (JobEnded, RequestFailed)):
            ended = news
        emit(news)
