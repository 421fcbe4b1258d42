import numpy as np
import pytest
from PIL import Image

from engine.data import load
from engine.data.audit import audit, find_exact_duplicates
from engine.errors import EmptySource
from tests.engine.data.audit.conftest import CHANGES


@pytest.fixture
def planted(phantoms, save):
    """30 phantoms in train and 10 in test; a changed copy of 22 of them, half of these in test; one exact copy."""
    truth = {}
    for index in range(40):
        name = f"{'train' if index < 30 else 'test'}/{index}.png"
        folder = save(phantoms(index), name)
        truth[name] = index
    for number, change in enumerate([*CHANGES.values()] * 2):
        name = f"{'train' if number % 2 else 'test'}/copy {number}.png"
        save(change(phantoms(number)), name)
        truth[name] = number
    save(phantoms(29), "test/exact.bmp")
    (folder / "test" / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder, truth


def test_planted_copies_are_found_and_nothing_else(planted, config):
    folder, truth = planted
    found = audit(config(source=str(folder)))
    groups = [{member["name"] for member in group["members"]} for group in found["near"]["groups"]]
    assert all(len({truth[name] for name in group}) == 1 for group in groups)
    assert len(groups) == 22
    assert sum(map(len, groups)) == 44


def test_the_whole_answer(planted, config):
    folder, _ = planted
    found = audit(config(source=str(folder)))
    assert found["splits"] == {
        "train": {"n": 41, "redundant": 0},
        "test": {"n": 22, "redundant": 0, "test_in_train": 1, "test_in_train_bytes": 0, "test_clean": 21},
    }
    assert found["groups"] == [
        {
            "across": True,
            "members": [{"split": "train", "name": "train/29.png"}, {"split": "test", "name": "test/exact.bmp"}],
        }
    ]
    assert found["near"]["splits"] == {
        "train": {"near_duplicates": 33},
        "test": {"near_duplicates": 11, "near_train": 11, "near_clean": 10},
    }
    assert found["warning"].startswith("1 of 22 test images is also in the training set (identical pixels).")
    assert [each["name"] for each in found["skipped"]] == ["test/damaged.png"]


def test_what_was_done_is_reported(phantoms, save, config):
    save(phantoms(0), "train/1.png")
    folder = save(CHANGES["quarter turn"](phantoms(0)), "test/2.png")
    [group] = audit(config(source=str(folder)))["near"]["groups"]
    assert group["members"] == [
        {"split": "train", "name": "train/1.png", "like": "", "seen": []},
        {"split": "test", "name": "test/2.png", "like": "train/1.png", "seen": ["rotated by 90° counterclockwise"]},
    ]


def test_a_loaded_dataset_tells_the_same_at_once(planted, config):
    folder, _ = planted
    images = load(str(folder), config())
    found, at_once = audit(images.config), find_exact_duplicates(images)
    assert at_once["groups"] == found["groups"]
    assert at_once["warning"] == found["warning"]
    for name, counts in at_once["splits"].items():
        assert counts == found["splits"][name] | ({"test_in_train_bytes": None} if name == "test" else {})
    assert at_once["splits"]["test"]["test_in_train"] == images.leaked.sum()


def test_a_validation_split_of_its_own_is_counted_apart(phantoms, save, config):
    for name, index in (("train/1", 1), ("valid/2", 2), ("test/2", 2), ("test/3", 3)):
        folder = save(phantoms(index), f"{name}.png")
    found = audit(config(source=str(folder)))
    assert found["splits"]["validation"] == {"n": 1, "redundant": 0}
    assert found["splits"]["test"]["test_in_train"] == 1
    assert find_exact_duplicates(load(str(folder), config()))["splits"]["test"]["test_clean"] == 1


def test_a_test_set_that_is_held_out_is_the_one_that_load_holds_out(phantoms, save, config):
    for index in range(20):
        folder = save(phantoms(index), f"{index}.png")
    found, images = audit(config(source=str(folder))), load(str(folder), config())
    assert found["splits"]["test"]["n"] == len(images.test)
    assert found["splits"]["train"]["n"] == len(images.train) + len(images.validation)
    assert found["notes"] == [note for note in images.notes if "no test set" in note]
    assert images.held_out == ("validation", "test")


def test_phantoms_are_all_their_own(config):
    found = audit(config(source="phantom", phantom_count=60, size=64))
    assert found["splits"] == {
        "train": {"n": 50, "redundant": 0},
        "test": {"n": 10, "redundant": 0, "test_in_train": 0, "test_in_train_bytes": 0, "test_clean": 10},
    }
    assert found["groups"] == found["near"]["groups"] == []
    assert found["warning"] == ""


def test_a_hugging_face_folder(planted, config):
    folder, _ = planted
    (folder / "test" / "damaged.png").unlink()
    by_folder, by_library = (audit(config(source=f"{prefix}{folder}")) for prefix in ("", "hf:"))
    assert by_library["splits"] == by_folder["splits"]
    assert by_library["near"]["splits"] == by_folder["near"]["splits"]


def test_a_source_without_images_is_refused(tmp_path, config):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(EmptySource, match="no usable image"):
        audit(config(source=str(tmp_path)))


def test_flat_images_are_the_same_but_never_nearly(save, config):
    for name, value in (("train/1", 0), ("train/2", 3), ("test/3", 0), ("test/4", 250)):
        folder = save(Image.fromarray(np.full((30, 30), value, np.uint8)), f"{name}.png")
    found = audit(config(source=str(folder)))
    assert found["splits"]["test"]["test_in_train"] == 1
    assert found["near"]["groups"] == []
