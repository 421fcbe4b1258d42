"""How unusual an image is for a run: false alarms on images like the validation images, and when there is no note."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.job_context import UNATTENDED
from engine.latent import distribution
from engine.latent.distribution import FALSE_ALARMS, DistributionReference, count_flagged
from engine.latent.space import Codes

SIDE, SIZE = 4, 6


class Space:
    """Codes that are the first pixels of an image, and errors that are its last pixel."""

    def encode(self, images):
        return Codes(images.reshape(len(images), -1)[:, :SIZE], None)

    def errors(self, images, codes):
        return np.square(images[:, -1, -1, 0])


def make_images(count, seed, error=1.0, shift=0.0):
    images = np.random.default_rng(seed).normal(0, 1, (count, SIDE, SIDE, 1)).astype(np.float32)
    images[:, -1, -1] *= error
    images[:, 0] += shift
    return images


def make_latent(train, validation, groups=None):
    parts = {"train": train, "validation": validation}
    known = groups or tuple(f"p{number // 10}" for number in range(len(validation)))
    splits = {"train": SimpleNamespace(groups=("other",)), "validation": SimpleNamespace(groups=known)}
    images = SimpleNamespace(splits=splits, validation=splits["validation"], source="phantom")
    space = Space()
    return SimpleNamespace(
        images=images,
        space=space,
        codes=lambda split: space.encode(parts[split]),
        errors=lambda split: space.errors(parts[split], None),
    )


@pytest.fixture(scope="module")
def reference():
    return DistributionReference(make_latent(make_images(2000, 0), make_images(1000, 1)))


def flagged(reference, images):
    return np.mean(reference.p_values(*reference.measure(images)) <= FALSE_ALARMS)


def test_one_in_twenty_images_of_the_same_kind_is_flagged(reference):
    assert flagged(reference, make_images(4000, 2)) == pytest.approx(FALSE_ALARMS, abs=0.015)


def test_a_large_error_or_a_distant_code_is_flagged(reference):
    assert flagged(reference, make_images(200, 3, error=1000)) > 0.95
    assert flagged(reference, make_images(200, 3, shift=8.0)) > 0.95


def test_note_names_the_validation_images(reference):
    far, near = (reference.judge(make_images(1, 5, error=error)) for error in (1000, 0.1))
    assert (far.flagged, far.images, far.patients, far.error_percentile) == (True, 1000, 100, 100)
    assert far.p_value == pytest.approx(1 / 1001)
    assert far.sentence.startswith("Unlike the training images. Reconstruction error")
    assert "1,000 validation images of 100 patients" in near.sentence
    assert not near.flagged
    assert "Unlike" not in near.sentence


def test_images_of_a_split_are_counted(reference):
    images = make_images(90, 3, error=1000)
    found = count_flagged(reference, SimpleNamespace(read=lambda rows: images[rows]), np.arange(90), UNATTENDED)
    assert found["n"] == 90
    assert found["share"] == found["flagged"] / 90 > 0.95


def test_only_validation_images_of_other_patients_are_a_reference(trained):
    latent = make_latent(make_images(9, 0), make_images(30, 1))
    assert distribution.is_calibrated_by_patient(latent)
    for group in ("", "other", "~3"):
        groups = (group, *latent.images.validation.groups[1:])
        assert not distribution.is_calibrated_by_patient(make_latent(make_images(9, 0), make_images(30, 1), groups))
    few = make_latent(make_images(9, 0), make_images(19, 1))
    assert not distribution.is_calibrated_by_patient(few)
    assert distribution.load_reference(trained(), None) is None
