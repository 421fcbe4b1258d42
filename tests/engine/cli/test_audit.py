import json

import numpy as np
import pytest
from PIL import Image

from engine import cli
from engine.cli.program import NOT_FOUND
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


def test_images_that_belong_together_and_have_different_labels(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ENGRAM_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 32, 32), np.uint8)
    for number, name in enumerate(("glioma/a.png", "glioma/b.png", "pituitary/c.png", "pituitary/d.png", "none/e.png")):
        (tmp_path / "scans" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[min(number, 3)]).save(tmp_path / "scans" / name)
    (tmp_path / "scans" / "patients.csv").write_text("file,patient\na.png,x\nb.png,x\nc.png,x\nd.png,y\n")
    assert cli.main(["audit", str(tmp_path / "scans"), "--json"]) == 0
    same, patient = json.loads(capsys.readouterr().out)["label_conflicts"]
    assert (same["reason"], same["labels"]) == ("identical", {"pituitary": 1, "none": 1})
    assert (patient["reason"], patient["labels"]) == ("patient", {"pituitary": 1, "glioma": 2})
    assert [each["name"] for each in patient["members"]] == ["pituitary/c.png", "glioma/a.png", "glioma/b.png"]
    assert cli.main(["audit", str(tmp_path / "scans")]) == 0
    text = capsys.readouterr().out
    assert "have different labels (5 images; --json lists all)" in text
    assert "One patient: pituitary 1, glioma 2. Which label is wrong is not known.\n    pituitary: pituitary/c" in text


def test_a_clean_source_is_said_to_be_one(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("ENGRAM_CACHE", str(tmp_path))
    assert cli.main(["audit", "phantom", "--phantom-count", "24", "--size", "32"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("No test image is an exact copy of a training or validation image.\n\nDuplicates")
    assert "No other test image is a near-duplicate of a training or validation image." in text
    assert "\n\n\n" not in text


def test_patients_are_counted_or_said_to_be_unknown(folder, capsys):
    assert cli.main(["audit", str(folder)]) == 0
    assert "Patients are unknown: images of one patient may be in both" in capsys.readouterr().out
    table = folder.parent / "own.csv"
    table.write_text("file;patient\ntrain\\0.png;Ann\ntrain\\1.png;Bob\ntest\\copy.bmp;Bob\ntest\\own.png;Cy\n")
    assert cli.main(["audit", str(folder), "--groups", str(table)]) == 0
    text = capsys.readouterr().out
    assert "3 patients known (50% of the images): train 2, test 2; 1 in both test and training or validation." in text
    assert "Bob" not in text
    assert cli.main(["audit", str(folder), "--groups", str(table), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [found[name] for name in ("patients", "patients_in_both", "test_unseen_patients")] == [3, 1, 1]


def test_uncertain_folders_are_refused_until_the_user_says_what_they_are(folder, capsys):
    for number in range(6):
        (folder / f"train/AB{number:04}").mkdir()
        (folder / f"train/{number % 5}.png").rename(folder / f"train/AB{number:04}/1.png") if number < 5 else None
    (folder / "test" / "own.png").rename(folder / "train" / "AB0005" / "1.png")
    assert cli.main(["audit", str(folder / "train")]) == 2
    assert "may be classes or patients" in capsys.readouterr().err
    assert cli.main(["audit", str(folder / "train"), "--folders-are", "patients", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["patients"] == 6


def test_what_cannot_be_audited_is_refused_with_a_sentence(tmp_path, capsys):
    assert cli.main(["audit", str(tmp_path / "none")]) == NOT_FOUND
    assert "does not exist" in capsys.readouterr().err
