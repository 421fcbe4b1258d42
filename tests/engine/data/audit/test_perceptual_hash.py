import numpy as np
import pytest

from engine.data.audit.appearance import normalize_appearance, standardize
from engine.data.audit.near_duplicates import RADIUS, apply_dihedral_transform
from engine.data.audit.perceptual_hash import LENGTH, compute_perceptual_hashes


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
