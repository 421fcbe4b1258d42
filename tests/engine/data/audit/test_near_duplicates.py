import numpy as np
import pytest
from PIL import Image

from engine.data.audit import near_duplicates
from engine.data.audit.appearance import normalize_appearance, standardize
from engine.data.audit.near_duplicates import (
    LENGTH,
    RADIUS,
    apply_dihedral_transform,
    compute_perceptual_hashes,
    find_near_duplicates,
)
from engine.job_context import Cancelled, JobContext


@pytest.fixture
def thumbnails(as_picture):
    """Thumbnails of some images."""
    return lambda *pictures: np.stack([normalize_appearance(as_picture(picture)).thumbnail for picture in pictures])


def pairs(thumbnails):
    return find_near_duplicates(thumbnails)


def test_a_changed_copy_is_found_and_nothing_else(phantoms, thumbnails, change):
    # As large as scans are: half of 128 px is another image.
    originals = [phantoms(index, 256) for index in range(24)]
    found = pairs(thumbnails(*originals, *map(change, originals[:8])))
    assert [(pair.one, pair.other) for pair in found] == [(index, 24 + index) for index in range(8)]


@pytest.mark.parametrize("turn", range(8))
def test_the_turn_lays_the_second_over_the_first(phantoms, thumbnails, turn):
    original = np.asarray(phantoms(5))
    [pair] = pairs(thumbnails(apply_dihedral_transform(original[None], turn)[0], original))
    assert pair.turn == turn
    assert pair.residual < 1e-4


def test_a_small_crop_is_a_near_duplicate_that_moved(phantoms, thumbnails):
    original = phantoms(4)
    [pair] = pairs(thumbnails(original, original.crop((1, 0, 128, 127))))
    assert 0.002 < pair.moved < 0.02
    [still] = pairs(thumbnails(original, original.resize((90, 90))))
    assert still.moved < 0.002


def test_a_lesion_drawn_into_a_copy_makes_it_another_image(phantoms, thumbnails):
    original = np.asarray(phantoms(0)).copy()
    changed = original.copy()
    changed[50:64, 50:64] = 255 - changed[50:64, 50:64]
    assert not pairs(thumbnails(original, changed))


def test_blocks_make_no_difference(phantoms, thumbnails, monkeypatch):
    originals = [phantoms(index) for index in range(10)]
    seen = thumbnails(*originals, *(picture.transpose(Image.Transpose.ROTATE_180) for picture in originals))
    whole = pairs(seen)
    monkeypatch.setattr(near_duplicates, "_BLOCK", 7)
    monkeypatch.setattr(near_duplicates, "_BATCH", 2)
    in_blocks = pairs(seen)
    assert [(pair.one, pair.other, pair.turn) for pair in in_blocks] == [(i, 10 + i, 2) for i in range(10)]
    assert [(pair.one, pair.other) for pair in whole] == [(pair.one, pair.other) for pair in in_blocks]


def test_progress_and_stop(phantoms, thumbnails):
    seen, told = thumbnails(phantoms(0), phantoms(1)), []
    find_near_duplicates(seen, JobContext(on_progress=lambda *step: told.append(step), title="Comparing"))
    assert told == [("Comparing", 2, 2)]
    with pytest.raises(Cancelled):
        find_near_duplicates(seen, JobContext(should_stop=lambda: True))


def test_nothing_has_no_pairs():
    assert pairs(np.zeros((0, 64, 64), np.uint16)) == []


@pytest.fixture
def images(phantoms, as_picture):
    return standardize(np.stack([normalize_appearance(as_picture(phantoms(index))).thumbnail for index in range(10)]))


@pytest.mark.parametrize("turn", range(8))
def test_turning_and_flipping_change_nothing(images, turn):
    np.testing.assert_allclose(
        compute_perceptual_hashes(apply_dihedral_transform(images, turn)), compute_perceptual_hashes(images), atol=1e-5
    )


def test_a_fingerprint_is_a_row_of_length_at_most_1(images):
    hashes = compute_perceptual_hashes(images)
    assert hashes.shape == (10, LENGTH)
    assert hashes.dtype == np.float32
    assert (np.linalg.norm(hashes, axis=1) < 1 + 1e-5).all()


def test_copies_are_within_the_radius(phantoms, as_picture, images, change):
    copies = standardize(
        np.stack([normalize_appearance(as_picture(change(phantoms(index)))).thumbnail for index in range(10)])
    )
    assert (
        np.linalg.norm(compute_perceptual_hashes(copies) - compute_perceptual_hashes(images), axis=1).max()
        < 0.75 * RADIUS
    )
