"""What a model is given follows from seed, epoch and image alone."""

import numpy as np
import pytest

from engine import config, metrics, pairs
from engine.errors import ConfigError
from engine.training.callbacks import EpochSequence

ALL = {"flip": 0.5, "shift": 0.1, "rotation": 10, "gamma": 0.2, "noise": "gaussian", "noise_high": 0.2}


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(0.3, 0.7, (12, 32, 32, 1)).astype(np.float32)


def of(images, rows, epoch=0, **settings):
    rows = np.asarray(rows)
    return pairs.BatchMaker(config.from_flat(settings)).make(images[rows], rows, epoch)


def test_without_settings_the_images_go_in_and_come_out_as_they_are(images):
    given, wanted = of(images, [3, 1])
    assert given is wanted
    assert np.array_equal(given, images[[3, 1]])


def test_neither_order_nor_batch_changes_what_is_made_of_an_image(images):
    whole = of(images, range(12), **ALL)
    for rows in ([5, 2, 11], [2], [11, 10, 9, 8, 7, 6, 5]):
        for part, all_ in zip(of(images, rows, **ALL), whole, strict=True):
            assert np.array_equal(part, all_[rows])


def test_every_epoch_and_every_seed_is_another_draw(images):
    first, later, reseeded = (of(images, [0], **ALL, **extra)[0] for extra in ({}, {"epoch": 1}, {"seed": 1}))
    assert not np.array_equal(first, later)
    assert not np.array_equal(first, reseeded)


def test_a_denoiser_is_given_noise_and_wants_the_clean_image(images):
    given, wanted = of(images, range(12), noise="gaussian", noise_low=0.02, noise_high=0.08)
    assert np.array_equal(wanted, images)
    spread = (given - wanted).std(axis=(1, 2, 3))
    assert 0.018 < spread.min() < 0.04 < 0.06 < spread.max() < 0.082


def test_noise_comes_after_the_augmentation(images):
    given, wanted = of(images, range(12), shift=0.2, noise="salt-and-pepper", noise_low=0.1, noise_high=0.1)
    assert not np.array_equal(wanted, images)
    assert np.mean(given != wanted) == pytest.approx(0.1, abs=0.03)


def test_validation_has_the_same_noise_every_time_and_its_clean_goal(images):
    class Split:
        def __len__(self):
            return 12

        def read(self, which=slice(None)):
            return images[which]

    settings = config.from_flat({"noise": "rician", "noise_low": 0.1}).noise
    split = pairs.make_validation_view(Split(), settings)
    assert len(split) == 12
    assert np.array_equal(split.read(slice(2, 5)), images[2:5])
    whole = split.inputs(images, range(12))
    assert np.array_equal(split.inputs(images[4:6], [4, 5]), whole[4:6])
    assert metrics.psnr_db(images, whole).max() < 25
    assert pairs.make_validation_view(images, config.from_flat({}).noise) is images


def test_batches_hand_out_pairs(images, tiny):
    class Split:
        def __len__(self):
            return 12

        def read(self, which):
            return images[which]

    settings = tiny(**ALL)
    batches = EpochSequence(Split(), 5, 0, 3, pairs.BatchMaker(settings))
    for index in range(len(batches)):
        rows = batches.order[index * 5 : index * 5 + 5]
        for found, wanted in zip(batches[index], of(images, rows, epoch=3, **ALL), strict=True):
            assert np.array_equal(found, wanted)


def test_levels_the_wrong_way_round_get_a_sentence():
    with pytest.raises(ConfigError, match=r"Minimum noise level 0.3 is above the maximum, 0.1"):
        config.from_flat({"noise": "gaussian", "noise_low": 0.3})
