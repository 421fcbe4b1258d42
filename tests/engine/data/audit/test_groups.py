import numpy as np
import pytest
from PIL import Image

from engine.data.audit import groups
from engine.data.audit.findings import Facts, Findings
from engine.data.audit.groups import Member, changes, near, same
from engine.data.audit.look import look
from engine.data.audit.near_duplicates import Pair, find
from engine.messages import never_stop


def facts(number, key, **changed):
    return Facts(**{"item": number, "key": key, "digest": str(number), "height": 60, "width": 40} | GRAY | changed)


GRAY = {"black": 0.0, "white": 0.9, "exponent": 1.0}


def test_same_has_the_files_of_each_picture_train_first():
    members = [Member("test", "a"), Member("train", "b"), Member("train", "c"), Member("test", "d")]
    assert same(["x", "x", "y", "x"], members) == [(members[1], members[0], members[3])]


def test_near_follows_chains_and_brings_the_copies_along():
    pictures = tuple(facts(number, key) for number, key in enumerate("abcbd"))
    members = [
        Member("test", "0"),
        Member("test", "1"),
        Member("train", "2"),
        Member("train", "3"),
        Member("test", "4"),
    ]
    pairs = (Pair(0, 1, 0, 0.001, 0.0), Pair(1, 2, 0, 0.001, 0.0))
    [group] = near(Findings(pictures, (), pairs), members)
    assert group == (
        Member("train", "3"),
        Member("test", "1", "3", ("identical pixels",)),
        Member("test", "0", "3", ("recompressed",)),
        Member("train", "2", "3", ("recompressed",)),
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
def test_a_turn_is_told_from_either_side(turn, onward, back):
    sides = {"height": 40, "width": 60} if turn % 2 else {}
    pair, pictures = Pair(0, 1, turn, 0.0, 0.0), (facts(0, "a"), facts(1, "b", **sides))
    assert changes(pair, 0, 1, pictures) == (onward,)
    assert changes(pair, 1, 0, pictures) == (back,)


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
def test_what_was_done_is_told(changed, moved, words):
    assert changes(Pair(0, 1, 0, 0.0, moved), 0, 1, (facts(0, "a"), facts(1, "b", **changed))) == words


def test_the_words_fit_what_pillow_does(phantoms, as_picture):
    """From pixels to words: a picture turned clockwise is said to be turned clockwise."""
    for method, words in (
        (Image.Transpose.ROTATE_270, "rotated by 90° clockwise"),
        (Image.Transpose.ROTATE_90, "rotated by 90° counterclockwise"),
        (Image.Transpose.FLIP_TOP_BOTTOM, "flipped top to bottom"),
        (Image.Transpose.TRANSPOSE, groups.TURNS[5]),
        (Image.Transpose.TRANSVERSE, groups.TURNS[7]),
    ):
        looks = [look(as_picture(each)) for each in (phantoms(1), phantoms(1).transpose(method))]
        [pair] = find(np.stack([each.thumbnail for each in looks]), lambda done, total: None, never_stop)
        square = {"height": 128, "width": 128}
        assert changes(pair, 0, 1, (facts(0, "a", **square), facts(1, "b", **square))) == (words,)
