import pytest

from engine.data.audit import summary
from engine.data.audit.groups import GroupMember, find_exact_groups

TRAIN, TEST = [GroupMember("train", f"a{i}") for i in range(4)], [GroupMember("test", f"b{i}") for i in range(4)]


def test_counts_of_train_and_test():
    keys, digests = list("xxyzxqqz"), list("12345674")
    assert summary.count_exact(keys, TRAIN + TEST, digests) == {
        "train": {"n": 4, "redundant": 1},
        "test": {"n": 4, "redundant": 1, "test_in_train": 2, "test_in_train_bytes": 1, "test_clean": 2},
    }


def test_a_validation_split_that_is_brought_counts_too():
    members = [GroupMember("train", "a"), GroupMember("validation", "b"), GroupMember("test", "c")]
    counts = summary.count_exact(list("xyy"), members)
    assert counts["validation"] == {"n": 1, "redundant": 0}
    assert counts["test"]["test_in_train"] == 1
    assert counts["test"]["test_in_train_bytes"] is None
    assert summary.warning(counts).startswith(
        "1 of 1 test images is also in the training or validation set (identical pixels)."
    )
    assert "Every test image is also in the training data" in summary.warning(counts)


def test_near_counts_do_not_count_what_is_in_train_pixel_for_pixel():
    members = TRAIN + TEST
    identical = find_exact_groups(list("xyzwxqrs"), members)
    nearly = [(TRAIN[0], TEST[0], TEST[1]), (TEST[2], TEST[3])]
    counts = summary.count_exact(list("xyzwxqrs"), members)
    assert summary.count_near(nearly, identical, counts) == {
        "train": {"near_duplicates": 1},
        "test": {"near_duplicates": 4, "near_train": 1, "near_clean": 2},
    }


def test_groups_across_come_first():
    described = summary.to_json([(TRAIN[0], TRAIN[1]), (TRAIN[2], TEST[0])])
    assert described == [
        {"across": True, "members": [{"split": "train", "name": "a2"}, {"split": "test", "name": "b0"}]},
        {"across": False, "members": [{"split": "train", "name": "a0"}, {"split": "train", "name": "a1"}]},
    ]


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ("abcdefgh", ""),
        (
            "abcdaaah",
            "3 of 4 test images are also in the training set (identical pixels). Report results on the 1 deduplicated "
            "test image; near-duplicates and other slices of the same patients may still be among them.",
        ),
        (
            "abcdaefg",
            "1 of 4 test images is also in the training set (identical pixels). Report results on the 3 deduplicated "
            "test images; near-duplicates and other slices of the same patients may still be among them.",
        ),
    ],
)
def test_the_warning(keys, sentence):
    assert summary.warning(summary.count_exact(list(keys), TRAIN + TEST)) == sentence
