"""A run trained in a process of its own, as a search's trials are: its memory comes back, its death is survived."""

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


def train(run: Run, emit: Emit, wishes: StopAndPause, log: Path) -> None:
    """Train a run from where it stands, in another process, until that one says how it ended.

    Args:
        run: the run.
        emit: takes the events of the run.
        wishes: asked all the while; when stopped, the run is kept.
        log: file that takes what the process says besides; removed when it had nothing to complain of.

    Raises:
        TrainingError: the process died.
        EngramError: it refused the run.
    """
    inbox: queue.Queue[TrialMessage] = queue.Queue()
    process = TrialProcess(run.config.training.backend, log)
    process.train(TrialTask(1, run, log), inbox)
    try:
        ended, gone = _relay(process, inbox, emit, wishes)
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
    process: TrialProcess, inbox: "queue.Queue[TrialMessage]", emit: Emit, wishes: StopAndPause
) -> tuple[JobEnded | RequestFailed | None, ProcessExited]:
    """Pass events and wishes on until the process has gone; what it said of the end, and how it went."""
    ended: JobEnded | RequestFailed | None = None
    deadline, is_held = float("inf"), False
    while True:
        if deadline == float("inf") and wishes.should_stop():
            process.send(Stop())
            deadline = time.monotonic() + GRACE_S
        if is_held != wishes.is_paused():
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
