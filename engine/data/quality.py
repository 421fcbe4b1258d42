"""Sentences about a dataset to read before a training: what was left out, and images that look wrong."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine.config import DataConfig
from engine.data.dataset import Dataset, Skipped
from engine.data.decoded_image import DecodedImage
from engine.data.source import SLICE_MARK
from engine.formatting import format_number, format_percent

_SLICE: Final = re.compile(rf"{SLICE_MARK}\d+$")
FEW_IMAGES: Final = 100
MASK_LEVELS: Final = 8
DARK: Final = 0.25
_SAMPLE: Final = 4096
_SHOWN: Final = 3
_THING: Final = re.compile(
    r"an? ((?:\w+ )*?)(image|volume|mask|segmentation|slice|link|file|page|document|archive|array|pointer)\b"
)


@dataclass(frozen=True)
class ImageFacts:
    """Facts on the intensities of one image at full size.

    Args:
        levels: number of different intensities, exact up to `MASK_LEVELS`.
        brightest: the largest intensity, from 0 to 1.
    """

    levels: int
    brightest: float


def examine(picture: DecodedImage) -> ImageFacts:
    """Return the facts on an image; a sample of its pixels tells most images from masks."""
    pixels = picture.gray.ravel()
    levels = len(np.unique(pixels[:: max(1, pixels.size // _SAMPLE)]))
    if levels <= MASK_LEVELS:
        levels = len(np.unique(pixels))
    return ImageFacts(levels, float(pixels.max()) / picture.white if pixels.size else 0.0)


def describe_dataset(
    names: Sequence[str], keys: Sequence[str], facts: Sequence[ImageFacts], config: DataConfig
) -> tuple[str, ...]:
    """Return a sentence on each way in which the images of a dataset look wrong.

    Args:
        names: names of the images.
        keys: their hashes.
        facts: facts on them; empty if they are not known.
        config: settings of the dataset.
    """
    if config.source == "phantom":
        return ()
    total, notes = len(names), []
    if total < FEW_IMAGES:
        notes.append(
            f"The dataset has only {total:,} image{'s' * (total != 1)}; "
            f"with fewer than {FEW_IMAGES}, results vary by chance."
        )
    blank = [name for name, each in zip(names, facts, strict=False) if each.levels == 1]
    flat = [name for name, each in zip(names, facts, strict=False) if 1 < each.levels <= MASK_LEVELS]
    if blank:
        notes.append(f"{_count(blank, total)} blank (one intensity throughout): {_list(blank)}.")
    copies = {key for key, times in Counter(keys).items() if times > 1}
    same = [name for name, key in zip(names, keys, strict=True) if key in copies]
    if same:
        notes.append(f"{_count(same, total)} identical to another one: {_list(same)}. `audit` lists them all.")
    if flat:
        notes.append(
            f"{_count(flat, total, 'has', 'have')} at most {MASK_LEVELS} intensities, as masks have, and "
            f"{'is' if len(flat) == 1 else 'are'} used as images: {_list(flat)}."
        )
    return (*notes, *_note_darkness(facts, config))


def summarize_skipped(used: int, skipped: Iterable[Skipped]) -> str:
    """Return a sentence on how many files were used and why the others were not; empty if all were used.

    Examples:
        >>> skipped = [Skipped("1.nii", "a NIfTI volume; move it"), Skipped("b.txt", "not an image")]
        >>> summarize_skipped(3, skipped)
        '3 of 5 files are used as images: 1 is a NIfTI volume, 1 is not an image.'
    """
    reasons = count_reasons(skipped)
    if not reasons:
        return ""
    total = used + sum(reasons.values())
    why = ", ".join(_format_reason(reason, count) for reason, count in reasons.items())
    return f"{used:,} of {total:,} files {'is' if used == 1 else 'are'} used as images: {why}."


def count_reasons(skipped: Iterable[Skipped]) -> dict[str, int]:
    """Count the reasons for which files were skipped, without what differs from file to file; the commonest first."""
    return dict(Counter(_shorten(each.reason) for each in skipped).most_common())


def describe_use(dataset: Dataset) -> dict[str, Any]:
    """Return what a run's record says of its dataset.

    Returns:
        {"images", "left_out", "skipped", "notes"}: number of images, `summarize_skipped`, the number of files by
        reason, and the notes.
    """
    used = sum(map(len, dataset.splits.values()))
    # Slices of one volume, such as case.nii#81, are of one file.
    files = {_SLICE.sub("", name) for part in dataset.splits.values() for name in part.names}
    left_out = summarize_skipped(len(files), dataset.skipped)
    return {
        "images": used,
        "left_out": left_out,
        "skipped": count_reasons(dataset.skipped),
        "notes": list(dataset.notes),
    }


def _note_darkness(facts: Sequence[ImageFacts], config: DataConfig) -> tuple[str, ...]:
    brightest = max((each.brightest for each in facts), default=1.0)
    if config.normalisation != "none" or not 0 < brightest < DARK:
        return ()
    share = format_percent(brightest) if brightest >= 0.01 else f"{format_number(100 * brightest, 2)}%"
    return (
        f"The brightest pixel of the dataset has {share} of the intensity of white, so all images are nearly black. "
        "Set Intensity scaling (--intensity) to percentile to spread those of each image from black to white.",
    )


def _shorten(reason: str) -> str:
    """Return a reason without what differs from file to file."""
    if reason.startswith("not a readable image") and ": " in reason:
        reason = reason.split(": ", 1)[1]
    short = re.split(r"[;:(]", reason)[0].strip()
    short = re.sub(r"^(a mask|boxes) of .*", r"\1", short)
    return re.sub(r"\d+(?: × \d+)?", "several", short)


def _format_reason(reason: str, count: int) -> str:
    if count == 1:
        is_said = re.match(r"an? |not |is |damaged|among|boxes|contours", reason)
        return f"1 is {reason.removeprefix('is ')}" if is_said else f"1 ({reason})"
    if thing := _THING.match(reason):
        return f"{count:,} are {thing[1]}{thing[2]}s{reason[thing.end() :]}"
    if reason.startswith("not "):
        plural = re.sub("^not an? (.*?)image", r"not \1images", reason)
        return f"{count:,} are {plural}"
    if re.match(r"damaged|is |among|boxes|contours", reason):
        return f"{count:,} are {reason.removeprefix('is ')}"
    return f"{count:,} ({reason})"


def _count(names: Sequence[str], total: int, one: str = "is", more: str = "are") -> str:
    return f"{len(names):,} of {total:,} images {one if len(names) == 1 else more}"


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
