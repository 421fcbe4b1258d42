"""The command line: `python -m engine COMMAND`, or `engram-engine COMMAND` once installed.

Each command has a module, imported when the command is given, so that `--help` imports nothing heavy. Only results go
to stdout; progress and errors go to stderr.
"""

import contextlib
import importlib
import io
import os
import sys
from collections.abc import Sequence

from engine.cli import parser
from engine.cli.console import CLEANUP
from engine.cli.result import INTERRUPTED, USER_ERROR, CommandResult
from engine.errors import EngramError
from engine.failures import describe_lack_of_memory, describe_os_error, is_out_of_memory


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after the program's name; those of this process if None.

    Returns:
        The exit status: 0 done, also if stopped and saved; 2 an error that the user can fix; 130 interrupted with
        nothing
        saved.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without 'β' shows '?'.
            stream.reconfigure(errors="replace")
    options = parser.parse(arguments)
    try:
        # The output of a framework is no result.
        with CLEANUP, contextlib.redirect_stdout(sys.stderr):
            command = getattr(importlib.import_module(f"engine.cli.{options.module}"), options.function)
            outcome: CommandResult = command(options)
        sys.stdout.write(outcome.render(options.json))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has closed the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except EngramError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(str(describe_os_error(error)))
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        return INTERRUPTED
    except Exception as error:
        if is_out_of_memory(error):
            return _fail(str(describe_lack_of_memory()))
        raise
    return outcome.status


def _fail(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return USER_ERROR
