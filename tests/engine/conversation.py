"""What tests say to a worker and hear from it: a real engine process, or a worker served by threads of the test."""

import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from engine import messages
from engine.messages import Ready
from engine.processes.explorer_worker import ExplorerWorker

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 240


class Conversation:
    """Commands out, events in."""

    def __init__(self):
        self.lines = queue.Queue()

    def send(self, *commands):
        """Send commands in one piece."""
        self.write(b"".join(command.to_json_line().encode() for command in commands))

    def wait_for(self, kind, **values):
        """Return the next event of a kind; everything else is passed over."""
        while line := self.lines.get(timeout=TIMEOUT_S):
            event = messages.read_event(line)
            if isinstance(event, kind) and all(getattr(event, name) == value for name, value in values.items()):
                return event
        self.lines.put(b"")
        raise AssertionError(f"the engine process ended before {kind}")


class Child(Conversation):
    """A real engine process.

    Args:
        scratch: folder for its arrays.
        kind: 'training' or 'explorer'.
        python: the interpreter.
    """

    def __init__(self, scratch, kind, python=sys.executable):
        super().__init__()
        command = [python, "-m", f"engine.processes.{kind}_worker", "--scratch", str(scratch)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        threading.Thread(target=self._read, daemon=True).start()
        self.ready = self.wait_for(Ready)

    def write(self, lines):
        """Write to its stdin."""
        self.process.stdin.write(lines)
        self.process.stdin.flush()

    def close(self):
        """Close its stdin, as a window that is gone does; return its exit code."""
        self.process.stdin.close()
        return self.process.wait(TIMEOUT_S)

    def kill(self):
        """End it by force."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.process.stdout.close()
        self.lines.put(b"")


class InProcess(Conversation):
    """An explorer that threads of this process serve, without a framework; a context that ends with them.

    Args:
        scratch: folder for its arrays.
    """

    def __init__(self, scratch):
        super().__init__()
        self._commands = queue.Queue()
        self.worker = _EndingWorker(self._arriving(), _Events(self.lines), scratch)
        self._serving = threading.Thread(target=self.worker.serve, daemon=True)

    def __enter__(self):
        self._serving.start()
        return self

    def __exit__(self, *_):
        self._commands.put(None)
        self.worker.end()
        self._serving.join(TIMEOUT_S)
        assert not self._serving.is_alive()

    def write(self, lines):
        """Let its reader find these lines."""
        for line in lines.splitlines(keepends=True):
            self._commands.put(line)

    def interrupt(self, number, command):
        """Let a command arrive while the request of this number is being answered."""
        explorer, inbox = self.worker.explorer, self.worker._queue
        should_stop, waiting = explorer.should_stop, [command]

        def should_stop_after_arrival():
            if waiting and self.worker._current.number == number:
                self.send(waiting.pop())
                with inbox.not_empty:
                    assert inbox.not_empty.wait_for(lambda: inbox.queue, TIMEOUT_S)
            return should_stop()

        explorer.should_stop = should_stop_after_arrival

    def _arriving(self):
        while (line := self._commands.get()) is not None:
            yield line
        raise SystemExit  # ends the reading thread alone; the end of the lines would end the process


class _Events:
    """The stdout of a worker, as a queue of lines."""

    def __init__(self, lines):
        self._lines = lines

    def write(self, line):
        self._lines.put(line)

    def flush(self):
        """Nothing is buffered."""


class _EndingWorker(ExplorerWorker):
    """A worker that can be told to end, which a process does by exiting."""

    def end(self):
        """End after the commands that wait."""
        self._queue.put(None)

    def serve(self):
        with suppress(SystemExit):
            super().serve()

    def _read(self):
        with suppress(SystemExit):
            super()._read()

    def _handle(self, command):
        if command is None:
            raise SystemExit
        super()._handle(command)
