"""Boxes of a dataset's lesions: from a table, or from what lies beside its images."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from engine import data
from engine.config import DataConfig
from engine.data.folder import TABLE_OF_BOXES
from engine.errors import DataError
from engine.evaluation.lesion_boxes import load_boxes, require_boxes

BOX = (0.25, 0.25, 0.25, 0.25)


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """Write images, and other files by their names, and load them: `scans({"labels/1.txt": b"..."})`."""
    monkeypatch.setenv("ENGRAM_CACHE", str(tmp_path / "cache"))

    def make(others, images=tuple(f"images/{number}.png" for number in range(6))):
        folder = tmp_path / "scans"
        for number, name in enumerate(images):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(number).integers(0, 256, (40, 40), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name)
        for name, content in others.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                (folder / name).write_bytes(content)
            else:
                Image.fromarray(content).save(folder / name)
        return data.load(config=DataConfig(source=str(folder), size=32))

    return make


def names_of(images):
    return sorted(name for split in images.splits.values() for name in split.names)


def mask_of(value):
    mask = np.zeros((40, 40), np.uint8)
    mask[10:20, 10:20] = value
    return mask


def boxes_of(found):
    return {
        name: [(box.x, box.y, box.width, box.height) for box in boxes] for name, boxes in found.find_by_name.items()
    }


def test_masks_beside_images_are_their_lesions(scans):
    images = scans({"masks/1.png": mask_of(255), "masks/2.png": mask_of(0), "masks/3.png": mask_of(2)})
    assert names_of(images) == [f"images/{number}.png" for number in range(6)]
    everything = load_boxes(images, names_of(images), None)
    assert boxes_of(everything) == {"images/1.png": [BOX], "images/3.png": [BOX]}
    assert boxes_of(load_boxes(images, names_of(images), None, mask_label=2)) == {"images/3.png": [BOX]}
    assert boxes_of(load_boxes(images, ["images/1.png"], None)) == {"images/1.png": [BOX]}
    chosen = replace(images, config=images.config.model_copy(update={"mask_label": 2}))
    assert boxes_of(load_boxes(chosen, names_of(images), None)) == {"images/3.png": [BOX]}
    with pytest.raises(DataError, match="No mask has a part of pixel value 7"):
        load_boxes(images, names_of(images), None, mask_label=7)


def test_files_of_boxes_beside_images_are_their_lesions(scans):
    images = scans({"labels/1.txt": b"0 0.375 0.375 0.25 0.25\n"})
    assert boxes_of(load_boxes(images, names_of(images), None)) == {"images/1.png": [BOX]}
    assert {each.name: each.reason for each in images.skipped} == {"labels/1.txt": "boxes of images/1.png"}


def test_coco_table_beside_images_has_their_lesions(scans):
    image = {"id": 1, "file_name": "4.png", "width": 40, "height": 40}
    table = {"images": [image], "annotations": [{"image_id": 1, "bbox": [10, 10, 10, 10]}]}
    images = scans({"annotations.json": json.dumps(table).encode(), "other.json": b"{}", "broken.json": b"{"})
    assert boxes_of(load_boxes(images, names_of(images), None)) == {"images/4.png": [BOX]}
    assert [each.name for each in images.skipped if each.reason == TABLE_OF_BOXES] == ["annotations.json"]


def test_dataset_without_annotations_has_no_boxes(scans):
    images = scans({"notes.txt": b"nothing"})
    assert len(load_boxes(images, names_of(images), None)) == 0
    phantoms = data.load(config=DataConfig(size=32, phantom_count=24))
    assert len(load_boxes(phantoms, names_of(phantoms), None)) == 0


HEAD = "file,x_center,y_center,width,height\n"


@pytest.mark.parametrize("name", [r"images\3.png", "./images/3.png", "3.png", "Images/3.PNG", "3"])
def test_table_is_matched_to_the_images(scans, tmp_path, name):
    (tmp_path / "boxes.csv").write_text(f"{HEAD}{name},0.375,0.375,0.25,0.25\nx/9.png,0.375,0.375,0.25,0.25\n")
    images = scans({})
    found = load_boxes(images, names_of(images), tmp_path / "boxes.csv")
    assert boxes_of(found) == {"images/3.png": [BOX]}
    assert found.problems == ("1 box belongs to no image of the dataset, or to several.",)


def test_table_of_other_images_is_refused_with_a_name_of_each_side(scans, tmp_path):
    (tmp_path / "boxes.csv").write_text(f"{HEAD}x/9.png,0.375,0.375,0.25,0.25\n")
    images = scans({})
    with pytest.raises(DataError, match=r"'x/9\.png', the first image 'images/\d\.png'"):
        load_boxes(images, names_of(images), tmp_path / "boxes.csv")


def test_part_without_a_box_is_refused(scans, tmp_path):
    (tmp_path / "boxes.csv").write_text(f"{HEAD}3.png,0.375,0.375,0.25,0.25\n")
    images = scans({})
    found = load_boxes(images, names_of(images), tmp_path / "boxes.csv")
    require_boxes(found, "test", ["images/1.png", "images/3.png"])
    with pytest.raises(
        DataError, match=r"No image of the test split.*'images/3\.png', the first image 'images/1\.png'"
    ):
        require_boxes(found, "test", ["images/1.png"])


def write_volumes(folder, labels):
    from nibabel import Nifti1Image

    folder.mkdir()
    head = np.zeros((24, 20, 6), np.float32)
    head[4:20, 4:16] = np.random.default_rng(1).uniform(300, 600, (16, 12, 6))
    for case in range(6):
        Nifti1Image(head + case, np.diag([1.0, 2.0, 3.0, 1.0])).to_filename(folder / f"P{case}_t1.nii.gz")
        Nifti1Image(labels, np.diag([1.0, 2.0, 3.0, 1.0])).to_filename(folder / f"P{case}_seg.nii.gz")
    return folder


def test_masks_of_volumes_are_the_lesions_of_their_slices_in_their_true_outline(tmp_path, monkeypatch):
    monkeypatch.setenv("ENGRAM_CACHE", str(tmp_path / "cache"))
    labels = np.zeros((24, 20, 6), np.uint8)
    labels[6:14, 5:8, 2], labels[6:9, 8:11, 2] = 1, 4  # an L, of two labels
    folder = write_volumes(tmp_path / "volumes", labels)
    images = data.load(config=DataConfig(source=str(folder), slices="all", fit="squash", size=32))
    names = images.test.names
    found = load_boxes(images, names, None)
    marked = {name for name in names if name.endswith("#3")}
    assert set(found.find_by_name) == marked
    for boxes, count in ((found, 33), (load_boxes(images, names, None, 4), 9)):
        (box,) = boxes.find_by_name[min(marked)]
        assert int(box.mask((20, 24)).sum()) == count
    (box,) = found.find_by_name[min(marked)]
    # Rows run from front to back, columns from the patient's right to the left in the file's x.
    assert np.array_equal(box.mask((20, 24)), np.flip(labels[:, :, 2] > 0).T)
    assert box.outline.aspect == 40 / 24
    with pytest.raises(DataError, match="pixel value 9"):
        load_boxes(images, names, None, 9)
