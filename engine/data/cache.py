"""Cache of prepared images on disk: decoded once, memory-mapped from then on.

    <root>/images/<key>/images.npy    uint8 or uint16 (N, size, size)
    <root>/images/<key>/index.json    numbers of the source items, image keys, skipped items, checksums

The key is a hash of the images' content and of the options that change pixels, without the split. An entry is written
to a temporary folder and renamed, so a reader sees all of it or nothing, and of two writers the first one wins. An
entry that does not match its checksums is rebuilt.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.durable import flush, replace
from engine.errors import DataError
from engine.folders import cache_root

LIMIT_BYTES: Final = 20 * 10**9
KEPT_RESULTS: Final = 64
_BLOCK, _BLOCKS = 2**20, 64
_ABANDONED_S = 24 * 3600
Store = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class Index:
    """Index of a store.

    Args:
        items: for each row of the store, the number of its item in the source.
        keys: for each row, the hash of the image at full size.
        unusable: numbers of the items that could not be used, and the reasons.
        facts: for each row, the number of intensities and the largest one, see `engine.data.quality.ImageFacts`;
            empty in entries of before they were kept.
    """

    items: tuple[int, ...]
    keys: tuple[str, ...]
    unusable: tuple[tuple[int, str], ...]
    facts: tuple[tuple[int, float], ...] = ()


def fetch(key: str, write: Callable[[Path], Index]) -> tuple[Store, Index]:
    """Open the entry of a key; create it if it is missing or damaged.

    Args:
        key: name of the entry.
        write: writes `images.npy` into a folder and returns its index.

    Returns:
        The memory-mapped images (n, size, size) and their index.

    Raises:
        DataError: the cache folder cannot be written.
    """
    place = cache_root() / "images" / key
    if found := _open(place):
        return found
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _evict(place.parent)
        with tempfile.TemporaryDirectory(prefix="new-", dir=place.parent, ignore_cleanup_errors=True) as folder:
            fresh = Path(folder) / key
            fresh.mkdir()
            _write_index(fresh, write(fresh))
            _install(fresh, place)
        found = _open(place)
    except OSError as error:
        raise DataError(
            f"The cache of prepared images in {place.parent} cannot be written ({error.strerror or error}).",
            "Free some space there, or set ENGRAM_CACHE to another folder.",
        ) from error
    if found is None:
        raise DataError(f"The cache entry {place} changed while it was being written.", "Try again.")
    return found


def _install(fresh: Path, place: Path) -> None:
    """Rename an entry into its place; keep an existing one if it is intact."""
    if place.exists() and _open(place) is None:
        replace(place, fresh.parent / "damaged")
    try:
        replace(fresh, place)
    except OSError:
        if _open(place) is None:
            raise


def _write_index(folder: Path, index: Index) -> None:
    """Write the index of finished images, with checksums of both, and flush it to disk."""
    content: dict[str, Any] = {**asdict(index), "images": _spot_check(folder / "images.npy")}
    content["index"] = _digest(content)
    with open(folder / "index.json", "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        flush(file.fileno())


def _open(place: Path) -> tuple[Store, Index] | None:
    """Open an entry; return None if it is missing or damaged."""
    try:
        content = json.loads((place / "index.json").read_text(encoding="utf-8"))
        sound = content.pop("index") == _digest(content)
        if not sound or content["images"] != _spot_check(place / "images.npy"):
            return None
        store = np.load(place / "images.npy", mmap_mode="r", allow_pickle=False)
        index = Index(
            tuple(content["items"]),
            tuple(content["keys"]),
            tuple((int(i), str(why)) for i, why in content["unusable"]),
            tuple((int(levels), float(brightest)) for levels, brightest in content.get("facts", ())),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return None
    _touch(place)
    return store, index


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _spot_check(file: Path) -> str:
    """Hash a file's size and content; of a file over 64 MiB, 64 blocks spread over it, both ends included."""
    size = file.stat().st_size
    last = max(0, size - _BLOCK)
    count = min(_BLOCKS, -(-size // _BLOCK))
    digest = hashlib.sha256(str(size).encode())
    with open(file, "rb") as stream:
        for number in range(count):
            stream.seek(last * number // max(1, count - 1))
            digest.update(stream.read(_BLOCK))
    return digest.hexdigest()


def _touch(place: Path) -> None:
    """Update the time of the last use of an entry."""
    with suppress(OSError):  # a read-only cache
        os.utime(place)


def _evict(folder: Path) -> None:
    """Remove leftovers of killed writers and, while the cache is too large, the least recently used entries."""
    with suppress(OSError):  # another process may evict at the same time
        entries = sorted(((entry.stat().st_mtime, entry) for entry in folder.iterdir()), reverse=True)
        total = 0
        for wanted, entry in entries:
            is_new = entry.name.startswith("new-")
            total += 0 if is_new else sum(file.stat().st_size for file in entry.iterdir())
            if (is_new and time.time() - wanted > _ABANDONED_S) or total > LIMIT_BYTES:
                shutil.rmtree(entry, ignore_errors=True)


def write_result(place: Path, content: bytes) -> None:
    """Write a small result into a folder of its kind: whole or not at all, and without the oldest if there are many.

    Raises:
        OSError: it cannot be written; then nothing is left of it.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f"new-{os.getpid()}-{place.name}")
    try:
        fresh.write_bytes(content)
        replace(fresh, place)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    by_age = sorted(place.parent.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
    for old in by_age[KEPT_RESULTS:]:
        if old != place:  # the clock may have been set back
            with suppress(OSError):  # Windows keeps what another process reads
                old.unlink(missing_ok=True)
