"""Single image file or volume, as the explorer opened it."""

from dataclasses import dataclass, replace
from typing import Any

KINDS = {"picture": "Image", "dicom": "DICOM", "nifti": "NIfTI"}
SIDES = {"R": "right", "L": "left", "A": "anterior", "P": "posterior", "S": "superior", "I": "inferior"}


@dataclass(frozen=True)
class OpenedScan:
    """File, its slices, and its known facts."""

    path: str
    name: str
    kind: str
    slices: int
    orientation: str | None
    notes: tuple[str, ...]
    slice: int

    def with_slice(self, slice_: int) -> "OpenedScan":
        """Return the same file at another slice."""
        return replace(self, slice=slice_)

    @property
    def title(self) -> str:
        return f"{self.name} · slice {self.slice + 1} of {self.slices}" if self.slices > 1 else self.name


def from_answer(path: str, content: dict[str, Any]) -> OpenedScan:
    """Read an answer to OpenScan; the middle slice is shown first."""
    letters = content["orientation"]
    return OpenedScan(
        path=path,
        name=content["name"],
        kind=content["kind"],
        slices=content["slices"],
        orientation="".join(letters) if letters else None,
        notes=tuple(content["notes"]),
        slice=content["slices"] // 2,
    )


def orientation_text(letters: str | None) -> str:
    """Return which side of the patient is at the left and at the top of the image."""
    if letters is None:
        return "Orientation unknown."
    left, top = letters[0], letters[2]
    return f"Image left = patient {SIDES[left]} ({left}) · image top = {SIDES[top]} ({top})"


def describe(scan: OpenedScan) -> str:
    """Return the known facts about a file, one per line."""
    kind = KINDS.get(scan.kind, scan.kind)
    return "\n".join([f"{kind}. {orientation_text(scan.orientation)}", *scan.notes])
