"""One call of the program: its name, how much it says, its exit status, and what it undoes on the terminal.

It imports little, so that `engram --help` is quick.
"""

import os
import sys
from contextlib import ExitStack, suppress
from pathlib import PurePath
from typing import Final, NoReturn

from engine.formatting import quote as quote

DONE, USER_ERROR, NOT_FOUND, CHECK_FAILED, PARTIAL, INTERRUPTED = 0, 2, 3, 4, 5, 130
EXIT_STATUS: Final = {
    "0": "done; also a run that was stopped (Ctrl-C or SIGTERM) and saved",
    "1": "internal error (please report it), or no display for the app",
    "2": "usage or input error",
    "3": "not found: a run, a search, a dataset or a file",
    "4": "a check failed: the backends differ (parity)",
    "5": "partly done: some of the given images could not be opened",
    "130": "interrupted, nothing saved",
    "143": "ended by SIGTERM while there was nothing to save, or by a second one",
}
# Entered by every command: what to undo on the terminal before its result or error is printed.
CLEANUP: Final = ExitStack()


def find_name(called: str) -> str:
    """Return the name by which the user called the program.

    Args:
        called: the first word of the command line, `sys.argv[0]`.

    Examples:
        >>> find_name("/usr/bin/engram-engine"), find_name("/src/engine/__main__.py"), find_name("pytest")
        ('engram-engine', 'python -m engine', 'engram')
    """
    path = PurePath(called)
    if called == "-m" or path.parts[-2:] == ("engine", "__main__.py"):
        return "python -m engine"
    return "engram-engine" if path.stem == "engram-engine" else "engram"


class Interruption:
    """Whether Ctrl-C or SIGTERM has stopped the job of this process."""

    is_heard = False


def quit_now(number: int, stderr: int) -> NoReturn:
    """End the process without its usual end, which a library that is half imported delays.

    Args:
        number: the signal that asks for it.
        stderr: file descriptor for a note.
    """
    with suppress(OSError):
        os.write(stderr, b"\nInterrupted.\n")
    os._exit(128 + number)


PROGRAM: Final = find_name(sys.argv[0])


def rate_outcome(done: int, failed: int) -> int:
    """Return the exit status of a command on several files, of which some failed.

    Example:
        >>> rate_outcome(2, 0), rate_outcome(1, 1), rate_outcome(0, 2)
        (0, 5, 2)
    """
    return DONE if not failed else PARTIAL if done else USER_ERROR


class Verbosity:
    """How much commands write to stderr: results and errors always, progress unless quiet, details if verbose."""

    level = "normal"

    @classmethod
    def is_quiet(cls) -> bool:
        """Return whether only warnings and errors are written."""
        return cls.level == "quiet"

    @classmethod
    def is_verbose(cls) -> bool:
        """Return whether versions, times and tracebacks are written too."""
        return cls.level == "verbose"
