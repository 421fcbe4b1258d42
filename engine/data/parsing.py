"""Parsing of the files of a dataset in a pool of limited processes: a file that breaks a limit costs only its process.

The processes live as long as there is work, and for `IDLE_S` after it. A file gets `SECONDS` of processor time, a
volume more for each of its frames, so that a busy machine leaves nothing out; only what waits, such as for a pipe, is
given up after `WAIT_FACTOR` times as long. It gets little memory first; a file that needs more is tried again, alone,
with `MEMORY_BYTES`. A file that broke a limit is not tried again as long as it is unchanged.
"""

import atexit
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from engine.child_process import module_command, start_process
from engine.data.decoded_image import UnreadableFile
from engine.data.parallel import is_abandoned
from engine.data.parser_process import TIME_SIGNAL, read_message, write_message

SECONDS: Final = 9.0
WAIT_FACTOR: Final = 20.0  # by which a machine may be too busy
SECONDS_PER_FRAME: Final = 0.25
MEMORY_BYTES: Final = 7 * 2**27  # with the libraries of the process, less than a gigabyte
MEMORY_BYTES_PER_FRAME: Final = 2**23
MAX_MEMORY_BYTES: Final = 3 * 2**30
LITTLE_BYTES: Final = 2**28
IDLE_S: Final = 20.0
_CHECK_S: Final = 0.1
_THREADS: Final = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
_MEMORY: Final = {"memory": True}  # the reply of a process that had not enough, or ended
_TOO_MUCH: Final = "it could not be read; it is damaged, or needs too much memory"
_Identity = tuple[Any, ...]
_broken: Final[dict[_Identity, str]] = {}
_one_at_a_time: Final = threading.Lock()


class _Task:
    """A request with its limit of processor time, and the reason why its process was ended."""

    def __init__(self, request: dict[str, Any], seconds: float) -> None:
        self._request, self._seconds = request, seconds
        self._deadline = 0.0
        self.is_abandoned = is_abandoned()
        self.problem = ""

    def start(self, memory_bytes: int) -> dict[str, Any]:
        """Start the clock; return the message for the process."""
        self._deadline = time.monotonic() + WAIT_FACTOR * self._seconds
        return {**self._request, "memory_bytes": memory_bytes, "seconds": self._seconds}

    def end(self) -> None:
        """Say that its process took too much time."""
        self.problem = f"reading it takes longer than {self._seconds:g} s"

    def must_end(self) -> bool:
        """Return whether its process must be ended."""
        if self.is_abandoned():
            self.problem = "it is no longer wanted"
        elif time.monotonic() > self._deadline:
            self.end()
        return bool(self.problem)


class _Parser:
    """A process of the pool; its task is None while it is idle."""

    def __init__(self) -> None:
        command = module_command("engine.data.parser_process", ignore_warnings=True)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self._process: subprocess.Popen[bytes] = start_process(command, _THREADS, **pipes)
        self.task: _Task | None = None
        self.idle_since = 0.0

    def ask(self, task: _Task, memory_bytes: int) -> Any:
        """Return the reply to a request.

        Raises:
            OSError, EOFError, ValueError: the process has ended.
        """
        requests, replies = cast(BinaryIO, self._process.stdin), cast(BinaryIO, self._process.stdout)
        if not self.idle_since:
            read_message(replies)  # it is ready
        message = task.start(memory_bytes)
        self.task = task
        try:
            write_message(requests, message)
            return read_message(replies)
        finally:
            self.task = None
            self.idle_since = time.monotonic()

    def kill(self) -> None:
        """End the process; a caller that waits for its reply receives an error."""
        self._process.kill()

    def close(self) -> None:
        """End the process and close its pipes."""
        self.kill()
        with suppress(OSError):
            self._process.communicate()

    def used_its_time(self) -> bool:
        """Return whether the operating system ended the process because it took too much processor time."""
        self.kill()  # if it still runs, it broke no limit
        return TIME_SIGNAL is not None and self._process.wait() == -TIME_SIGNAL


class _Pool:
    """The processes; threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Parser] = []
        self._parsers: set[_Parser] = set()
        self._watch: threading.Thread | None = None
        atexit.register(self.close)

    def ask(self, task: _Task, memory_bytes: int) -> dict[str, Any]:
        """Return the reply of a process: `value`, `reason`, or `memory` if it ended or had not enough memory."""
        if task.is_abandoned():
            task.must_end()
            return _MEMORY
        parser = self._take()
        try:
            reply: dict[str, Any] = parser.ask(task, memory_bytes)
        except (OSError, EOFError, ValueError):
            reply = _MEMORY
            if parser.used_its_time():
                task.end()
        except BaseException:  # Ctrl-C
            self._drop(parser)
            raise
        if "memory" in reply:
            self._drop(parser)
        else:
            with self._lock:
                self._idle.append(parser)
        return reply

    def close(self) -> None:
        """End all processes."""
        for parser in list(self._parsers):
            self._drop(parser)

    def _take(self) -> _Parser:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            parser = _Parser()
            self._parsers.add(parser)
            if self._watch is None:
                self._watch = threading.Thread(target=self._end_slow, name="parsers", daemon=True)
                self._watch.start()
        return parser

    def _drop(self, parser: _Parser) -> None:
        with self._lock:
            self._parsers.discard(parser)
            if parser in self._idle:
                self._idle.remove(parser)
        parser.close()

    def _end_slow(self) -> None:
        """End processes that took too long, and those that have been idle for long."""
        while True:
            time.sleep(_CHECK_S)
            with self._lock:
                unused = [each for each in self._idle if time.monotonic() - each.idle_since > IDLE_S]
                self._idle = [each for each in self._idle if each not in unused]
                self._parsers.difference_update(unused)
                is_last = not self._parsers
                if is_last:
                    self._watch = None
                for parser in self._parsers:
                    if (task := parser.task) and task.must_end():
                        parser.kill()
            for parser in unused:
                parser.close()
            if is_last:
                return


_pool: Final = _Pool()


def parse(function: Callable[..., Any], file: Path | None, *arguments: Any, frames: int = 1) -> Any:
    """Call a function in a limited process.

    Args:
        function: a function of a module, that reads one file.
        file: its first argument; None if the content of a file is among the others.
        arguments: the others: JSON values, arrays and paths; sequences become tuples.
        frames: frames of the file, by which the limits grow.

    Returns:
        Its result; a data class comes as the dictionary of its fields.

    Raises:
        UnreadableFile: the function raised it, the file cannot be opened, it broke a limit, or is no longer wanted.
    """
    identity = _identify(file)
    if identity and (reason := _broken.get(identity)):
        raise UnreadableFile(reason)
    request = {
        "module": function.__module__,
        "function": function.__name__,
        "arguments": arguments if file is None else (file, *arguments),
    }
    task = _Task(request, SECONDS + SECONDS_PER_FRAME * (frames - 1))
    reply = _pool.ask(task, LITTLE_BYTES) if frames == 1 else _MEMORY
    if "memory" in reply and not task.problem:
        with _one_at_a_time:
            memory_bytes = min(MEMORY_BYTES + MEMORY_BYTES_PER_FRAME * (frames - 1), MAX_MEMORY_BYTES)
            reply = _pool.ask(task, memory_bytes)
    if "value" in reply:
        return reply["value"]
    why = task.problem or str(reply.get("reason", _TOO_MUCH))
    if identity and "memory" in reply and not task.is_abandoned():
        _broken[identity] = why
    raise UnreadableFile(why)


def _identify(file: Path | None) -> _Identity | None:
    """Return what changes with the content of a file."""
    if file is None:
        return None
    with suppress(OSError):
        known = file.stat()
        return file, known.st_ino, known.st_size, known.st_mtime_ns
    return None
