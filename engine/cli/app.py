"""`app`: open the window, or put it into the applications of the desktop."""

import importlib
from argparse import ArgumentParser, Namespace
from pathlib import Path

from engine.cli import shortcut
from engine.cli.result import CommandResult
from engine.errors import SourceNotFound

REMOVED = "The shortcut is removed:"
INSTALLED = "Engram is among the applications of your desktop now:"


def add_app(command: ArgumentParser) -> None:
    """Add the options of `app`."""
    command.description = (
        "Open the app. It needs a display; all other commands do not. --install-shortcut adds Engram with its icon to "
        "the applications of your desktop (Linux, macOS and Windows), for your user alone."
    )
    command.add_argument("paths", nargs="*", metavar="PATH", help="folder of images, image, volume or run to open")
    choice = command.add_mutually_exclusive_group()
    for name, text in (("install", "add Engram to the applications of the desktop"), ("remove", "remove it from them")):
        choice.add_argument(f"--{name}-shortcut", action="store_const", dest="shortcut", const=name, help=text)


def run(options: Namespace) -> CommandResult:
    """Open the window until it is closed, or change the shortcut."""
    if options.shortcut:
        files = shortcut.install() if options.shortcut == "install" else shortcut.remove()
        title = INSTALLED if options.shortcut == "install" else REMOVED
        text = "\n".join([title, *map(str, files)]) if files else "There is no shortcut to remove."
        return CommandResult(text, {"files": [str(file) for file in files]})
    for path in options.paths:
        if not Path(path).expanduser().exists():
            raise SourceNotFound(f"'{path}' does not exist.", "Give a folder of images, an image, a volume or a run.")
    place = ["--runs", str(options.runs)] if options.runs else []
    # The engine does not depend on the window; this command alone starts it.
    status = importlib.import_module("gui.launch").main([*place, "--", *options.paths])
    return CommandResult("", None, status)
