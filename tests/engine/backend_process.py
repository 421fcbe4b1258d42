"""A process that computes with one Keras backend and runs the code that tests send it, and its handle."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class BackendProcess:
    """The parent's side of such a process, which imports its backend once for many pieces of code.

    Args:
        backend: the name of the backend.
        log: the file for what the process writes to stderr.
    """

    def __init__(self, backend: str, log: Path) -> None:
        self._log = log
        with log.open("wb") as words:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.engine.backend_process"],
                cwd=ROOT,
                env={**os.environ, "KERAS_BACKEND": backend},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
            )

    def run(self, code: str, *arguments: str) -> str:
        """Run code whose `sys.argv` ends with these arguments; return what it prints to `sys.stdout`."""
        self._process.stdin.write(json.dumps([code, arguments]) + "\n")
        self._process.stdin.flush()
        printed = self._process.stdout.readline()
        assert printed, f"the process has ended with {self._process.wait()}:\n{self._log.read_text()}"
        return json.loads(printed)

    def is_alive(self) -> bool:
        """Return whether it can run more code; code that raises ends it."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def run_code(code: str, arguments: Sequence[str]) -> str:
    """Run code in this process, as `BackendProcess.run`."""
    sys.argv = ["-c", *arguments]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "<code of a test>", "exec"), {"__name__": "__main__"})
    return printed.getvalue()


def _main() -> None:
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a framework writes to the bare descriptor is no reply
    for line in sys.stdin:
        replies.write(json.dumps(run_code(*json.loads(line))) + "\n")
        replies.flush()


if __name__ == "__main__":
    _main()
