"""File names of a table and the images that they mean."""

import pytest

from engine.data.name_matching import match_names

KNOWN = [*(f"{split}/glioma/{number}.png" for split in ("Train", "Test") for number in range(3)), "Test/none/7.png"]


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("Test/glioma/1.png", "Test/glioma/1.png"),
        (r"Test\glioma\1.png", "Test/glioma/1.png"),
        ("./Test/./glioma//1.png", "Test/glioma/1.png"),
        (r".\Test\glioma\1.png", "Test/glioma/1.png"),
        ("test/GLIOMA/1.PNG", "Test/glioma/1.png"),
        ("7.png", "Test/none/7.png"),
        ("none/7.jpg", "Test/none/7.png"),
        ("7", "Test/none/7.png"),
        (r"C:\data\Test\glioma\1.png", "Test/glioma/1.png"),
        ("/home/x/Test/glioma/1", "Test/glioma/1.png"),
        ("1.png", None),
        ("Other/glioma/1.png", None),
        ("glioma/1.png", None),
        ("glioma/8.png", None),
        ("", None),
    ],
)
def test_name_is_matched_where_only_one_image_fits(name, image):
    assert match_names([name], KNOWN) == ({name: image} if image else {})


def test_case_tells_two_images_apart():
    known = ["a/1.png", "A/1.png"]
    assert match_names(["A/1.png", "a/1.png"], known) == {"A/1.png": "A/1.png", "a/1.png": "a/1.png"}
    assert match_names(["A/1.PNG"], known) == {}


def test_files_of_one_name_in_different_folders_are_not_one_image():
    assert match_names(["x/1.png", "y/1.png"], ["1.png"]) == {}
    assert match_names(["x/1.png", r"X\1.png"], ["1.png"]) == {"x/1.png": "1.png", r"X\1.png": "1.png"}
    assert match_names(["1.png", "y/1.png"], ["1.png"]) == {"1.png": "1.png"}


def test_one_letter_has_several_spellings():
    composed, decomposed = "caf\u00e9.png", "cafe\u0301.png"
    assert match_names([decomposed], [composed]) == {decomposed: composed}
