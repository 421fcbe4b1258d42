"""The program: `engram`, or `python -m engine`."""

import importlib
import os
import signal
import sys


def main() -> int:
    """Run the command line as a program, whose process ends with it."""
    # Until a command runs, the system itself ends the process, without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    cli, program = map(importlib.import_module, ("engine.cli", "engine.cli.program"))
    status: int = cli.main()
    if status == program.INTERRUPTED or program.Interruption.is_heard:
        # A framework takes a second to be taken apart.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
