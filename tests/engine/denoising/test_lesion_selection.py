"""Which scans are measured on, and where their lesions lie."""

import numpy as np
import pytest
from PIL import Image

from engine import data
from engine.config import DataConfig
from engine.denoising import lesion_selection
from engine.errors import DataError
from engine.lesions import Box, Boxes


@pytest.fixture
def folder(tmp_path):
    """Images of 80 x 40, ten to train on, four to test on; the first test scan is the first training scan."""
    rng = np.random.default_rng(0)
    for split, count in (("Training", 10), ("Testing", 4)):
        (tmp_path / "scans" / split).mkdir(parents=True)
        for number in range(count):
            pixels = np.random.default_rng(0) if number == 0 else rng
            Image.fromarray(pixels.integers(0, 255, (40, 80), np.uint8)).save(
                tmp_path / "scans" / split / f"{number}.png"
            )
    return tmp_path / "scans"


def loaded(folder, **changes):
    return data.load(folder, DataConfig(size=32, **changes))


def test_clean_images_are_those_that_are_not_in_train(folder):
    images = loaded(folder)
    assert lesion_selection.select_scans(images, "test_clean", [], 0).names == [
        f"Testing/{number}.png" for number in (1, 2, 3)
    ]
    assert lesion_selection.select_scans(images, "test_leaked", [], 0).names == ["Testing/0.png"]
    assert len(lesion_selection.select_scans(images, "test", [], 0).rows) == 4
    assert lesion_selection.select_scans(images, "test", [], 2).names == ["Testing/0.png", "Testing/3.png"]
    assert lesion_selection.select_scans(images, "test_clean", [], 0).read().shape == (3, 32, 32, 1)


def test_what_another_run_was_trained_on_is_no_validation_image(folder):
    mine, other = loaded(folder, validation_share=0.4), loaded(folder, validation_share=0.1, split_seed=1)
    chosen = lesion_selection.select_scans(mine, "validation", [other], 0)
    seen = set(other.train.names)
    assert chosen.left_out == sum(name in seen for name in mine.validation.names) > 0
    assert not seen & set(chosen.names)


def test_part_without_images_is_a_sentence(folder):
    (folder / "Testing" / "0.png").unlink()
    with pytest.raises(DataError, match="no images in test_leaked"):
        lesion_selection.select_scans(loaded(folder), "test_leaked", [], 0)


def test_box_is_placed_as_the_preparation_places_the_image(folder):
    boxes = Boxes({"Testing/1.png": [Box("Testing/1.png", 0.25, 0.25, 0.5, 0.5)]})
    for fit, height in (("squash", 16), ("letterbox", 8)):
        chosen = lesion_selection.select_scans(loaded(folder, fit=fit), "test", [], 0)
        ((lesion,), problems) = lesion_selection.locate_lesions(chosen, boxes, 2)
        assert (lesion.scan, lesion.name, problems) == (1, "Testing/1.png", [])
        rows, columns = np.nonzero(lesion.mask)
        assert np.ptp(columns) + 1 == 16
        assert np.ptp(rows) + 1 == height
        assert (rows.min() + rows.max() + 1) / 2 == 16


def test_rim_of_a_lesion_stays_out_of_its_neighbor(folder):
    name = "Testing/2.png"
    boxes = Boxes({name: [Box(name, 0.1, 0.2, 0.3, 0.6), Box(name, 0.42, 0.2, 0.3, 0.6)]})
    first, second = lesion_selection.locate_lesions(
        lesion_selection.select_scans(loaded(folder), "test", [], 0), boxes, 4
    )[0]
    band = np.zeros_like(first.mask)
    band[first.site.near] = first.site.rim
    assert band.any()
    assert not (band & second.mask).any()


def test_lesion_that_cannot_be_measured_in_is_a_sentence(folder):
    whole, speck = Box("Testing/1.png", 0, 0, 1, 1), Box("Testing/2.png", 0.5, 0.5, 0.02, 0.02)
    boxes = Boxes({box.name: [box] for box in (whole, speck)})
    found, problems = lesion_selection.locate_lesions(
        lesion_selection.select_scans(loaded(folder, fit="squash"), "test", [], 0), boxes, 4
    )
    assert found == []
    assert [problem.split(": ")[0] for problem in problems] == ["Testing/1.png", "Testing/2.png"]
    assert "covers 79% of the image" in problems[0]


def test_phantoms_that_are_letterboxed_have_no_proportions_to_place_a_box_by():
    images = data.load("phantom", DataConfig(size=32, phantom_count=24))
    chosen = lesion_selection.select_scans(images, "test", [], 0)
    name = chosen.names[0]
    found, problems = lesion_selection.locate_lesions(chosen, Boxes({name: [Box(name, 0.3, 0.3, 0.2, 0.2)]}), 4)
    assert found == []
    assert "its box cannot be used" in problems[0]
