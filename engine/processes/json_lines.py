"""Server of an engine process: commands come in on stdin, events go out on stdout, one JSON object a line.

Stdout belongs to the events alone: the output of a framework goes to stderr. When stdin closes, the app is gone and the
process ends at once.
"""

import argparse
import io
import os
import queue
import sys
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import IO

from engine import backend
from engine.config import TrainingConfig
from engine.errors import EngramError, describe_unexpected
from engine.messages import Event, Message, Ready, RequestFailed, read_command


class FailureGuard:
    """Context that reports any failure of one request or job, so that the process survives for the next ones.

    Args:
        report: takes the failure as a readable error; the traceback goes to stderr, which is the log.
    """

    def __init__(self, report: Callable[[EngramError], None]) -> None:
        self._report = report

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if not isinstance(error, EngramError):
            traceback.print_exception(error)
        self._report(describe_unexpected(error))
        return True


class JsonLinesServer(ABC):
    """Reads commands in a thread and handles them one by one in the main thread.

    Args:
        commands: lines of commands.
        events: takes lines of events, from any thread.
    """

    def __init__(self, commands: Iterable[bytes], events: IO[bytes]) -> None:
        self._commands, self._events = commands, events
        self._lock = threading.Lock()
        self._queue: queue.Queue[Message] = queue.Queue()

    def emit(self, event: Event) -> None:
        """Write one event line."""
        with self._lock:
            self._events.write(event.to_json_line().encode())
            self._events.flush()

    def serve(self) -> None:
        """Handle commands until stdin closes."""
        threading.Thread(target=self._read, daemon=True).start()
        while True:
            self._handle(self._next())

    def _read(self) -> None:
        for line in self._commands:
            with FailureGuard(self._refuse):
                self._receive(read_command(line))
        os._exit(0)

    def _refuse(self, error: EngramError) -> None:
        self.emit(RequestFailed(reason=error.what, advice=error.advice))

    def _receive(self, command: Message) -> None:
        """Take a command in the reading thread. Raises EngramError if it cannot be carried out."""
        self._queue.put(command)

    def _next(self) -> Message:
        """Return the next command for the main thread."""
        return self._queue.get()

    @abstractmethod
    def wait_until_free(self) -> None:
        """Wait until the backend may be imported, which slows down all else in the process."""

    @abstractmethod
    def _handle(self, command: Message) -> None:
        """Carry out a command in the main thread."""


MakeServer = Callable[[Iterable[bytes], IO[bytes], Path], JsonLinesServer]


def run_server(make_server: MakeServer, arguments: list[str] | None = None) -> None:
    """Run a server on this process's pipes until stdin closes; import its backend meanwhile.

    Args:
        make_server: builds it from lines of commands, the stream of events, and the folder for arrays.
        arguments: the command line; None stands for that of this process.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scratch", type=Path, required=True, help="folder for arrays that do not fit into a line")
    parser.add_argument("--backend", default="tensorflow", help="Keras backend")
    parser.add_argument("--threads", type=int, default=0, help="number of CPU threads; 0 = all")
    options = parser.parse_args(arguments)
    options.scratch.mkdir(parents=True, exist_ok=True)
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    # Without a buffer, so that no lock is held when the process ends.
    commands = io.FileIO(0, closefd=False)
    server = make_server(commands, events, options.scratch)
    threading.Thread(target=warm_up, args=(server, options.backend, options.threads)).start()
    server.serve()


def warm_up(server: JsonLinesServer, name: str, threads: int) -> None:
    """Import a backend and the models, then emit `Ready`; emit `RequestFailed` if that is not possible."""
    server.wait_until_free()
    settings = TrainingConfig.model_validate({"backend": name, "threads": threads, "deterministic": False})
    try:
        backend.import_on_backend("engine.models", settings)
    except EngramError as error:
        server.emit(RequestFailed(reason=error.what, advice=error.advice))
        return
    server.emit(Ready(backend=name, device=backend.device(), versions=backend.versions(name)))
