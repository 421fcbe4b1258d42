import numpy as np
import pytest

from engine.data import load
from engine.data.phantom import CLASSES, phantom
from engine.folders import cache_root


@pytest.fixture
def small(config):
    def make(**changes):
        return config(phantom_count=30, **changes)

    return make


def test_the_last_sixth_is_the_test_set(small):
    dataset = load("phantom", small())
    assert dataset.test.names == tuple(f"phantom-{i:06d}" for i in range(25, 30))
    assert len(dataset.train) + len(dataset.validation) == 25
    assert len(dataset.validation) > 0
    assert dataset.classes == CLASSES
    assert not dataset.skipped


def test_an_image_is_the_phantom_of_its_name_and_label(small):
    dataset = load("phantom", small(phantom_seed=3))
    for split in dataset.splits.values():
        for name, label, image in zip(split.names, split.labels, split.read(), strict=True):
            made = phantom(32, 3, int(name.removeprefix("phantom-")))
            np.testing.assert_array_equal(image[..., 0], made.image)
            assert CLASSES[label] == made.label


def test_phantoms_are_made_once(small, monkeypatch):
    first = load("phantom", small())
    monkeypatch.setattr("engine.data.phantom.phantom", None)
    assert load("phantom", small(split_seed=9)).classes == first.classes


@pytest.mark.parametrize("change", [{"phantom_seed": 1}, {"size": 48}])
def test_another_seed_or_size_is_another_entry(small, change):
    first = load("phantom", small())
    assert load("phantom", small(**change)).fingerprint != first.fingerprint
    assert len(list((cache_root() / "images").iterdir())) == 2


def test_phantoms_of_another_generator_are_made_again(small, monkeypatch, tmp_path):
    load("phantom", small())
    (tmp_path / "changed.py").touch()
    monkeypatch.setattr("engine.data.phantom.__file__", str(tmp_path / "__init__.py"))
    load("phantom", small())
    assert len(list((cache_root() / "images").iterdir())) == 2
