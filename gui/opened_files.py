"""Files that the user opens: their kind by their path, and one image file as the explorer opened it."""

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QMimeData

from engine.data.archive_folder import is_archive
from engine.data.files import is_dicom_content
from engine.messages import OpenScanReply
from gui.formatting import describe_fit
from gui.run_record import RunRecord

KINDS = {"picture": "Image", "dicom": "DICOM", "nifti": "NIfTI", "research": "Volume"}
VOLUME_SUFFIXES = (
    ".nii", ".nii.gz", ".hdr", ".img", ".hdr.gz", ".img.gz", ".mgz", ".mgh", ".nrrd", ".nhdr", ".mha", ".mhd"
)  # fmt: skip
FIRST_FILES = 8
SIDES = {"R": "right", "L": "left", "A": "anterior", "P": "posterior", "S": "superior", "I": "inferior"}


@dataclass(frozen=True)
class DroppedPath:
    """Path and its kind; `problem` says why the app cannot open it."""

    kind: Literal["folder", "run", "scan", "volume", "none"]
    path: Path
    problem: str = ""


def paths_of(mime: QMimeData) -> list[Path]:
    """Return the local files and folders of a drag."""
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]


def classify(paths: list[Path]) -> DroppedPath:
    """Return whether the path is a run, a volume, a folder of images or an image file.

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
        return DroppedPath("volume" if holds_series(path) else "folder", path)
    if path.is_file() and is_archive(path):
        return DroppedPath("folder", path)
    if path.is_file():
        return DroppedPath("volume" if is_volume(path) else "scan", path)
    return DroppedPath("none", path, f"File or folder not found: {path}.")


def is_volume(file: Path) -> bool:
    """Return whether a file is a volume by its name, or DICOM by its first bytes."""
    if file.name.casefold().endswith(VOLUME_SUFFIXES):
        return True
    try:
        return is_dicom_content(file)
    except OSError:
        return False


def holds_series(folder: Path) -> bool:
    """Return whether a folder is a DICOM disc or series: it has a DICOMDIR, or files that are all DICOM.

    Only the first files are looked at.
    """
    try:
        if any((folder / name).is_file() for name in ("DICOMDIR", "dicomdir")):
            return True
        files = list(islice((each for each in folder.iterdir() if not each.name.startswith(".")), FIRST_FILES))
        return bool(files) and all(each.is_file() and is_dicom_content(each) for each in files)
    except OSError:
        return False


@dataclass(frozen=True)
class OpenedScan:
    """A file, its slices, and what is known of it; `slice` counts from 0, `size` is height and width in pixels."""

    path: str
    name: str
    kind: str
    slices: int
    orientation: str | None
    notes: tuple[str, ...]
    slice: int
    size: tuple[int, int] = (0, 0)

    def with_slice(self, slice_: int) -> "OpenedScan":
        """Return the same file at another slice."""
        return replace(self, slice=slice_)

    @property
    def title(self) -> str:
        return f"{self.name} · slice {self.slice + 1} of {self.slices}" if self.slices > 1 else self.name


def opened_scan_from(path: str, reply: OpenScanReply) -> OpenedScan:
    """Return the opened file of a reply at its middle slice."""
    return OpenedScan(
        path=path,
        name=reply.name,
        kind=reply.kind,
        slices=reply.slices,
        orientation="".join(reply.orientation) if reply.orientation else None,
        notes=reply.notes,
        slice=reply.slices // 2,
        size=reply.stored,
    )


def orientation_text(letters: str | None) -> str:
    """Return which side of the patient is at the left and at the top of the image."""
    if letters is None:
        return "Orientation unknown."
    left, top = letters[0], letters[2]
    return f"Image left = patient {SIDES[left]} ({left}) · image top = {SIDES[top]} ({top})"


def describe(scan: OpenedScan, run: RunRecord | None = None) -> str:
    """Return what is known of a file, and what the model of a run sees of it, one fact a line."""
    kind = KINDS.get(scan.kind, scan.kind)
    name, side = (run.name, run.config.data.size) if run and run.config else ("", 0)
    fit = [f"{describe_fit(scan.size, side, name)}."] if all(scan.size) else []
    return "\n".join([f"{kind}. {orientation_text(scan.orientation)}", *fit, *scan.notes])
