"""The real images, decoded once for all that is read from them."""

import pytest

from engine.config import DataConfig
from engine.data import load
from engine.data.audit import audit

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def config(real_data):
    def make(**changes):
        return DataConfig(source=str(real_data), **{"size": 32, "fit": "squash", **changes})

    return make


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    """One cache for the file, so that the images are decoded once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENGRAM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def dataset(config):
    return load(config=config())


def test_the_real_images(dataset):
    assert len(dataset.train) + len(dataset.validation) == 2870
    assert len(dataset.test) == 198
    assert dataset.classes == ("glioma_tumor", "meningioma_tumor", "no_tumor", "pituitary_tumor")
    counts = dataset.counts()
    assert [row["train"] + row["validation"] for row in counts.values()] == [826, 822, 395, 827]
    assert all(abs(row["validation"] - 0.1 * (row["train"] + row["validation"])) <= 1 for row in counts.values())
    assert [item.name for item in dataset.skipped] == ["lesion_boxes.csv", "patients.csv"]
    assert not set(dataset.train.keys) & set(dataset.validation.keys)
    assert dataset.leaked.sum() == 126  # many test images are also training images
    assert dataset.train.names[:2] == ("Training/glioma_tumor/gg (1).jpg", "Training/glioma_tumor/gg (2).jpg")


def test_the_patients_of_the_real_images(dataset, config):
    facts = dataset.patients
    assert (facts.patients, facts.in_both, facts.unseen, facts.known["test"]) == (202, 10, 0, 14)
    assert sum(facts.known.values()) == 2331
    assert not set(dataset.train.groups) & set(dataset.validation.groups) - {""}
    assert len(dataset.validation) == 288
    assert load(config=config(split_by="image")).fingerprint != dataset.fingerprint


def test_copies_among_the_real_images(config):
    found = audit(config())
    assert found["splits"] == {
        "train": {"n": 2870, "redundant": 101},
        "test": {"n": 198, "redundant": 21, "test_in_train": 126, "test_in_train_bytes": 46, "test_clean": 72},
    }
    assert found["near"]["splits"]["test"] == {"near_duplicates": 39, "near_train": 8, "near_clean": 64}
