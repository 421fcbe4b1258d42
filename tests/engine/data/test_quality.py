"""Sentences about a dataset: what was left out, and images that look wrong."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from engine.data import Skipped, load
from engine.data.folder import FolderSource
from engine.data.quality import FEW_IMAGES, summarize_skipped


class CountedReads:
    """A reader of items that counts how often it is called."""

    def __init__(self, read):
        self.read, self.count = read, 0

    def __get__(self, source, owner):
        return lambda index: self(source, index)

    def __call__(self, source, index):
        self.count += 1
        return self.read(source, index)


@pytest.fixture
def notes(tree, noise, config):
    """Load a folder of some pictures beside others and return the notes: `notes({"a.png": pixels}, others=99)`."""

    def make(pictures, others=FEW_IMAGES, **options):
        folder = tree(*(f"{number}.png" for number in range(others)))
        for name, pixels in pictures.items():
            Image.fromarray(pixels).save(folder / name)
        return [note for note in load(str(folder), config(**options)).notes if "held out" not in note]

    return make


def test_ordinary_dataset_has_no_notes(notes):
    assert notes({}) == []


def test_few_images_are_noted(notes):
    (note,) = notes({}, others=FEW_IMAGES - 1)
    assert note.startswith("The dataset has only 99 images")


def test_blank_and_identical_images_are_counted(notes, noise):
    blank = np.full((20, 30), 7, np.uint8)
    found = notes({"blank.png": blank, "copy.png": noise(0), "copy2.png": noise(0)})
    assert found == [
        "1 of 103 images is blank (one intensity throughout): blank.png.",
        "3 of 103 images are identical to another one: 0.png, copy2.png, copy.png. `audit` lists them all.",
    ]


def test_images_that_look_like_masks_are_named(notes):
    masks = {f"x{number}.png": np.eye(30, k=number, dtype=np.uint8) * 255 for number in range(5)}
    (note,) = notes(masks)
    assert note.startswith("5 of 105 images have at most 8 intensities, as masks have, and are used as images: x0.png,")
    assert note.endswith("x2.png and 2 more.")


def test_dataset_far_below_white_is_noted_unless_it_is_scaled(notes, tmp_path):
    deep = np.random.default_rng(0).integers(0, 4095, (FEW_IMAGES, 16, 16)).astype(np.uint16)
    pictures = {f"{number}.png": pixels for number, pixels in enumerate(deep)}
    (note,) = notes(pictures)
    assert note.startswith("The brightest pixel of the dataset has 6% of the intensity of white")
    assert "(--intensity) to percentile" in note
    assert notes(pictures, normalisation="percentile") == []
    assert notes({"0.png": np.full((16, 16), 0.3 * 65_535).astype(np.uint16) + deep[0]}, others=0)[1:] == []


def test_facts_are_kept_in_the_cache_and_may_be_missing_there(tree, config, own_cache, monkeypatch):
    folder = tree("1.png", "2.png")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(folder / "2.png")
    monkeypatch.setattr("engine.data.folder.FolderSource.read", read := CountedReads(FolderSource.read))
    first = load(str(folder), config())
    assert any("blank" in note for note in first.notes)
    assert load(str(folder), config()).notes == first.notes
    (file,) = own_cache.rglob("index.json")
    content = json.loads(file.read_text())
    del content["facts"], content["index"]  # as before they were kept
    content["index"] = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    file.write_text(json.dumps(content))
    again = load(str(folder), config())
    assert not any("blank" in note for note in again.notes)
    assert again.fingerprint == first.fingerprint
    assert read.count == 2


@pytest.mark.parametrize(
    ("reasons", "sentence"),
    [
        ([], ""),
        (["a mask of images/0.png", "a mask of images/1.png"], "2 are masks"),
        (
            ["not a readable image (PNG, JPEG, BMP or TIFF): a WebP image named .jpg"] * 3,
            "3 are WebP images named .jpg",
        ),
        (
            ["not an image", "not an image", "is outside the split folders"],
            "2 are not images, 1 is outside the split folders",
        ),
        (["damaged: broken", "damaged: cut off"], "2 are damaged"),
        (["holds 4 frames; a dataset takes one"] * 2 + ["holds 5 frames; a"], "3 (holds several frames)"),
        (["a link to a file that does not exist"] * 2, "2 are links to a file that does not exist"),
    ],
)
def test_reasons_are_grouped(reasons, sentence):
    skipped = [Skipped(str(number), reason) for number, reason in enumerate(reasons)]
    said = summarize_skipped(1, skipped)
    assert said == (sentence and f"1 of {1 + len(reasons)} files is used as images: {sentence}.")
