"""Start of child processes: programs, and Pythons that find this engine wherever they are started."""

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_CHECK_S: Final = 0.1
HOME: Final = Path(__file__).resolve().parents[1]


def module_command(module: str, *arguments: str, ignore_warnings: bool = False) -> list[str]:
    """Return the command line that runs a module; no module of the current folder can take the place of another.

    Args:
        module: dotted name.
        arguments: what follows it.
        ignore_warnings: whether Python is silent about warnings of libraries.
    """
    quiet = ("-W", "ignore") if ignore_warnings else ()
    return [sys.executable, "-P", *quiet, "-m", module, *arguments]


def child_environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of this process with changes, in which Python finds the engine.

    Relative and empty entries of PYTHONPATH are dropped: they stand for the current folder, which may be foreign.
    """
    inherited = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(path)]
    return {**os.environ, **(changes or {}), "PYTHONPATH": os.pathsep.join([str(HOME), *inherited])}


def start_process(command: list[str], environment: Mapping[str, str] | None = None, **pipes: Any) -> Any:
    """Start a process without a window of its own.

    Args:
        command: see `module_command`.
        environment: what differs from the environment of this process.
        pipes: further arguments of `subprocess.Popen`, such as stdin.

    Returns:
        The `subprocess.Popen`.
    """
    return subprocess.Popen(command, env=child_environment(environment), creationflags=_flags(), **pipes)


def run_process(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    timeout_s: float = math.inf,
    check: Callable[[], None] = lambda: None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a process to its end, without input; return its output.

    Args:
        command: see `module_command`.
        environment: as in `start_process`.
        timeout_s: how long it may take.
        check: called several times a second; an exception that it raises ends the process.

    Raises:
        OSError: the program cannot be started.
        subprocess.TimeoutExpired: it took longer than `timeout_s` and was ended.
    """
    deadline = time.monotonic() + timeout_s
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start_process(list(command), environment, **pipes) as process:
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    output, errors = process.communicate(timeout=_CHECK_S)
                    return subprocess.CompletedProcess(command, process.returncode, output, errors)
                check()
                if time.monotonic() > deadline:
                    raise subprocess.TimeoutExpired(command, timeout_s)
        except BaseException:
            process.kill()
            raise


def _flags() -> int:
    """Return the flag that keeps Windows from opening a console."""
    return getattr(subprocess, "CREATE_NO_WINDOW", 0)
