"""Pairs that differ only in a lesion: phantoms and healthy twins, images and the same with the lesion filled in."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import lesions
from engine.arrays import Mask
from engine.data import Split
from engine.data.phantom import CLASSES, phantom
from engine.errors import DataError, RegionError
from engine.lesions import Boxes

Picture = NDArray[np.float32]
# A collection that no run is trained on, unless the user chooses just this seed.
PHANTOM_SEED = 1_000_003
LESION_CLASSES = tuple(name for name in CLASSES if name != "no_tumor")
# A lesion with less contrast than this, in intensities, cannot be followed.
LEAST = 0.02


@dataclass(frozen=True, eq=False)
class LesionPair:
    """One pair.

    Args:
        name: name of the image or phantom.
        picture: (size, size) float32 in [0, 1], with the lesion.
        healthy: the same without it.
        mask: bool (size, size), the lesion.
    """

    name: str
    picture: Picture
    healthy: Picture
    mask: Mask


def stack_pairs(twins: list[LesionPair]) -> tuple[Picture, Picture]:
    """Stack the images and their healthy twins in the models' input format: (n, size, size, 1) each."""
    return (
        np.stack([twin.picture for twin in twins])[..., np.newaxis],
        np.stack([twin.healthy for twin in twins])[..., np.newaxis],
    )


def phantom_pairs(count: int, size: int, seed: int = PHANTOM_SEED) -> list[LesionPair]:
    """Generate phantoms with a lesion, all kinds in turn: the same head, bias and noise with and without it.

    Args:
        count: number of pairs.
        size: pixels of a side.
        seed: seed of the collection.
    """
    labels = itertools.cycle(LESION_CLASSES)
    return list(itertools.islice(_phantoms(labels, size, seed), count))


def _phantoms(labels: Iterator[str], size: int, seed: int) -> Iterator[LesionPair]:
    for index, label in enumerate(labels):
        made = phantom(size, seed, index, label=label)
        if lesions.area(made.mask) >= lesions.regions.LEAST_PIXELS:
            name = f"phantom {seed}/{index}, {label.removesuffix('_tumor')}"
            yield LesionPair(name, made.image, made.healthy, made.mask)


def inpainted_pairs(
    split: Split, boxes: Boxes, count: int, aspect_of: Callable[[str], float] = lambda name: 1.0
) -> list[LesionPair]:
    """Return images with a box, evenly spaced over a split, and the same with the box's ellipse filled in smoothly.

    The content of the ellipse is the lesion, grain included; `engine.lesions.inpainting` describes the twin.

    Args:
        split: the images.
        boxes: by the images' names.
        count: maximum number of pairs.
        aspect_of: height over width of an original image, by its name, if images are letterboxed.

    Raises:
        DataError: no image of the split has a box.
    """
    boxed = [row for row, name in enumerate(split.names) if name in boxes.find_by_name]
    if not boxed:
        example, image = next(iter(boxes.find_by_name), "none"), next(iter(split.names), "none")
        raise DataError(
            f"No image of the {split.name} split has a box; the first file in the table is '{example}', the first "
            f"image '{image}'.",
            "Choose another split, or the table that belongs to these images.",
        )
    spread = np.unique(np.linspace(0, len(boxed) - 1, min(count, len(boxed))).round().astype(np.int64))
    first = [boxed[place] for place in spread]
    # The others replace those that cannot be used.
    order = [*first, *(row for row in boxed if row not in set(first))]
    found = (_scan(split, row, boxes, aspect_of(split.names[row])) for row in order)
    return list(itertools.islice((twin for twin in found if twin is not None), count))


def _scan(split: Split, row: int, boxes: Boxes, aspect: float) -> LesionPair | None:
    """Return one image and its twin. Returns None if the lesion has too little contrast, or fills the image."""
    picture = split.read([row])[0, ..., 0]
    name = split.names[row]
    shape = picture.shape[0], picture.shape[1]
    mask = np.any([box.mask(shape, aspect) for box in boxes.find_by_name[name]], axis=0)
    try:
        healthy = lesions.inpaint(picture, mask, grain_seed=None)
        contrast = lesions.contrast(picture, mask)
    except RegionError:
        return None
    return LesionPair(name, picture, healthy, mask) if abs(contrast) >= LEAST else None
