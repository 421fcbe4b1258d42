"""Known lesions of a dataset: from its table, or from the masks and boxes beside its images."""

import json

import numpy as np
import pytest
from nibabel import Nifti1Image
from PIL import Image

from engine.config import DataConfig
from gui.lesion_regions import LesionBoxes

BOX = pytest.approx((0.25, 0.25, 0.5, 0.5))


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.fromarray(np.full((40, 40), number, np.uint8)).save(tmp_path / "images" / f"{number}.png")
    return tmp_path


def boxes_of(folder, name):
    known, data = LesionBoxes(), DataConfig(source=str(folder))
    return known.names(data), [region.box for region in known.regions_for(data, name)]


def test_table_of_a_dataset_is_matched_to_its_images(folder):
    (folder / "lesion_boxes.csv").write_text(
        "file;x_center;y_center;width;height\nimages\\1.png;0,375;0,375;0,25;0,25\n"
    )
    assert boxes_of(folder, "images/1.png") == ({"images/1.png"}, [BOX])
    assert boxes_of(folder, "images/2.png") == ({"images/1.png"}, [])


def test_mask_is_read_when_its_image_is_shown(folder):
    (folder / "masks").mkdir()
    mask = np.zeros((40, 40), np.uint8)
    Image.fromarray(mask).save(folder / "masks" / "2.png")
    mask[10:20, 10:20] = 255
    Image.fromarray(mask).save(folder / "masks" / "1.png")
    known, data = LesionBoxes(), DataConfig(source=str(folder))
    assert known.names(data) == {"images/1.png", "images/2.png"}
    assert [region.box for region in known.regions_for(data, "images/1.png")] == [BOX]
    assert [region.box for region in known.regions_for(data, "images/1.png")] == [BOX]
    assert known.regions_for(data, "images/2.png") == []
    assert known.names(data) == {"images/1.png"}


@pytest.mark.parametrize("kind", ["yolo", "coco"])
def test_boxes_beside_images_are_known(folder, kind):
    if kind == "yolo":
        (folder / "labels").mkdir()
        (folder / "labels" / "1.txt").write_text("0 0.375 0.375 0.25 0.25\n")
    else:
        image = {"id": 7, "file_name": "1.png", "width": 40, "height": 40}
        table = {"images": [image], "annotations": [{"image_id": 7, "bbox": [10, 10, 10, 10]}]}
        (folder / "instances.json").write_text(json.dumps(table))
    assert boxes_of(folder, "images/1.png") == ({"images/1.png"}, [BOX])


def test_phantoms_and_damaged_tables_have_no_known_lesions(folder):
    assert boxes_of("phantom", "phantom-000001") == (set(), [])
    (folder / "lesion_boxes.csv").write_text("nothing\n")
    assert boxes_of(folder, "images/1.png") == (set(), [])


def test_mask_of_a_volume_outlines_the_lesions_of_its_slices(tmp_path):
    labels = np.zeros((20, 20, 3), np.uint8)
    labels[5:15, 5:15, 1] = 2
    for name in ("P1_t1.nii", "P1_seg.nii"):
        Nifti1Image(labels, np.eye(4)).to_filename(tmp_path / name)
    known, data = LesionBoxes(), DataConfig(source=str(tmp_path))
    (region,) = known.regions_for(data, "P1_t1.nii#2")
    assert region.kind == "polygon"
    assert region.box == pytest.approx((0.25, 0.25, 0.75, 0.75))
    assert known.regions_for(data, "P1_t1.nii#1") == []
    assert known.names(data) == {"P1_t1.nii#2"}
