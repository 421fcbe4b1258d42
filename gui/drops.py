"""What was dropped on the window, or given on the command line, told from its path."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QMimeData


@dataclass(frozen=True)
class DroppedPath:
    """A path and what to do with it; `problem` says why nothing can be done."""

    kind: Literal["folder", "run", "scan", "none"]
    path: Path
    problem: str = ""


def paths_of(mime: QMimeData) -> list[Path]:
    """Return the local files and folders of a drag."""
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]


def classify(paths: list[Path]) -> DroppedPath:
    """Tell a run, a folder of scans and a single scan apart; whether a scan can be opened, its reader says later."""
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
