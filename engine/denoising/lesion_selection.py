"""Which scans methods are measured on, and where the lesions on them lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine import lesions
from engine.data import Dataset
from engine.data.decoded_image import UnreadableFile
from engine.data.raster import upright_size
from engine.denoising.noise_sweep import SweepLesion
from engine.errors import DataError, RegionError
from engine.evaluation.evaluator import CLEAN, LEAKED
from engine.lesions import Boxes

LARGEST_SHARE: Final = 0.5  # a lesion that fills more of the picture has no surroundings to speak of


@dataclass(frozen=True, eq=False)
class ScanSelection:
    """Scans of one part of a data set.

    Args:
        images: the data set.
        part: 'train', 'validation', 'test', 'test_leaked' or 'test_clean'.
        rows: places in the split.
        left_out: how many of the part were left out because another run was trained on them.
    """

    images: Dataset
    part: str
    rows: NDArray[np.int64]
    left_out: int = 0

    @property
    def split(self) -> str:
        """The split that the part is of."""
        return "test" if self.part in (LEAKED, CLEAN) else self.part

    @property
    def names(self) -> list[str]:
        """Files of the scans."""
        return [self.images.splits[self.split].names[row] for row in self.rows]

    def read(self) -> NDArray[np.float32]:
        """The scans, (n, height, width, 1) float32 in [0, 1]."""
        return self.images.splits[self.split].read(self.rows)


def select_scans(images: Dataset, part: str, others: Sequence[Dataset], most: int) -> ScanSelection:
    """Choose scans.

    Args:
        images: the data set as the first run sees it.
        part: which part of it.
        others: the data as other runs split it; what one of them was trained on is left out, but of 'train'.
        most: how many at most, spread evenly; 0 is no limit.

    Raises:
        DataError: there are none.
    """
    split = images.splits["test" if part in (LEAKED, CLEAN) else part]
    rows = np.arange(len(split), dtype=np.int64)
    if part in (LEAKED, CLEAN):
        rows = np.flatnonzero(images.leaked == (part == LEAKED))
    seen = {key for other in others for key in other.train.keys} if part in ("validation", CLEAN) else set()
    kept = np.array([row for row in rows if split.keys[row] not in seen], np.int64)
    if not len(kept):
        raise DataError(f"There are no images in {part} of {images.source}.", "Choose another split with --split.")
    if 0 < most < len(kept):
        kept_all, kept = kept, kept[np.unique(np.linspace(0, len(kept) - 1, most).round().astype(np.int64))]
        return ScanSelection(images, part, kept, len(rows) - len(kept_all))
    return ScanSelection(images, part, kept, len(rows) - len(kept))


def locate_lesions(chosen: ScanSelection, boxes: Boxes, rim: int) -> tuple[list[SweepLesion], list[str]]:
    """Find the lesions on scans: the ellipse in each box, whose rim stays out of the other boxes of its scan.

    Returns:
        The lesions in the order of their scans, and a sentence for each that cannot be measured in.
    """
    side = chosen.images.config.size
    found, problems = [], []
    for scan, name in enumerate(chosen.names):
        placed = boxes.find_by_name.get(name, ())
        try:
            masks = [box.mask((side, side), _aspect(chosen.images, name)) for box in placed] if placed else []
        except (UnreadableFile, OSError, RegionError) as error:
            problems.append(f"{name}: its box cannot be used: {error}")
            continue
        for number, mask in enumerate(masks):
            rest = [other for each, other in enumerate(masks) if each != number]
            try:
                if mask.mean() > LARGEST_SHARE:
                    raise RegionError(f"The region covers {lesions.percent(float(mask.mean()))} of the image.")
                site = lesions.make_lesion_region(mask, rim, np.any(rest, axis=0) if rest else None)
                found.append(SweepLesion(scan, name, mask, site))
            except RegionError as error:
                problems.append(f"{name}: {error.what}")
    return found, problems


def _aspect(images: Dataset, name: str) -> float:
    """Height over width of a picture, where preparation keeps its proportions."""
    if images.config.fit == "squash":
        return 1.0
    path = Path(images.source).expanduser() / name
    if not path.is_file():
        raise UnreadableFile("its aspect ratio is not known, since its source is not a folder of images")
    width, height = upright_size(path)
    return height / width
