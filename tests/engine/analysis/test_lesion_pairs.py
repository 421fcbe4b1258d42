"""Pairs that differ in a lesion alone."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine import lesions
from engine.analysis import lesion_pairs
from engine.data.phantom import phantom
from engine.errors import DataError
from engine.lesions import Box, Boxes


def test_phantoms_differ_in_their_lesion_and_take_turns():
    found = lesion_pairs.phantom_pairs(6, 48)
    assert [twin.name.split(", ")[1] for twin in found] == ["glioma", "meningioma", "pituitary"] * 2
    for twin in found:
        assert (twin.picture != twin.healthy)[twin.mask].any()
    again = lesion_pairs.phantom_pairs(2, 48)
    assert np.array_equal(again[1].picture, found[1].picture)
    pictures, healthy = lesion_pairs.stack_pairs(found)
    assert pictures.shape == healthy.shape == (6, 48, 48, 1)


class Split:
    """A split of phantoms, as `engine.data.Split` is read."""

    name = "validation"

    def __init__(self, count, size=64):
        self.made = [phantom(size, 5, index, label="meningioma_tumor") for index in range(count)]
        self.names = tuple(f"Training/meningioma_tumor/{index}.png" for index in range(count))

    def read(self, which):
        return np.stack([self.made[index].image for index in which])[..., None]


def box_of(name, mask):
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y = columns[0] / width, rows[0] / height
    return Box(name, x, y, (columns[-1] + 1) / width - x, (rows[-1] + 1) / height - y)


@pytest.fixture
def split():
    return Split(9)


@pytest.fixture
def boxes(split):
    """A box for every scan but the first, whose name is not in the table."""
    return Boxes({n: [box_of(n, m.mask)] for n, m in zip(split.names[1:], split.made[1:], strict=True)})


def test_images_are_spread_and_filled_in_within_their_boxes(split, boxes):
    found = lesion_pairs.inpainted_pairs(split, boxes, 3)
    assert [twin.name for twin in found] == [split.names[index] for index in (1, 5, 8)]
    for twin in found:
        changed = twin.picture != twin.healthy
        assert not changed[~(twin.mask | lesions.make_rim_mask(twin.mask, 3))].any()
        before, after = (abs(lesions.contrast(each, twin.mask)) for each in (twin.picture, twin.healthy))
        assert after < before


def test_at_most_as_many_as_have_boxes(split, boxes):
    found = lesion_pairs.inpainted_pairs(split, boxes, 50)
    assert 0 < len(found) <= 8
    assert split.names[0] not in {twin.name for twin in found}


def test_boxes_go_with_letterboxed_images(split, boxes):
    name = split.names[1]
    table = Boxes({name: boxes.find_by_name[name]})
    square, wide = (
        lesion_pairs.inpainted_pairs(split, table, 1),
        lesion_pairs.inpainted_pairs(split, table, 1, lambda _: 0.8),
    )
    assert square[0].mask.sum() > wide[0].mask.sum()


def test_image_whose_lesion_cannot_be_determined_is_left_out(split):
    flat = SimpleNamespace(name="test", names=("a.png",), read=lambda which: np.full((1, 64, 64, 1), 0.4, np.float32))
    assert lesion_pairs.inpainted_pairs(flat, Boxes({"a.png": [Box("a.png", 0.3, 0.3, 0.3, 0.3)]}), 2) == []


def test_no_box_is_a_sentence(split):
    with pytest.raises(
        DataError, match=r"No image of the validation split has a box; the first file in the table is 'other.png'"
    ):
        lesion_pairs.inpainted_pairs(split, Boxes({"other.png": [Box("other.png", 0, 0, 0.1, 0.1)]}), 2)
