"""Which files of a folder of volumes are read: no masks, no derivatives, one series of each case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from engine.config import DataConfig
from engine.data.annotations import Annotations, find_masks, has_mask_name
from engine.data.dataset import Skipped
from engine.data.files import pair_suffix
from engine.data.volume_names import choose_series, parse_volume_names

DERIVATIVES: Final = "derivatives"


@dataclass(frozen=True)
class FileListing:
    """The files of a folder that are read, and their masks.

    Args:
        names: the files.
        annotations: the masks.
        cases: name of a volume -> its case; empty if the files are images.
        frames: name of a DICOM file of several frames -> their number.
        notes: sentences on automatic decisions.
        plane: plane of the slices of volumes, 'stored' for that of the file; empty if the files are images.
    """

    names: list[str]
    annotations: Annotations
    cases: Mapping[str, str] = field(default_factory=dict)
    frames: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    plane: str = ""


def list_volumes(
    names: Sequence[str], frames: Mapping[str, int], config: DataConfig
) -> tuple[FileListing, list[Skipped]]:
    """Choose the volumes to read.

    Args:
        names: all volumes.
        frames: name of a DICOM file -> its frames.
        config: its series, plane and slices are used.

    Returns:
        The volumes, and the others with the reasons (without masks, which the listing has).
    """
    names = _join_pairs(names)
    found = find_masks(names)
    if not all(map(has_mask_name, names)):
        found.masked.update({name: "" for name in names if has_mask_name(name) and name not in found.masked})
    rest = [name for name in names if name not in found.masked]
    derived = [name for name in rest if DERIVATIVES in PurePosixPath(name).parts]
    skipped = []
    if len(derived) < len(rest):
        skipped = [Skipped(name, "a volume among derivatives") for name in derived]
        rest = [name for name in rest if name not in derived]
    # Series of DICOM files were chosen by their headers.
    choice = choose_series(parse_volume_names(rest), "" if frames else config.series)
    kept = list(choice.kept)
    skipped += [Skipped(name, reason) for name, reason in choice.skipped]
    if config.slices == "lesion":
        skipped += [
            Skipped(each.name, "a volume without a mask beside it") for each in kept if each.name not in found.masks
        ]
        kept = [each for each in kept if each.name in found.masks]
    plane = "stored" if all(each.name in frames for each in kept) else config.plane
    shown = "as stored" if plane == "stored" else plane
    count = f"{len(kept):,} volume{'s' * (len(kept) != 1)}"
    note = f"The images are slices of {count} ({shown}, one intensity window for each volume)."
    cases = {each.name: each.case for each in kept}
    return FileListing([each.name for each in kept], found, cases, frames, (note, *choice.notes), plane), skipped


def _join_pairs(names: Sequence[str]) -> list[str]:
    """Return names with one file for each pair of a header and an image."""
    headers = {_stem(name) for name in names if pair_suffix(Path(name)) == ".hdr"}
    return [name for name in names if pair_suffix(Path(name)) != ".img" or _stem(name) not in headers]


def _stem(name: str) -> str:
    plain = name[:-3] if name.casefold().endswith(".gz") else name
    return plain[:-4].casefold()
