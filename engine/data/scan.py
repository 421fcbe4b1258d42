"""One file: an image, a DICOM file or a NIfTI volume, parsed in a disposable process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.child_process import module_command, run_process
from engine.data.decoded_image import UnreadableFile
from engine.data.files import FileFormat, detect_format, find_folder_of
from engine.data.foreign_files import describe_foreign
from engine.data.scan_scratch import scan_folder
from engine.data.volume_grid import VolumeGrid
from engine.errors import ScanError, ScanNotFound

try:
    import resource
except ImportError:  # Windows has none
    resource = None  # type: ignore[assignment]


Orientation = tuple[str, str, str, str]
MAX_VOXELS: Final = 2**27  # 512 x 512 x 512
MAX_SPACING_RATIO: Final = 20.0  # pixels are not believed to be higher than this times their width, or wider
BLANK_SLICE: Final = "This slice has one gray value only."
BLANK_VOLUME: Final = "All slices have one gray value only."
WHAT_OPENS: Final = (
    "Engram opens PNG, JPEG, BMP and TIFF images, DICOM files, and NIfTI (.nii, .nii.gz, .hdr with .img), FreeSurfer, "
    "NRRD and MetaImage volumes."
)
_READERS: Final[dict[FileFormat, str]] = {
    "picture": "engine.data.raster",
    "dicom": "engine.data.dicom",
    "nifti": "engine.data.nifti",
    "research": "engine.data.research_volumes",
}


# By which more time may pass than a process works; Windows does not limit the work.
_BUSY: Final = 1.5 if resource is None else 10.0


@dataclass(frozen=True)
class Limits:
    """Limits on the time and memory for reading one file.

    The operating system enforces the limits of memory and processor time on Linux and partly on macOS; on Windows only
    the sizes in a file's header are checked and the time is limited.
    """

    memory_bytes: int = 3 * 2**30
    cpu_s: int = 20
    wall_s: float = _BUSY * 20
    file_bytes: int = 2 * 2**30


_SERIES_READER: Final = "engine.data.series_folder"
_VIEW_READERS: Final[dict[FileFormat, str]] = {
    "dicom": "engine.data.dicom_view",
    "nifti": "engine.data.nifti_view",
    "research": "engine.data.nifti_view",
}
_SECONDS_PER_MIB, _MAX_MORE_SECONDS = 2.0, 150.0
_PICTURE_LIMITS: Final = Limits(cpu_s=10, wall_s=_BUSY * 10)  # a large one takes two; thousands of pages take minutes
_SERIES_LIMITS: Final = Limits(cpu_s=120, wall_s=_BUSY * 120)  # for hundreds of files


@dataclass(frozen=True, eq=False)
class Scan:
    """Slices of one file, as displayed.

    Args:
        pixels: float32 (slices, height, width) in [0, 1].
        name: file name.
        kind: 'picture', 'dicom' or 'nifti'.
        orientation: letters at the left, right, top and bottom edge (R, L, A, P, S, I); None when unknown.
        spacing_mm: millimeters from row to row and from column to column; None when unknown.
        slice_spacing_mm: millimeters from slice to slice; None when unknown.
        notes: sentences on automatic decisions, such as the window that was applied.
        pixel_aspect: height of a pixel divided by its width, where the file says only this.
        grid: how the slices lie in the voxels of the file; None for an image.
    """

    pixels: NDArray[np.float32]
    name: str
    kind: FileFormat
    orientation: Orientation | None = None
    spacing_mm: tuple[float, float] | None = None
    slice_spacing_mm: float | None = None
    notes: tuple[str, ...] = ()
    pixel_aspect: float = 1.0
    grid: VolumeGrid | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def aspect(self) -> float:
        """Return the height of a pixel divided by its width; 1 if unknown."""
        return self.spacing_mm[0] / self.spacing_mm[1] if self.spacing_mm else self.pixel_aspect

    def is_blank(self, index: int) -> bool:
        """Return whether a slice has one gray value only; then PSNR and SSIM say nothing.

        Examples:
            >>> Scan(np.zeros((1, 2, 2), np.float32), "a.png", "picture").is_blank(0)
            True
        """
        return float(np.ptp(self.slice(index))) == 0

    def slice_notes(self, index: int) -> tuple[str, ...]:
        """Return the notes, and one more if a slice is blank."""
        return (*self.notes, BLANK_SLICE) if self.is_blank(index) and BLANK_SLICE not in self.notes else self.notes

    def slice(self, index: int) -> NDArray[np.float32]:
        """Return one slice.

        Args:
            index: 0 to len(scan) - 1.

        Returns:
            float32 (height, width) in [0, 1].

        Raises:
            ScanError: the index is out of range.
        """
        if not 0 <= index < len(self):
            raise ScanError(f"{self.name} has no slice {index}.", f"Its slices are numbered from 0 to {len(self) - 1}.")
        return self.pixels[index]


def open_scan(
    path: str | os.PathLike[str], limits: Limits | None = None, volume: int | None = None, series: str = ""
) -> Scan:
    """Open one image, DICOM file or NIfTI volume, or a DICOM series of a folder, a disc or a zip archive.

    The file is untrusted, so a separate process parses it, which can be killed: its header is checked first, and memory
    and time are limited.

    Args:
        path: the file or the folder.
        limits: limits on time and memory; by default large files have more time, and folders still more.
        volume: volume of a file of several, counted from 1. The first one of a NIfTI file is opened if it is None, and
            all stacks of a DICOM file, one after the other.
        series: number, description, UID or modality of a series in a folder; empty if it holds only one.

    Returns:
        Its slices, in the order of the file (NIfTI: from foot to head, back to front, or left to right; DICOM frames
        with positions: sorted by them).

    Raises:
        ScanError: the file does not exist, has another format, is damaged, is too large, or has no such volume; the
            folder holds no series, or several ones.

    Example:
        scan = open_scan("head.png")
        print(scan.name, len(scan), scan.slice(0).shape)
    """
    file = Path(path).expanduser().absolute()
    folder = find_folder_of(file)
    if folder.is_dir():
        scan = _read_scan(_SERIES_READER, folder, limits or _SERIES_LIMITS, (volume, series), file.name)
        return replace(scan, name=file.name)
    kind = _checked_kind(file, limits or Limits())
    usual = _PICTURE_LIMITS if kind == "picture" else _grow_limits(file.stat().st_size)
    return _read_scan(_READERS[kind], file, limits or usual, volume, file.name)


def read_view(path: str | os.PathLike[str], target: Path, series: int = 0, volume: int = 1) -> dict[str, Any]:
    """Write the values of one volume to a file, in a disposable process; see `engine.data.viewed_volume`.

    Args:
        path: the file, or the folder of DICOM series.
        target: the new file, ending in .npy: float32 (slices, rows, columns).
        series: series of a folder, counted from 1; the one with the most slices if it is 0.
        volume: volume of the file or series, counted from 1.

    Returns:
        The fields of a `ViewedVolume`, but for its pixels, as JSON has them.

    Raises:
        ScanError: as in `open_scan`; also for an image that is no volume.
    """
    file = find_folder_of(Path(path).expanduser().absolute())
    kind: FileFormat = "dicom" if file.is_dir() else _checked_kind(file, Limits())
    if kind not in _VIEW_READERS:
        raise make_scan_error(file.name, "it is an image, not a volume")
    arguments = [str(file), str(target), json.dumps(asdict(_SERIES_LIMITS)), json.dumps([series, volume])]
    answer = _parse_in_child(_VIEW_READERS[kind], arguments, _SERIES_LIMITS.wall_s)
    if reason := answer.get("reason"):
        target.unlink(missing_ok=True)
        raise make_scan_error(file.name, reason)
    return answer


def _grow_limits(size: int) -> Limits:
    """Return the limits for a file of this size in bytes; hundreds of compressed frames take over half a minute."""
    more = min(_SECONDS_PER_MIB * size / 2**20, _MAX_MORE_SECONDS)
    return Limits(cpu_s=Limits.cpu_s + int(more), wall_s=Limits.wall_s + _BUSY * more)


def _read_scan(reader: str, file: Path, limits: Limits, choice: int | tuple[int | None, str] | None, name: str) -> Scan:
    """Let a disposable process read a file or a folder, which errors call by a name."""
    with scan_folder() as folder:
        pixels = folder / "pixels.npy"
        arguments = [str(file), str(pixels), json.dumps(asdict(limits)), json.dumps(choice)]
        answer = _parse_in_child(reader, arguments, limits.wall_s)
        if reason := answer.get("reason"):
            raise make_scan_error(name, reason)
        for field in ("orientation", "spacing_mm", "notes"):
            answer[field] = tuple(answer[field]) if answer[field] is not None else None
        answer["grid"] = answer["grid"] and VolumeGrid.from_json(answer["grid"])
        return Scan(pixels=np.load(pixels, allow_pickle=False), **answer)


def make_scan_error(name: str, reason: str) -> ScanError:
    """Return the error of a file that cannot be opened, with the formats that can."""
    return ScanError(f"'{name}' cannot be opened: {reason}.", WHAT_OPENS)


def _checked_kind(file: Path, limits: Limits) -> FileFormat:
    """Return the format of a file, after checking its size."""
    if not file.is_file():
        raise ScanNotFound(f"There is no file '{file}'.", "Check the name; it may have been moved.")
    try:
        size, kind = file.stat().st_size, detect_format(file)
    except OSError as error:
        raise make_scan_error(file.name, error.strerror or str(error)) from error
    if not size or size > limits.file_bytes:
        raise make_scan_error(
            file.name, f"it is larger than {limits.file_bytes / 2**30:.0f} GB" if size else "it is empty"
        )
    if kind is None:
        what = describe_foreign(file)
        raise make_scan_error(
            file.name, f"it is {what}" if what else "it is not an image, a DICOM file or a NIfTI volume"
        )
    return kind


def _parse_in_child(reader: str, arguments: list[str], wall_s: float) -> dict[str, Any]:
    """Run a disposable process that writes the pixels; return its reply, or the reason of its failure."""
    threads = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    try:
        done = run_process(module_command(reader, *arguments, ignore_warnings=True), threads, wall_s)
    except subprocess.TimeoutExpired:
        return {"reason": f"reading it takes longer than {wall_s:g} s"}
    # Decoders may print their warnings around the reply.
    lines = [line for line in done.stdout.splitlines() if line.startswith(b"{")]
    try:
        answer: dict[str, Any] = json.loads(lines[-1] if lines else b"")
    except ValueError:
        return {"reason": "it could not be read; it is damaged, or needs too much time or memory"}
    return answer


def serve(read: Callable[[Path, Any], Scan]) -> None:
    """Parse the file named on the command line and print the reply.

        python -m engine.data.dicom FILE TARGET LIMITS VOLUME

    Each reader (`dicom`, `nifti`, `raster`) is such a program, so that it starts without the libraries of the others.
    It limits itself before it opens the file. The pixels go to TARGET (.npy), everything else as one JSON object to
    stdout: the fields of a `Scan`, or `reason`. VOLUME is a number or null,
    or a choice of series and volume.

    Args:
        read: the reader; raises `UnreadableFile` if it cannot read the file.
    """
    path, target, limits = Path(sys.argv[1]), Path(sys.argv[2]), Limits(**json.loads(sys.argv[3]))
    _limit(limits)
    answer: dict[str, Any]
    try:
        scan = read(path, json.loads(sys.argv[4]))
        np.save(target, scan.pixels)
        answer = {field.name: getattr(scan, field.name) for field in fields(scan) if field.name != "pixels"}
        answer["grid"] = scan.grid and asdict(scan.grid)
        if scan.is_blank(0) and float(np.ptp(scan.pixels)) == 0:
            answer["notes"] = scan.slice_notes(0) if len(scan) == 1 else (*scan.notes, BLANK_VOLUME)
    except UnreadableFile as error:
        answer = {"reason": str(error)}
    except OSError as error:
        answer = {"reason": f"it cannot be read ({error.strerror or 'it is damaged'})"}
    except MemoryError:
        answer = {"reason": f"reading it takes more than {limits.memory_bytes / 2**30:.1f} GB of memory"}
    sys.stdout.write(json.dumps(answer))


def _limit(limits: Limits) -> None:
    """Limit this process, as far as the platform can."""
    if resource is None:
        return
    wanted = {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CPU: limits.cpu_s,
        resource.RLIMIT_FSIZE: limits.memory_bytes,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (most, most))
        except (OSError, ValueError):  # macOS refuses some
            continue
