"""Survey of a source: facts on every image, and near-duplicates, independent of splits.

Every image is decoded once; its thumbnail is stored on disk, so memory stays flat. The result is kept in the cache, as
`<root>/audits/<key>.json`, under a hash of the source's content.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from engine.data import cache
from engine.data.audit import near_duplicates
from engine.data.audit.appearance import SIDE, NormalizedThumbnail, normalize_appearance
from engine.data.audit.near_duplicates import NearDuplicatePair
from engine.data.decoded_image import UnreadableFile, large_image_lock
from engine.data.parallel import map_in_threads
from engine.data.source import Source
from engine.errors import DataError
from engine.folders import cache_root
from engine.job_context import UNATTENDED, JobContext

VERSION: Final = 1  # increase it if the result for the same images changes


@dataclass(frozen=True)
class ImageRecord:
    """Facts on one decoded image.

    Args:
        item: its number in the source.
        key: hash of its gray pixels at full size.
        digest: hash of its file.
        height, width: in pixels.
        black, white, exponent: its intensities, see `NormalizedThumbnail`; all 0 for a constant image.
    """

    item: int
    key: str
    digest: str
    height: int
    width: int
    black: float = 0.0
    white: float = 0.0
    exponent: float = 0.0


@dataclass(frozen=True)
class SourceSurvey:
    """Result of a survey.

    Args:
        pictures: the images in the order of the source.
        unusable: items that could not be decoded, and the reasons.
        pairs: near-duplicates among the first images of each key, by their index in `pictures`.
    """

    pictures: tuple[ImageRecord, ...]
    unusable: tuple[tuple[int, str], ...]
    pairs: tuple[NearDuplicatePair, ...]

    @property
    def items(self) -> list[int]:
        """Return the number of each image in the source."""
        return [facts.item for facts in self.pictures]

    @property
    def keys(self) -> list[str]:
        """Return the hash of the pixels of each image."""
        return [facts.key for facts in self.pictures]


def survey_source(source: Source, context: JobContext = UNATTENDED) -> SourceSurvey:
    """Survey every image of a source, or read an earlier result from the cache.

    Args:
        source: the source.
        context: asked between images whether to stop; receives the progress.

    Raises:
        Cancelled: the caller asked to stop.
        DataError: there is no space for the thumbnails.
    """
    content = hashlib.sha256(f"{VERSION} {source.content_hash(context)}".encode()).hexdigest()[:32]
    place = cache_root() / "audits" / f"{content}.json"
    with suppress(OSError, ValidationError):
        found = _JSON.validate_json(place.read_bytes())
        os.utime(place)
        return found
    try:
        with tempfile.TemporaryDirectory(prefix="engram-audit-", ignore_cleanup_errors=True) as folder:
            found = _find(source, Path(folder), context)
    except OSError as error:
        raise DataError(
            f"The thumbnails for the audit cannot be written ({error.strerror or error}).",
            "Free some space in the temporary folder.",
        ) from error
    with suppress(OSError):  # an unwritable cache only makes the next audit slower
        cache.write_result(place, _JSON.dump_json(found))
    return found


def _find(source: Source, folder: Path, context: JobContext) -> SourceSurvey:
    """Decode all images, then compare one image of each key."""
    pictures: list[ImageRecord] = []
    unusable: list[tuple[int, str]] = []
    compared: list[int] = []
    seen: set[str] = set()
    total = len(source.items)
    file = folder / "thumbnails.npy"
    thumbnails = np.lib.format.open_memmap(file, "w+", dtype=np.uint16, shape=(max(total, 1), SIDE, SIDE))
    reading = context.with_title("Reading images")
    for number, (facts, thumbnail, reason) in enumerate(_facts(source, reading)):
        if facts is None:
            unusable.append((number, reason))
        else:
            if facts.key not in seen and thumbnail is not None:
                thumbnails[len(compared)] = thumbnail
                compared.append(len(pictures))
            seen.add(facts.key)
            pictures.append(facts)
        reading.report(number + 1, total)
    comparing = context.with_title("Comparing images")
    pairs = near_duplicates.find_near_duplicates(thumbnails[: len(compared)], comparing)
    del thumbnails  # closes its file, which Windows cannot remove otherwise
    return SourceSurvey(tuple(pictures), tuple(unusable), tuple(_numbered(pair, compared) for pair in pairs))


_Found = tuple[ImageRecord | None, NDArray[np.uint16] | None, str]


def _facts(source: Source, context: JobContext) -> Iterator[_Found]:
    """Return the facts on each item, in order; only a few images are in memory at a time."""
    return map_in_threads(lambda number: _examine(source, number), range(len(source.items)), context)


def _examine(source: Source, number: int) -> _Found:
    """Return facts and thumbnail of one item, or the reason of a failure."""
    try:
        picture = source.read(number)
    except UnreadableFile as reason:
        return None, None, str(reason)
    with large_image_lock(picture.gray.size):
        seen: NormalizedThumbnail | None = normalize_appearance(picture)
        key, (height, width) = picture.key(), picture.gray.shape
    curve = (seen.black, seen.white, seen.exponent) if seen else (0.0, 0.0, 0.0)
    facts = ImageRecord(number, key, source.digest(number), height, width, *curve)
    return facts, seen.thumbnail if seen else None, ""


def _numbered(pair: NearDuplicatePair, compared: list[int]) -> NearDuplicatePair:
    return NearDuplicatePair(compared[pair.one], compared[pair.other], pair.turn, pair.residual, pair.moved)


_JSON: Final = TypeAdapter(SourceSurvey)
