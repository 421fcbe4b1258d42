"""One engine process: it takes commands and emits events, and it never outlives the window."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from engine.child_process import child_environment, module_command
from engine.errors import EngramError

if TYPE_CHECKING:
    from engine.messages import Event, Message

GRACE_MS = 3000
LAST_WORDS_BYTES = 4096
TRACE_VARIABLE: Final = "ENGRAM_TRACE"
TRACE_FILE: Final = "trace.jsonl"
# Sent by the kernel when memory runs out; `signal` has no name for it on Windows.
SIGKILL = 9

EXPLORER_BACKEND = "tensorflow"
MODULES = {"job": "engine.processes.training_worker", "explorer": "engine.processes.explorer_worker"}


@dataclass(frozen=True)
class ProcessExit:
    """How an engine process ended, and whether the app asked for it."""

    code: int
    crashed: bool
    wanted: bool
    last_words: str

    @property
    def sentence(self) -> str:
        """Return the message for the user about an unexpected exit."""
        if self.crashed:
            often = ", often out of memory" if self.code == SIGKILL else ""
            return f"The engine crashed (signal {self.code}{often})."
        said = f" Last message: {self.last_words}" if self.last_words else ""
        return f"The engine stopped unexpectedly (exit code {self.code}).{said}"


class LineTrace:
    """Appends the lines between the app and one engine process to a file, one JSON object a line.

    Args:
        process: name of the engine process.
        find_file: finds the file again for every line, since the runs folder may change.
    """

    def __init__(self, process: str, find_file: Callable[[], Path]) -> None:
        self._process, self._find_file = process, find_file

    def record(self, direction: Literal["command", "event"], line: bytes) -> None:
        """Append a line with its time (UTC) and direction. A file that cannot be written is no reason to stop."""
        text = line.decode(errors="replace").rstrip("\n")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = {"time": now, "process": self._process, "direction": direction, "line": _read_json(text)}
        with suppress(OSError):
            file = self._find_file()
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8", errors="backslashreplace") as trace:
                trace.write(json.dumps(entry, ensure_ascii=False) + "\n")


def make_trace(process: str, find_folder: Callable[[], Path]) -> LineTrace | None:
    """Make the trace that ENGRAM_TRACE asks for: 1 for the runs folder, else a path. Returns None if it is not set.

    Args:
        process: name of the engine process.
        find_folder: finds the current runs folder.
    """
    wanted = os.environ.get(TRACE_VARIABLE, "")
    if wanted in ("", "0"):
        return None
    if wanted == "1":
        return LineTrace(process, lambda: find_folder() / TRACE_FILE)
    path = Path(wanted).expanduser().absolute()
    return LineTrace(process, lambda: path / TRACE_FILE if path.is_dir() else path)


def _read_json(text: str) -> object:
    """Return the content of a JSON line, or the text itself if it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


class EngineProcess(QObject):
    """Handle of an engine process, 'job' or 'explorer'; closing its stdin, on purpose or not, ends it."""

    event_received = Signal(object)
    ended = Signal(object)

    def __init__(self, name: str, scratch: Path, backend: str, threads: int = 0, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.backend, self.threads = backend, threads
        self.log = scratch / f"{name}.log"
        self._buffer = b""
        self._exit_expected = False
        self._log_start = 0
        self.trace: LineTrace | None = None
        settings = ("--scratch", str(scratch / name), "--backend", backend, "--threads", str(threads))
        self._process = make_process(module_command(MODULES[name], *settings), self)
        self._process.setStandardErrorFile(str(self.log), QProcess.OpenModeFlag.Append)
        self._process.readyReadStandardOutput.connect(self._on_output)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)

    def start(self) -> None:
        # The log goes on behind the words of an earlier process.
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self._process.start()

    @property
    def pid(self) -> int:
        """Return the process ID, 0 if there is no process."""
        return int(self._process.processId())

    def is_running(self) -> bool:
        return self._process.state() != QProcess.ProcessState.NotRunning

    def send(self, message: "Message") -> None:
        line = message.to_json_line().encode()
        if self.trace is not None:
            self.trace.record("command", line)
        self._process.write(line)

    def close(self, grace_ms: int = GRACE_MS) -> None:
        """End the process by closing its stdin; kill it after a grace period."""
        self._exit_expected = True
        self._process.closeWriteChannel()
        QTimer.singleShot(grace_ms, self, self.kill)

    def detach(self) -> None:
        """End the process and emit nothing more about it."""
        self.event_received.disconnect()
        self.ended.disconnect()
        self.ended.connect(self.deleteLater)
        self.close()

    def kill(self) -> None:
        """Kill the process now."""
        self._exit_expected = True
        if self.is_running():
            self._process.kill()

    def shutdown(self, wait_ms: int = GRACE_MS) -> None:
        """Close the process and wait for its exit, as the last step before the window closes."""
        self._exit_expected = True
        self._process.closeWriteChannel()
        if self.is_running() and not self._process.waitForFinished(wait_ms):
            self._process.kill()
            self._process.waitForFinished(wait_ms)

    def _on_output(self) -> None:
        *lines, self._buffer = (self._buffer + self._process.readAllStandardOutput().data()).split(b"\n")
        for line in lines:
            if self.trace is not None:
                self.trace.record("event", line)
            event = _event(line)
            if event is not None:
                self.event_received.emit(event)

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._on_output()
        crashed = status == QProcess.ExitStatus.CrashExit
        self.ended.emit(ProcessExit(code, crashed, self._exit_expected, last_line(self.log, self._log_start)))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.ended.emit(ProcessExit(127, False, self._exit_expected, self._process.errorString()))


def _event(line: bytes) -> "Event | None":
    """Parse one line; return None for other output, such as that of a library that writes to the descriptor."""
    from engine.messages import read_event

    try:
        return read_event(line)
    except EngramError:
        return None


def make_process(command: list[str], parent: QObject | None = None) -> QProcess:
    """Make the process of a command, which is not started yet; a Python finds the engine in it."""
    made, environment = QProcess(parent), QProcessEnvironment()
    for name, value in child_environment({"PYTHONUNBUFFERED": "1"}).items():
        environment.insert(name, value)
    made.setProgram(command[0])
    made.setArguments(command[1:])
    made.setProcessEnvironment(environment)
    return made


def last_line(log: Path, start: int = 0) -> str:
    """Return the last line of a process's log that begins at a byte, empty if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - LAST_WORDS_BYTES, start))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def resident_bytes(pid: int) -> int | None:
    """Return the resident memory of a process from /proc, or None on systems without it."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
