"""Process of one trial: `python -m engine.search.trial_worker BACKEND`.

It imports the framework, waits for its run on stdin, trains it from its last epoch, and exits, which frees all its
memory. Events go to stdout. On stdin arrive a `TrialJob`, then `Stop`, `Pause` and `Continue`. When stdin closes, the
search has ended, and the process exits too.
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

# A process of an earlier search, or of a lost worker, may take this long to release the lock of its run.
LOCK_TIMEOUT_S = 120.0
CUDA_VARIABLE = "CUDA_VISIBLE_DEVICES"


class TrialJob(Message):
    """Command with the run to train, and the file for the output of the backend from then on."""

    order: Literal["trial"] = "trial"
    run: str
    log: str


def main() -> None:
    """Train the run that stdin names."""
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    # The trial itself reports the error.
    with suppress(BackendError):
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
    # Nothing is left to clean up, and a framework's threads may take their time.
    os._exit(0)


def _read_job(lines: io.FileIO) -> TrialJob:
    """Wait for the command; exit if stdin closes before it."""
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
