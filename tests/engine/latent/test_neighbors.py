"""Planted copies are flagged and fresh phantoms are not; distances are right; what is left out stays out."""

import shutil

import numpy as np
import pytest

from engine import data
from engine.config import DataConfig
from engine.job_context import Cancelled, JobContext
from engine.latent import neighbors
from engine.latent.latent_data import flat
from engine.latent.neighbors import COPY_RATIO, NeighborIndex


@pytest.fixture(scope="module")
def phantoms():
    return data.load(config=DataConfig(source="phantom", size=48, phantom_count=96))


@pytest.fixture(scope="module")
def library(phantoms):
    return NeighborIndex(phantoms.train.keys, lambda rows: flat(phantoms.train.read(rows)))


def test_distances_are_those_of_brute_force():
    rng = np.random.default_rng(0)
    points, queries = rng.random((90, 7), np.float32), rng.random((5, 7), np.float32)
    found = NeighborIndex(tuple(map(str, range(90))), lambda rows: points[rows]).nearest(queries, 4)
    brute = np.sqrt(((queries[:, None] - points) ** 2).mean(axis=2))
    assert np.array_equal(found.indices, np.argsort(brute, axis=1)[:, :4])
    assert found.distances == pytest.approx(np.sort(brute, axis=1)[:, :4], rel=1e-5)
    crowd = np.sort(brute, axis=1)[:, :50]
    assert found.ratios == pytest.approx(crowd[:, 0] / crowd.mean(axis=1), rel=1e-4)


def test_equal_images_have_no_distance_at_all(phantoms, library):
    found = library.nearest(flat(phantoms.train.read([7, 30])), 1)
    assert found.distances[:, 0].tolist() == [0.0, 0.0]
    assert found.indices[:, 0].tolist() == [7, 30]


@pytest.mark.parametrize(
    "change",
    [lambda x: x, lambda x: np.clip(x * 1.02, 0, 1), lambda x: np.roll(x, 1, axis=2) * 0.3 + x * 0.7],
    ids=["same", "brighter", "a little aside"],
)
def test_planted_copies_are_flagged(phantoms, library, change):
    rng = np.random.default_rng(1)
    copies = change(phantoms.train.read([3, 20, 50]))
    noisy = np.clip(copies + rng.normal(0, 0.005, copies.shape), 0, 1).astype(np.float32)
    found = library.nearest(flat(noisy), 1)
    assert (found.ratios < COPY_RATIO).all()
    assert found.indices[:, 0].tolist() == [3, 20, 50]


def test_fresh_phantoms_are_not_flagged_and_neither_is_a_blurred_image(phantoms, library):
    fresh = flat(phantoms.test.read())
    blurred = flat(phantoms.train.read()).mean(axis=0, keepdims=True)
    assert not (library.nearest(fresh, 1).ratios < COPY_RATIO).any()
    assert library.nearest(blurred, 1).ratios[0] > 0.5


def test_training_images_with_copies_of_their_own_still_show_a_copy():
    """A ratio to the second nearest alone would call a copy of an image that stands twice in train no copy."""
    points = np.random.default_rng(2).random((80, 30)).astype(np.float32)
    points[1] = points[0] + 1e-3
    found = NeighborIndex(tuple(map(str, range(80))), lambda rows: points[rows]).nearest(points[:1] + 1e-4, 1)
    assert found.ratios[0] < COPY_RATIO
    same = NeighborIndex(("a", "a", *map(str, range(78))), lambda rows: points[rows])
    assert len(same.rows) == 79


def test_images_of_the_same_pixels_are_passed_over(phantoms, library):
    near = library.nearest(flat(phantoms.train.read([9])), 3, (phantoms.train.keys[9],))
    assert 9 not in near.indices
    usual = neighbors.measure_reference(
        library, flat(phantoms.validation.read()), phantoms.validation.keys, "validation"
    )
    assert usual.share == 0.0
    assert usual.typical > 0.01
    assert usual.scans == len(phantoms.validation)


def test_a_single_training_image_is_no_crowd():
    points = np.ones((1, 4), np.float32)
    found = NeighborIndex(("a",), lambda rows: points[rows]).nearest(np.zeros((1, 4), np.float32), 5)
    assert found.indices.shape == (1, 1)
    assert found.ratios[0] == 1.0


def test_search_that_is_stopped_has_no_answer(phantoms, library):
    with pytest.raises(Cancelled):
        library.nearest(flat(phantoms.test.read()), 1, context=JobContext(lambda: True))


def test_few_held_out_images_yield_to_the_training_images():
    assert neighbors.reference_rows(100, 30)[0] == "validation"
    split, rows = neighbors.reference_rows(2000, 5)
    assert split == "train"
    assert len(rows) == neighbors.QUERIES


def test_copies_among_real_test_images_are_found(real_data, tmp_path):
    """Many are training scans in files of other bytes; one class of the dataset is enough to see it."""
    for part in ("Training", "Testing"):
        shutil.copytree(real_data / part / "no_tumor", tmp_path / part / "no_tumor")
    images = data.load(config=DataConfig(source=str(tmp_path), size=48))
    known = NeighborIndex(images.train.keys, lambda rows: flat(images.train.read(rows)))
    ratios = known.nearest(flat(images.test.read()), 1).ratios
    in_train = np.isin(images.test.keys, images.train.keys)
    assert in_train.sum() > 10
    assert (ratios[in_train] < COPY_RATIO).all()
    usual = neighbors.measure_reference(known, flat(images.validation.read()), images.validation.keys, "validation")
    assert usual.share < 0.5
