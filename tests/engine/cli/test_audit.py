import json

import numpy as np
import pytest
from PIL import Image

from engine import cli
from engine.data.phantom import phantom


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Train and test: phantom 1 is in both under other bytes, phantom 2 in both but flipped; one file is no image."""
    monkeypatch.setenv("ENGRAM_CACHE", str(tmp_path / "cache"))

    def save(index, name, flip=False):
        pixels = np.rint(np.asarray(phantom(64, 0, index).image) * 255).astype(np.uint8)
        file = tmp_path / "scans" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[:, ::-1] if flip else pixels).save(file)

    for index in range(5):
        save(index, f"train/{index}.png")
    save(1, "test/copy.bmp")
    save(2, "test/flipped.png", flip=True)
    save(9, "test/own.png")
    (tmp_path / "scans" / "test" / "notes.txt").write_text("nothing")
    return tmp_path / "scans"


def test_json_has_the_counts_and_the_groups(folder, capsys):
    assert cli.main(["audit", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["splits"] == {
        "train": {"n": 5, "redundant": 0},
        "test": {"n": 3, "redundant": 0, "test_in_train": 1, "test_in_train_bytes": 0, "test_clean": 2},
    }
    [group] = found["groups"]
    assert [member["name"] for member in group["members"]] == ["train/1.png", "test/copy.bmp"]
    assert found["near"]["splits"]["test"] == {"near_duplicates": 1, "near_train": 1, "near_clean": 1}
    assert found["near"]["groups"][0]["members"][1]["seen"] == ["flipped left to right"]


def test_text_warns_and_names_the_first_groups(folder, capsys):
    assert cli.main(["audit", str(folder)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(
        "1 of 3 test images is also in the training set (identical pixels). Report results on the 2 dedup"
    )
    assert "Byte-identical files among them: 0 of 1; a file hash would miss the rest." in text
    assert "train/1.png = test/copy.bmp" in text
    assert "test/flipped.png: flipped left to right" in text
    assert "test/notes.txt: not an image" in text


def test_a_clean_source_is_said_to_be_one(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("ENGRAM_CACHE", str(tmp_path))
    assert cli.main(["audit", "phantom", "--phantom-count", "24", "--size", "32"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("No test image is an exact copy of a training or validation image. (Slices")
    assert "No other test image is a near-duplicate of a training or validation image." in text
    assert "\n\n\n" not in text


def test_what_cannot_be_audited_is_refused_with_a_sentence(tmp_path, capsys):
    assert cli.main(["audit", str(tmp_path / "none")]) == 2
    assert "does not exist" in capsys.readouterr().err
