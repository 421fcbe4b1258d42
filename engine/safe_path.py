"""First import of the engine: take the current folder out of Python's search path, where it may be a stranger's.

`python -m engine` puts the current folder first, so a json.py or numpy.py in a data folder would run. `python -P -m
engine` and the installed commands do not. This module imports only what Python has loaded before it.
"""

import os
import sys


def drop_current_folder() -> None:
    """Remove the current folder from the search path if `python -m` put it there; that of this package stays."""
    # While `-m` looks for its module, that is the name of the program.
    if sys.argv[:1] != ["-m"] or sys.flags.safe_path:
        return
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    current = sys.path[0]
    sys.path[:] = [place for place in sys.path if place == home or place not in ("", ".", current)]


drop_current_folder()
