from collections import Counter

import pytest

from engine.data.splitting import SplitItem, split, split_patients


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


# ---- patients ------------------------------------------------------------------------------------------------------


def patients(*counts, size=10):
    """So many patients of each class, each with `size` images of its own."""
    return [
        SplitItem(f"{label}-{patient}-{number}", label, None, f"{label}-{patient}")
        for label, count in enumerate(counts)
        for patient in range(count)
        for number in range(size)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_a_patient_is_on_one_side_and_each_class_gives_its_share(seed):
    images = patients(20, 10)
    parts = split(images, 0.1, seed)
    groups = [{images[i].group for i in part} for part in parts.values()]
    assert len(set().union(*groups)) == sum(map(len, groups)) == 30
    for name in ("validation", "test"):
        assert Counter(images[i].label for i in parts[name]) == {0: 20, 1: 10}


def test_patients_of_one_image_are_drawn_as_images_are():
    alone = members(50, 30, 20)
    known = [SplitItem(item.key, item.label, None, f"patient {index}") for index, item in enumerate(alone)]
    assert split(known, 0.1, 3) == split(alone, 0.1, 3)


@pytest.mark.parametrize("seed", range(5))
def test_two_patients_that_share_an_image_stay_together(seed):
    images = [*patients(6), *(SplitItem("0-0-0", 0, None, f"0-{patient}") for patient in (0, 1))]
    parts = split(images, 0.3, seed)
    groups = [{images[i].group for i in part} for part in parts.values()]
    assert sum(map(len, groups)) == 6
    assert any({"0-0", "0-1"} <= found for found in groups)


def test_an_empty_slice_of_every_patient_joins_none():
    images = patients(20) + [SplitItem("black", 0, None, f"0-{patient}") for patient in range(20)]
    parts = split(images, 0.1, 0)
    assert all(len({images[i].group for i in parts[name]}) == 2 for name in ("validation", "test"))


def test_an_unknown_copy_follows_its_patient():
    for seed in range(10):
        images = [*patients(10), SplitItem("0-3-1", 0, None)]
        parts = split(images, 0.2, seed)
        assert any({31, 100} <= set(part) for part in parts.values())


def test_few_large_patients_leave_one_for_each_set():
    parts = split(patients(3, size=30), 0.1, 0)
    assert {name: len(part) for name, part in parts.items()} == {"train": 30, "validation": 30, "test": 30}


def cohort(count, unknown=5):
    """Images of so many patients of two classes, one to four each, then some of unknown patients."""
    named = [
        SplitItem(f"{patient}-{image}", patient % 2, ("train", "test")[patient % 3 == 0], f"p{patient}")
        for patient in range(count)
        for image in range(1 + patient % 4)
    ]
    return named + [SplitItem(f"unknown-{image}", 0, "train") for image in range(unknown)]


def test_a_fixed_test_set_of_whole_patients_and_five_folds():
    images = cohort(60)
    folds = [split_patients(images, 12, fold) for fold in range(1, 6)]
    held = [{images[index].group for index in parts["validation"]} for parts in folds]
    tested = {images[index].group for index in folds[0]["test"]}
    assert len(tested) == 12
    assert sum(int(patient[1:]) % 2 for patient in tested) == 6
    assert all(parts["test"] == folds[0]["test"] for parts in folds)
    assert sorted(map(len, held)) == [9, 9, 10, 10, 10]
    assert set().union(*held) | tested == {f"p{number}" for number in range(60)}
    for parts in folds:
        used = [{images[index].group for index in indices} for indices in parts.values()]
        assert sum(map(len, used)) == 60
        assert sum(map(len, parts.values())) == len(images) - 5


def test_patients_that_share_an_image_are_in_one_set_of_the_fixed_split():
    images = cohort(60, 0) + [SplitItem("shared", 0, None, f"p{number}") for number in (8, 9)]
    for fold in range(1, 6):
        for indices in split_patients(images, 12, fold).values():
            assert len({images[index].group for index in indices} & {"p8", "p9"}) in (0, 2)
