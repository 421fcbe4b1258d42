import numpy as np
import pytest

from engine.data.audit.fingerprint import LENGTH, fingerprints
from engine.data.audit.look import look, standardised
from engine.data.audit.near_duplicates import RADIUS, turned


@pytest.fixture
def images(phantoms, as_picture):
    return standardised(np.stack([look(as_picture(phantoms(index))).thumbnail for index in range(10)]))


@pytest.mark.parametrize("turn", range(8))
def test_turning_and_flipping_change_nothing(images, turn):
    np.testing.assert_allclose(fingerprints(turned(images, turn)), fingerprints(images), atol=1e-5)


def test_a_fingerprint_is_a_row_of_length_at_most_1(images):
    hashes = fingerprints(images)
    assert hashes.shape == (10, LENGTH)
    assert hashes.dtype == np.float32
    assert (np.linalg.norm(hashes, axis=1) < 1 + 1e-5).all()


def test_copies_are_within_the_radius(phantoms, as_picture, images, change):
    copies = standardised(np.stack([look(as_picture(change(phantoms(index)))).thumbnail for index in range(10)]))
    assert np.linalg.norm(fingerprints(copies) - fingerprints(images), axis=1).max() < 0.75 * RADIUS
