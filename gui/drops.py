"""Files dropped on the window or given on the command line, classified by their path."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QMimeData


@dataclass(frozen=True)
class DroppedPath:
    """Path and its kind; `problem` says why the app cannot open it."""

    kind: Literal["folder", "run", "scan", "none"]
    path: Path
    problem: str = ""


def paths_of(mime: QMimeData) -> list[Path]:
    """Return the local files and folders of a drag."""
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]


def classify(paths: list[Path]) -> DroppedPath:
    """Return whether the path is a run, a folder of images or an image file.

    The reader decides later whether it can open the file.
    """
    if not paths:
        return DroppedPath("none", Path(), "Only files and folders on this computer can be opened.")
    path = paths[0]
    if len(paths) > 1:
        return DroppedPath(
            "none",
            path,
            f"You dropped {len(paths)} items. Drop one item at a time: a folder of images, an image, or a run.",
        )
    if (path / "config.json").is_file() and (path / "events.jsonl").is_file():
        return DroppedPath("run", path)
    if path.is_dir():
        return DroppedPath("folder", path)
    if path.is_file():
        return DroppedPath("scan", path)
    return DroppedPath("none", path, f"File or folder not found: {path}.")
