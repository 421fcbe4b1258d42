"""The process of one trial: `python -m engine.search.trial_worker BACKEND`.

It imports the framework, waits for its run on stdin, trains that from where it stands, and ends; all its memory goes
back with it. Events go out on stdout; first an `TrialJob`, then `Stop`, `Pause` and `Continue` come in on stdin, and
when stdin closes, whoever searches is gone and so is this process.
"""

import io
import os
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from engine import backend, runs
from engine.errors import BackendError, EngramError
from engine.job_control import JobControl
from engine.messages import Continued, Event, Log, Message, Paused, RequestFailed, read_command
from engine.training import job

LOCK_TIMEOUT_S = (
    120.0  # how long a process of an earlier search, or of a worker that is lost, may take to let its run go
)
CUDA_VARIABLE = "CUDA_VISIBLE_DEVICES"


class TrialJob(Message):
    """The run to train, and the file for what the frameworks say from now on."""

    order: Literal["trial"] = "trial"
    run: str
    log: str


def main() -> None:
    """Train the run that stdin names."""
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    with suppress(BackendError):  # the trial itself says so
        backend.preload("engine.training.trainer", sys.argv[1])
    lines = io.FileIO(0, closefd=False)
    command = _read_job(lines)
    run, lock = runs.open_run(Path(command.run)), threading.Lock()

    def emit(event: Event) -> None:
        with lock:
            events.write(event.to_json_line().encode())
            events.flush()

    control = JobControl(lambda: emit(Paused(run=run.name)), lambda: emit(Continued(run=run.name)))
    threading.Thread(target=_listen, args=(lines, control), daemon=True).start()
    if cards := os.environ.get(CUDA_VARIABLE):
        emit(Log(text=f"{run.name} uses GPU {cards}."))
    since = time.monotonic()
    while run.is_busy() and time.monotonic() - since < LOCK_TIMEOUT_S:
        time.sleep(0.1)
    try:
        job.resume(run, emit=emit, should_stop=control.should_stop)
    except EngramError as error:
        emit(RequestFailed(reason=error.what, advice=error.advice))
    os._exit(0)  # nothing is left to tidy up, and a framework's threads may take their time


def _read_job(lines: io.FileIO) -> TrialJob:
    """Wait for the order; one that never comes ends the process."""
    line = lines.readline()
    if not line:
        os._exit(0)
    command = TrialJob.model_validate_json(line)
    with open(command.log, "wb") as log:
        os.dup2(log.fileno(), 2)
        os.dup2(log.fileno(), 1)
    return command


def _listen(lines: Iterable[bytes], control: JobControl) -> None:
    for line in lines:
        control.handle(read_command(line))
    os._exit(0)


if __name__ == "__main__":
    main()
