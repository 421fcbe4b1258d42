"""Files as a user names them: `case.nii.gz#81` and `series_folder#81` are slice 81, as in a dataset."""

from pathlib import Path

from engine.config import DataConfig
from engine.data.decoded_image import UnreadableFile
from engine.data.files import detect_format
from engine.data.parsing import parse
from engine.data.scan import Scan, make_scan_error, open_scan
from engine.data.source import SLICE_MARK
from engine.data.volumes import count_slices, parse_volume, read_any
from engine.errors import ScanError


def split_slice(name: str) -> tuple[str, int]:
    """Return the file and the slice, counted from 1, that a text names; 0 if it names no slice.

    Examples:
        >>> split_slice("no-such-file.nii#7")
        ('no-such-file.nii#7', 0)
    """
    file, _, number = name.rpartition(SLICE_MARK)
    if not number.isdecimal() or Path(name).expanduser().exists() or not Path(file).expanduser().exists():
        return name, 0
    return file, int(number)


def open_image(
    name: str, config: DataConfig, index: int | None = None, volume: int | None = None, series: str = ""
) -> tuple[Scan, int]:
    """Open a file or a series, and find the slice that is meant.

    Args:
        name: the file or folder, perhaps with '#' and a slice, counted from 1 in the plane of the dataset.
        config: its plane is used for such a slice.
        index: index of the slice otherwise; the middle one if None.
        volume: see `open_scan`.
        series: see `open_scan`.

    Raises:
        ScanError: it cannot be opened, or has no such slice.
    """
    path, number = split_slice(name)
    if not number:
        scan = open_scan(path, volume=volume, series=series)
        return scan, len(scan) // 2 if index is None else index
    file = Path(path).expanduser()
    in_plane = volume is None and file.is_file() and detect_format(file) in {"nifti", "research"}
    scan = _open_in_plane(file, config.plane) if in_plane else open_scan(path, volume=volume, series=series)
    if number > len(scan):
        raise ScanError(f"{scan.name} has no slice {number}.", f"Its slices are numbered from 1 to {len(scan)}.")
    return scan, number - 1


def _open_in_plane(file: Path, plane: str) -> Scan:
    """Read a volume as a dataset reads it."""
    try:
        return parse_volume(read_any, file, plane, parse(count_slices, file, plane))
    except UnreadableFile as error:
        raise make_scan_error(file.name, str(error)) from None
