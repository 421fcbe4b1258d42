"""What to undo on the terminal before a command's result or error is printed."""

from contextlib import ExitStack
from typing import Final

# A module of its own: `--help` enters it, and must not import rich.
CLEANUP: Final = ExitStack()
