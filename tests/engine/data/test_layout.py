"""Split and class of an image by the names of its folders."""

import pytest

from engine.data import load
from engine.data.layout import note_undecided_folders, parse_layout
from engine.data.source import split_name


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *((name, "train") for name in ("train_set", "Train Data", "images_train", "train_2020", "train2017", "TRAIN")),
        *((name, "train") for name in ("trainval", "train_val", "TrainSet", "trainset", "imagesTr", "01-training.v2")),
        *((name, "validation") for name in ("valid-1", "val", "dev.set", "Validation_Images", "imagesVal")),
        *(
            (name, "test")
            for name in ("Test Data", "test_2021", "testset", "eval", "evaluation set", "(test)", "imagesTs")
        ),
        *((name, None) for name in ("contest", "trainee", "latest", "valley", "invalid", "device", "retest", "")),
        *((name, None) for name in ("train_test", "train-test-split", "medieval", "протестировано")),
    ],
)
def test_word_for_a_split_counts_between_separators(name, split):
    assert split_name(name) == split


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("images/train/1.png", "images/test/2.png"), [(None, "train"), (None, "test")]),
        (("train/images/1.png", "test/images/2.png"), [(None, "train"), (None, "test")]),
        (("train/images/a/1.png", "test/images/b/2.png"), [("a", "train"), ("b", "test")]),
        (("images/train/a/1.png", "images/test/a/2.png"), [("a", "train"), ("a", "test")]),
        (("a/train_set/1.png", "b/test_set/2.png"), [("a", "train"), ("b", "test")]),
        (("Test Data/train/1.png", "Test Data/test/2.png"), [(None, "train"), (None, "test")]),
        (("train_val/train/1.png", "train_val/val/2.png", "test/3.png"), [(None, "train"), (None, "validation")]),
        (("latest/1.png", "contest/2.png"), [("latest", None), ("contest", None)]),
        (("test_positive/1.png", "test_negative/2.png"), [("test_positive", None), ("test_negative", None)]),
        (("images/1.png", "images/2.png"), [(None, None), (None, None)]),
    ],
)
def test_nested_folders(names, expected):
    items = parse_layout(names)
    assert [(item.label, item.split) for item in items[: len(expected)]] == expected


def test_folders_that_look_like_splits_and_are_not_taken_are_named():
    (note,) = note_undecided_folders(parse_layout(["test_positive/1.png", "test_negative/2.png"]))
    assert "'test_negative', 'test_positive'" in note
    assert note_undecided_folders(parse_layout(["train_set/1.png", "test_set/2.png"])) == ()


def test_test_images_of_a_dataset_are_not_trained_on(tree, config):
    names = [f"{split}/glioma/{number}.png" for split in ("train_set", "test_set") for number in range(10)]
    dataset = load(str(tree(*names)), config())
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 9, "validation": 1, "test": 10}
    assert dataset.classes == ("glioma",)
