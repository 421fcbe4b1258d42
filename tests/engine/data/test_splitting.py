from collections import Counter

import pytest

from engine.data.splitting import SplitItem, split


def members(*sizes, named=None):
    """So many images of each class, every one its own image."""
    return [SplitItem(f"{label}-{i}", label, named) for label, size in enumerate(sizes) for i in range(size)]


def test_every_image_goes_to_exactly_one_split_in_the_order_of_the_source():
    parts = split(members(50, 30, 20), 0.1, 0)
    assert sorted(parts["train"] + parts["validation"] + parts["test"]) == list(range(100))
    assert all(indices == sorted(indices) for indices in parts.values())


def test_each_class_gives_its_share_to_each_missing_split():
    images = members(50, 30, 20)
    parts = split(images, 0.1, 0)
    for name in ("validation", "test"):
        assert Counter(images[i].label for i in parts[name]) == {0: 5, 1: 3, 2: 2}


def test_a_test_set_of_the_source_is_used_and_only_validation_is_held_out():
    images = members(40, named="train") + members(10, named="test")
    parts = split(images, 0.25, 0)
    assert parts["test"] == list(range(40, 50))
    assert len(parts["validation"]) == 10
    assert len(parts["train"]) == 30


def test_a_validation_set_of_the_source_is_used():
    images = members(40, named="train") + members(5, named="validation") + members(10, named="test")
    parts = split(images, 0.25, 0)
    assert parts["validation"] == list(range(40, 45))
    assert parts["train"] == list(range(40))


def test_the_seed_chooses_the_split_and_nothing_else_does():
    images = members(100, 100)
    assert split(images, 0.2, 7) == split(images, 0.2, 7)
    assert split(images, 0.2, 7)["validation"] != split(images, 0.2, 8)["validation"]
    turned = split(images[::-1], 0.2, 7)
    assert {images[::-1][i].key for i in turned["validation"]} == {
        images[i].key for i in split(images, 0.2, 7)["validation"]
    }


def test_adding_images_moves_few_others():
    before, after = members(200), members(220)
    held_before = {before[i].key for i in split(before, 0.2, 0)["validation"]}
    held_after = {after[i].key for i in split(after, 0.2, 0)["validation"]}
    assert len(held_before - held_after) < 10


@pytest.mark.parametrize("seed", range(20))
def test_copies_of_one_image_stay_together(seed):
    images = [SplitItem(f"picture-{i // 3}", i % 2, "train") for i in range(60)]
    parts = split(images, 0.3, seed)
    sides = [{images[i].key for i in indices} for indices in parts.values()]
    assert parts["validation"]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]


def test_a_tiny_source_still_has_something_to_validate_on():
    parts = split(members(2, named="train") + members(1, named="test"), 0.1, 0)
    assert len(parts["validation"]) == len(parts["train"]) == 1


def test_a_single_image_is_for_training():
    parts = split(members(1), 0.5, 0)
    assert parts == {"train": [0], "validation": [], "test": []}


def test_images_without_a_label_are_split_like_a_class():
    parts = split([SplitItem(str(i), -1, None) for i in range(40)], 0.25, 0)
    assert [len(parts[name]) for name in ("train", "validation", "test")] == [20, 10, 10]
