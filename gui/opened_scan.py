"""One image file, as the explorer opened it."""

from dataclasses import dataclass, replace

from engine.messages import OpenScanReply

KINDS = {"picture": "Image", "dicom": "DICOM", "nifti": "NIfTI"}
SIDES = {"R": "right", "L": "left", "A": "anterior", "P": "posterior", "S": "superior", "I": "inferior"}


@dataclass(frozen=True)
class OpenedScan:
    """A file, its slices, and what is known of it; `slice` counts from 0."""

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
    )


def orientation_text(letters: str | None) -> str:
    """Return which side of the patient is at the left and at the top of the image."""
    if letters is None:
        return "Orientation unknown."
    left, top = letters[0], letters[2]
    return f"Image left = patient {SIDES[left]} ({left}) · image top = {SIDES[top]} ({top})"


def describe(scan: OpenedScan) -> str:
    """Return what is known of a file, one fact a line."""
    kind = KINDS.get(scan.kind, scan.kind)
    return "\n".join([f"{kind}. {orientation_text(scan.orientation)}", *scan.notes])
