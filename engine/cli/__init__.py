"""The command line: `engram COMMAND`; also `engram-engine COMMAND` and `python -m engine COMMAND`.

Each command has a module, imported when the command is given, so that `--help` imports nothing heavy. Only results go
to stdout; progress and errors go to stderr.
"""

import contextlib
import importlib
import io
import os
import platform
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from types import FrameType

from engine import __version__
from engine.cli import parser
from engine.cli.program import CLEANUP, INTERRUPTED, NOT_FOUND, USER_ERROR, Verbosity, quit_now
from engine.errors import (
    EngramError,
    RunNotFound,
    ScanNotFound,
    SearchNotFound,
    SourceNotFound,
    describe_lack_of_memory,
    describe_os_error,
    is_out_of_memory,
)
from engine.formatting import make_printable
from engine.job_context import importing, is_importing

MISSING = (RunNotFound, SearchNotFound, SourceNotFound, ScanNotFound, FileNotFoundError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after the program's name; those of this process if None.

    Returns:
        The exit status: see `engine.cli.program.EXIT_STATUS`.
    """
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without 'β' shows '?'.
            stream.reconfigure(errors="replace")
    try:
        with _quit_while_importing():
            with importing():
                options = parser.parse(arguments)
                command = getattr(importlib.import_module(f"engine.cli.{options.module}"), options.function)
            Verbosity.level = options.verbosity
            # The output of a framework is no result.
            with CLEANUP, _report_time(), contextlib.redirect_stdout(sys.stderr):
                outcome = command(options)
        # The names of files and runs may hold commands for the terminal.
        sys.stdout.write(make_printable(outcome.render(options.json)))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has closed the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (EngramError, OSError) as error:
        return _fail(error)
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        return INTERRUPTED
    except Exception as error:
        if is_out_of_memory(error):
            return _fail(describe_lack_of_memory())
        raise
    return int(outcome.status)


def _open_closed_streams() -> None:
    """Open the null device as each standard stream that is closed, as by `>&-`; a file would take its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


@contextlib.contextmanager
def _quit_while_importing() -> Iterator[None]:
    """Let Ctrl-C end the process at once while it imports libraries; else it raises KeyboardInterrupt as ever."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        yield
        return
    # The terminal, even if an importing framework redirects descriptor 2.
    stderr = os.dup(2)

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        if is_importing():
            quit_now(number, stderr)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(stderr)


@contextlib.contextmanager
def _report_time() -> Iterator[None]:
    """Write versions before a command and its time after it, if the user wants details."""
    if not Verbosity.is_verbose():
        yield
        return
    # Before TensorFlow is imported: it says what it does too.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0")
    began = time.monotonic()
    sys.stderr.write(f"Engram {__version__}, Python {platform.python_version()}, {platform.platform()}\n")
    try:
        yield
    finally:
        sys.stderr.write(f"Took {time.monotonic() - began:.1f} s.\n")


def _fail(error: EngramError | OSError) -> int:
    if Verbosity.is_verbose():
        traceback.print_exception(error)
    shown = describe_os_error(error) if isinstance(error, OSError) else error
    with contextlib.suppress(OSError):  # a full disk, or a reader that is gone
        sys.stderr.write(make_printable(f"{shown}\n"))
    return NOT_FOUND if isinstance(error, MISSING) else USER_ERROR
