import numpy as np
import pytest
from PIL import Image

from engine.data.audit import groups
from engine.data.audit.appearance import normalize_appearance
from engine.data.audit.groups import GroupMember, describe_changes, find_exact_groups, find_near_groups
from engine.data.audit.near_duplicates import NearDuplicatePair, find_near_duplicates
from engine.data.audit.survey import ImageRecord, SourceSurvey


def facts(number, key, **changed):
    return ImageRecord(
        **{"item": number, "key": key, "digest": str(number), "height": 60, "width": 40} | GRAY | changed
    )


GRAY = {"black": 0.0, "white": 0.9, "exponent": 1.0}


def test_same_has_the_files_of_each_image_train_first():
    members = [GroupMember("test", "a"), GroupMember("train", "b"), GroupMember("train", "c"), GroupMember("test", "d")]
    assert find_exact_groups(["x", "x", "y", "x"], members) == [(members[1], members[0], members[3])]


def test_near_follows_chains_and_brings_the_copies_along():
    pictures = tuple(facts(number, key) for number, key in enumerate("abcbd"))
    members = [
        GroupMember("test", "0"),
        GroupMember("test", "1"),
        GroupMember("train", "2"),
        GroupMember("train", "3"),
        GroupMember("test", "4"),
    ]
    pairs = (NearDuplicatePair(0, 1, 0, 0.001, 0.0), NearDuplicatePair(1, 2, 0, 0.001, 0.0))
    [group] = find_near_groups(SourceSurvey(pictures, (), pairs), members)
    assert group == (
        GroupMember("train", "3"),
        GroupMember("test", "1", "3", ("identical pixels",)),
        GroupMember("test", "0", "3", ("recompressed",)),
        GroupMember("train", "2", "3", ("recompressed",)),
    )


@pytest.mark.parametrize(
    ("turn", "onward", "back"),
    [
        (0, "recompressed", "recompressed"),
        (1, "rotated by 90° clockwise", "rotated by 90° counterclockwise"),
        (2, "rotated by 180°", "rotated by 180°"),
        (3, "rotated by 90° counterclockwise", "rotated by 90° clockwise"),
        (4, "flipped left to right", "flipped left to right"),
        (6, "flipped top to bottom", "flipped top to bottom"),
    ],
)
def test_a_turn_is_recognized_from_either_side(turn, onward, back):
    sides = {"height": 40, "width": 60} if turn % 2 else {}
    pair, pictures = NearDuplicatePair(0, 1, turn, 0.0, 0.0), (facts(0, "a"), facts(1, "b", **sides))
    assert describe_changes(pair, 0, 1, pictures) == (onward,)
    assert describe_changes(pair, 1, 0, pictures) == (back,)


@pytest.mark.parametrize(
    ("changed", "moved", "words"),
    [
        ({"exponent": 1.25}, 0.0, ("gamma 0.80",)),
        ({"exponent": 1.1}, 0.01, ("slightly cropped or shifted",)),
        ({"black": 0.1, "white": 1.0}, 0.0, ("brighter",)),
        ({"white": 0.7}, 0.0, ("darker",)),
        ({"height": 30}, 0.0, ("resized from 40 × 60 to 40 × 30",)),
    ],
)
def test_what_was_done_is_reported(changed, moved, words):
    assert (
        describe_changes(NearDuplicatePair(0, 1, 0, 0.0, moved), 0, 1, (facts(0, "a"), facts(1, "b", **changed)))
        == words
    )


def test_the_words_fit_what_pillow_does(phantoms, as_picture):
    """From pixels to words: an image turned clockwise is said to be turned clockwise."""
    for method, words in (
        (Image.Transpose.ROTATE_270, "rotated by 90° clockwise"),
        (Image.Transpose.ROTATE_90, "rotated by 90° counterclockwise"),
        (Image.Transpose.FLIP_TOP_BOTTOM, "flipped top to bottom"),
        (Image.Transpose.TRANSPOSE, groups.TURNS[5]),
        (Image.Transpose.TRANSVERSE, groups.TURNS[7]),
    ):
        looks = [normalize_appearance(as_picture(each)) for each in (phantoms(1), phantoms(1).transpose(method))]
        [pair] = find_near_duplicates(np.stack([each.thumbnail for each in looks]))
        square = {"height": 128, "width": 128}
        assert describe_changes(pair, 0, 1, (facts(0, "a", **square), facts(1, "b", **square))) == (words,)
