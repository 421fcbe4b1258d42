"""Check of a Keras file that may come from a stranger, before Keras reads its weights."""

import io
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import h5py

MEMBERS: Final = {"metadata.json", "config.json", "model.weights.h5"}
WEIGHTS: Final = "model.weights.h5"
EXTRA_BYTES: Final = 16 * 2**20
MAX_NAMES: Final = 100_000


def check_weights(path: Path, shapes: Sequence[tuple[int, ...]]) -> None:
    """Check that a Keras file holds arrays of these shapes and no more; only headers are read.

    An HDF5 file can declare an array of any size in a few kilobytes, store it compressed, or keep it in another file.
    Keras writes none of these.

    Args:
        path: the file.
        shapes: the shapes of the model's variables.

    Raises:
        ValueError: it holds anything else; the text says what.
        One of `engine.archives.DAMAGE`: it is damaged.
    """
    if not zipfile.is_zipfile(path):
        raise ValueError("it is not a Keras file")
    limit = EXTRA_BYTES + 8 * sum(map(math.prod, shapes))
    with zipfile.ZipFile(path) as archive:
        members = {member.filename: member.file_size for member in archive.infolist()}
        # Keras packs nothing. A packed member may unpack to far more than it declares.
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("it is packed; it was not opened, for safety")
        if not set(members) <= MEMBERS or sum(members.values()) > limit:
            raise ValueError("it contains objects that are not part of Engram; it was not opened, for safety")
        content = io.BytesIO(archive.read(WEIGHTS))
    with h5py.File(content, "r") as file:
        _check_group(file, set(shapes), limit)


def _check_group(file: Any, shapes: set[tuple[int, ...]], limit: int) -> None:
    names, stored = 0, 0

    def check(name: str, entry: Any) -> None:
        nonlocal names, stored
        names += 1
        if isinstance(entry, h5py.Dataset):
            stored += math.prod(entry.shape or ()) * entry.dtype.itemsize
            _check_array(entry, shapes)
        if names > MAX_NAMES or stored > limit:
            raise ValueError("it contains more arrays than the model")

    # Follows no link to another file or place.
    file.visititems(check)


def _check_array(entry: Any, shapes: set[tuple[int, ...]]) -> None:
    if entry.shape not in shapes or entry.dtype.kind not in "biuf":
        raise ValueError(f"it contains an array of shape {entry.shape} that the model does not have")
    if entry.chunks or entry.external or entry.is_virtual:
        raise ValueError("it contains a packed array, or one in another file")
