"""The command line: `python -m engine COMMAND`, or `engram-engine COMMAND` once installed.

One module a command, imported when the command is given, so that `--help` imports nothing heavy. Results go to stdout
and nothing else does; progress and errors go to stderr.
"""

import contextlib
import importlib
import io
import os
import sys
from collections.abc import Sequence

from engine.cli import parser
from engine.cli.result import INTERRUPTED, USER_ERROR, CommandResult
from engine.cli.terminal import CLEANUP
from engine.errors import EngramError


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command.

    Args:
        arguments: the words after the program's name; those of this process when None.

    Returns:
        The exit status: 0 done, also when stopped and kept; 2 something the user can mend; 130 interrupted with nothing
        kept.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no 'β' shows '?'
    options = parser.parse(arguments)
    try:
        with CLEANUP, contextlib.redirect_stdout(sys.stderr):  # what a framework prints is no result
            outcome: CommandResult = importlib.import_module(f"engine.cli.{options.module}").run(options)
        sys.stdout.write(outcome.render(options.json))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader, such as `head`, has had enough
        return 0
    except EngramError as error:
        return _fail(str(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}.")
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        return INTERRUPTED
    return outcome.status


def _fail(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return USER_ERROR
