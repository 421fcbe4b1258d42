"""The process of one trial: `python -m engine.search.trial RUN`. Trains the run from where it stands and ends.

Events go out on stdout; `Stop`, `Pause` and `Continue` come in on stdin, and when stdin closes, whoever searches is
gone and so is this process. All its memory goes back with it.
"""

import io
import os
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from engine import runs, training
from engine.control import Control
from engine.errors import EngramError
from engine.messages import Continued, Event, Paused, Refused, read_command

ORPHAN_S = 60.0  # how long a process of an earlier search may take to notice that it is alone


def main() -> None:
    """Train the run that the command line names."""
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    run, lock = runs.open(Path(sys.argv[1])), threading.Lock()

    def emit(event: Event) -> None:
        with lock:
            events.write(event.line().encode())
            events.flush()

    control = Control(lambda: emit(Paused(run=run.name)), lambda: emit(Continued(run=run.name)))
    threading.Thread(target=_listen, args=(io.FileIO(0, closefd=False), control), daemon=True).start()
    since = time.monotonic()
    while run.is_busy() and time.monotonic() - since < ORPHAN_S:
        time.sleep(0.1)
    try:
        training.resume(run, emit=emit, should_stop=control.should_stop)
    except EngramError as error:
        emit(Refused(reason=error.what, advice=error.advice))
    os._exit(0)  # nothing is left to tidy up, and a framework's threads may take their time


def _listen(lines: Iterable[bytes], control: Control) -> None:
    for line in lines:
        control.obey(read_command(line))
    os._exit(0)


if __name__ == "__main__":
    main()
