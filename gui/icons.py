"""Line icons of resources/icons, tinted at run time.

A tinted icon is a small SVG file of this process. Qt renders it crisply at every scale, and style sheets, which accept
only files, use the same icons.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from PySide6.QtGui import QIcon

SOURCES = Path(__file__).parents[1] / "resources" / "icons"


@cache
def _tinted_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="engram-icons-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def icon_file(name: str, colour: str) -> Path:
    """Return the SVG file of an icon in one color (#rrggbb)."""
    drawing = (SOURCES / f"{name}.svg").read_text(encoding="utf-8")
    path = _tinted_folder() / f"{name}-{colour.lstrip('#')}.svg"
    path.write_text(drawing.replace("currentColor", colour), encoding="utf-8")
    return path


def icon(name: str, colour: str, on: str | None = None) -> QIcon:
    """Return an icon in one color; `on` is its color while its button is checked."""
    tinted = QIcon(str(icon_file(name, colour)))
    if on is not None:
        tinted.addFile(str(icon_file(name, on)), state=QIcon.State.On)
    return tinted
