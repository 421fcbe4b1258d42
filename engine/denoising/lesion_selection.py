"""Selection of the images that methods are measured on, and of the lesions in them."""

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
from engine.evaluation.evaluator import CLEAN, LEAKED, UNSEEN
from engine.formatting import format_percent
from engine.lesions import Box, Boxes

# A larger lesion leaves too little background around it.
LARGEST_SHARE: Final = 0.5
# Parts of the test set.
TESTED: Final = (LEAKED, CLEAN, UNSEEN)


@dataclass(frozen=True, eq=False)
class ScanSelection:
    """Images of one part of a dataset.

    Args:
        images: the dataset.
        part: 'train', 'validation', 'test', 'test_leaked', 'test_clean' or 'test_unseen'.
        rows: indices in the split.
        left_out: how many images of the part were left out because another run was trained on them.
    """

    images: Dataset
    part: str
    rows: NDArray[np.int64]
    left_out: int = 0

    @property
    def split(self) -> str:
        """Return the split that contains the part."""
        return "test" if self.part in TESTED else self.part

    @property
    def names(self) -> list[str]:
        """Return the files of the images."""
        return [self.images.splits[self.split].names[row] for row in self.rows]

    def read(self) -> NDArray[np.float32]:
        """Load the images, (n, height, width, 1) float32 in [0, 1]."""
        return self.images.splits[self.split].read(self.rows)


def select_scans(images: Dataset, part: str, others: Sequence[Dataset], most: int) -> ScanSelection:
    """Select images.

    Args:
        images: the dataset with the first run's preprocessing.
        part: part of the dataset.
        others: the data as other runs split it; their training images are left out, except for part 'train'.
        most: maximum number, evenly spaced; 0 is no limit.

    Raises:
        DataError: no image is left.
    """
    split = images.splits["test" if part in TESTED else part]
    rows = np.arange(len(split), dtype=np.int64)
    if part in (LEAKED, CLEAN):
        rows = np.flatnonzero(images.leaked == (part == LEAKED))
    elif part == UNSEEN:
        rows = np.flatnonzero(images.unseen)
    seen = {key for other in others for key in other.train.keys} if part in ("validation", CLEAN, UNSEEN) else set()
    kept = np.array([row for row in rows if split.keys[row] not in seen], np.int64)
    if not len(kept):
        raise DataError(f"There are no images in {part} of {images.source}.", "Choose another split with --split.")
    if 0 < most < len(kept):
        kept_all, kept = kept, kept[np.unique(np.linspace(0, len(kept) - 1, most).round().astype(np.int64))]
        return ScanSelection(images, part, kept, len(rows) - len(kept_all))
    return ScanSelection(images, part, kept, len(rows) - len(kept))


def locate_lesions(chosen: ScanSelection, boxes: Boxes, rim: int) -> tuple[list[SweepLesion], list[str]]:
    """Locate the lesions of images: the ellipse in each box, with a rim outside the other boxes of its image.

    Returns:
        The lesions in the order of their images, and a sentence for each that cannot be used.
    """
    side = chosen.images.config.size
    found, problems = [], []
    for scan, name in enumerate(chosen.names):
        placed = boxes.find_by_name.get(name, ())
        try:
            masks = [box.mask((side, side), _aspect(chosen.images, box)) for box in placed]
        except (UnreadableFile, OSError, RegionError) as error:
            problems.append(f"{name}: its box cannot be used: {error}")
            continue
        for number, mask in enumerate(masks):
            rest = [other for each, other in enumerate(masks) if each != number]
            try:
                if mask.mean() > LARGEST_SHARE:
                    raise RegionError(f"The region covers {format_percent(float(mask.mean()))} of the image.")
                site = lesions.make_lesion_region(mask, rim, np.any(rest, axis=0) if rest else None)
                found.append(SweepLesion(scan, name, mask, site))
            except RegionError as error:
                problems.append(f"{name}: {error.what}")
    return found, problems


def _aspect(images: Dataset, box: Box) -> float:
    """Return height over width of an original image if preprocessing keeps its proportions, else 1."""
    if images.config.fit == "squash":
        return 1.0
    if box.outline and box.outline.aspect is not None:
        return box.outline.aspect
    path = Path(images.source).expanduser() / box.name
    if not path.is_file():
        raise UnreadableFile("its aspect ratio is not known, since its source is not a folder of images")
    width, height = upright_size(path)
    return height / width
