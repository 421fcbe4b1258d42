"""Command that opens the app. It imports Qt only after a display has answered."""

import argparse
import os
import signal
import sys
from pathlib import Path

from engine import __version__
from gui import display


def main(arguments: list[str] | None = None) -> int:
    """Open the window and return the exit code once it is closed."""
    options = parse(arguments)
    if obstacle := display.find_obstacle():
        sys.exit(obstacle)
    if options.runs:
        os.environ["ENGRAM_RUNS"] = str(options.runs.absolute())
    # Python's own handler would wait for the event loop to return.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from gui.app import run
    except ImportError as error:
        sys.exit(f"Qt could not be loaded: {error}. Install its system libraries: python scripts/qt_libraries.py")
    return run(options.path)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line; `--help` and `--version` print and exit."""
    parser = argparse.ArgumentParser(
        prog="engram app", description="Train, inspect and stress-test autoencoders on brain MRI slices."
    )
    parser.add_argument("path", nargs="*", type=Path, help="folder of images, image, volume or run to open")
    parser.add_argument("--runs", type=Path, help="folder of the runs")
    parser.add_argument("--version", action="version", version=f"Engram {__version__}")
    return parser.parse_args(arguments)
