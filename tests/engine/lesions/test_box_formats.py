"""Boxes in other formats than a comma-separated table: semicolons, tabs, YOLO, COCO, masks."""

import json

import numpy as np
import pytest
from PIL import Image

from engine import lesions
from engine.errors import DataError
from engine.lesions.masks import find_parts

ROW = ("a.jpg", "0.33", "0.4", "0.2", "0.1")
HEAD = ("file", "x_center", "y_center", "width", "height")
BOX = (0.23, 0.35, 0.2, 0.1)


def corners(box):
    return box.x, box.y, box.width, box.height


def only_box(read):
    ((name, (box,)),) = read.find_by_name.items()
    assert read.problems == ()
    return name, pytest.approx(corners(box))


@pytest.mark.parametrize(
    "text",
    [
        ";".join(HEAD) + "\n" + ";".join(ROW).replace(".", ",").replace("a,jpg", "a.jpg") + "\n",
        "\t".join(HEAD) + "\n" + "\t".join(ROW) + "\n",
        " , ".join(HEAD) + "\r\n" + ", ".join(ROW) + "\r\n",
        ",".join(f'"{cell}"' for cell in HEAD) + "\n" + ",".join(f'"{cell}"' for cell in ROW) + "\n",
        "File,X_Center,Y_Center,Width,Height,note\n" + ",".join(ROW) + ",x\n",
    ],
    ids=["semicolons", "tabs", "spaces", "quotes", "capitals"],
)
def test_table_is_read_however_its_columns_are_divided(tmp_path, text):
    for encoding in ("utf-8", "utf-16"):
        (tmp_path / "boxes.csv").write_bytes(text.encode(encoding))
        assert only_box(lesions.read_boxes(tmp_path / "boxes.csv")) == ("a.jpg", BOX)


def test_yolo_files_are_boxes_of_the_images_of_their_names(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "7.txt").write_text("0 0.33 0.4 0.2 0.1\n")
    (tmp_path / "classes.txt").write_text("glioma\nmeningioma\n")
    assert only_box(lesions.read_boxes(tmp_path)) == ("train/7.txt", BOX)


def test_yolo_polygon_is_boxed_and_bad_lines_are_reported(tmp_path):
    (tmp_path / "7.txt").write_text(
        "0 0.23 0.35 0.43 0.35 0.43 0.45\n1 2 3\n0 0.9 0.9 0.9 7\n0 0.33 0.4 0.2 0.1 0.99\n"
    )
    read = lesions.read_boxes(tmp_path)
    assert [pytest.approx(corners(box)) for box in read.find_by_name["7.txt"]] == [BOX, BOX]
    assert [problem.split(":")[0] for problem in read.problems] == ["Line 2 of 7.txt", "Line 3 of 7.txt"]


def coco(**annotation):
    image = {"id": 3, "file_name": "x/a.jpg", "width": 200, "height": 100}
    return {"images": [image], "annotations": [{"image_id": 3, **annotation}]}


@pytest.mark.parametrize(
    "annotation", [{"bbox": [46, 35, 40, 10]}, {"segmentation": [[46, 35, 86, 35, 86, 45]]}], ids=["box", "polygon"]
)
def test_coco_table_is_read(tmp_path, annotation):
    (tmp_path / "boxes.json").write_text(json.dumps(coco(**annotation)))
    assert only_box(lesions.read_boxes(tmp_path / "boxes.json")) == ("x/a.jpg", BOX)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not a JSON file"),
        ("[1]", "not a table in the COCO format"),
        (json.dumps(coco(bbox=[1, 2])), "no usable box.*Annotation 1 of boxes.json"),
        (json.dumps(coco(bbox=[500, 2, 3, 4])), "no usable box.*not inside the image"),
        (json.dumps(coco(bbox=[1, 2, 3, 4]) | {"images": []}), "no usable box.*Annotation 1"),
    ],
)
def test_json_that_is_no_such_table_is_refused(tmp_path, content, sentence):
    (tmp_path / "boxes.json").write_text(content)
    with pytest.raises(DataError, match=sentence):
        lesions.read_boxes(tmp_path / "boxes.json")


def test_boxes_take_the_names_of_their_images(tmp_path):
    (tmp_path / "7.txt").write_text("0 0.33 0.4 0.2 0.1\n")
    renamed = lesions.read_boxes(tmp_path).rename({"7.txt": "images/7.png"})
    ((name, (box,)),) = renamed.find_by_name.items()
    assert name == box.name == "images/7.png"
    assert len(renamed.rename({})) == 0


@pytest.fixture
def mask():
    values = np.zeros((40, 80), np.uint8)
    values[10:20, 20:40] = 1
    values[30:34, 60:64] = 2
    values[38, 5] = 2  # a speck
    return values


def boxes_in(values, label=None):
    return [box for box, _ in find_parts(values, label)]


def test_parts_of_a_mask_are_boxes(mask):
    first, second = (0.25, 0.25, 0.25, 0.25), (0.75, 0.75, 0.05, 0.1)
    assert boxes_in(mask) == [first, second]
    assert boxes_in(mask, 2) == [second]
    assert boxes_in(mask, 9) == []
    assert boxes_in(255 - mask) == [first, second]
    assert boxes_in(np.zeros((8, 8))) == []


@pytest.mark.parametrize("name", ["m.png", "m.jpg", "m.tif", "m.bmp"])
def test_mask_file_of_any_format_is_read(tmp_path, mask, name):
    Image.fromarray((mask == 1).astype(np.uint8) * 255).save(tmp_path / name)
    (box,) = lesions.read_masks(tmp_path, {"a.png": [name]}).boxes["a.png"]
    assert box == pytest.approx((0.25, 0.25, 0.25, 0.25), abs=1 / 40)


@pytest.mark.parametrize("mode", ["P", "RGB", "1"])
def test_colors_of_a_mask_are_labels(tmp_path, mask, mode):
    Image.fromarray((mask > 0).astype(np.uint8) * 255).convert(mode).save(tmp_path / "m.png")
    found = lesions.read_masks(tmp_path, {"a.png": ["m.png"]}).boxes["a.png"]
    assert found == [(0.25, 0.25, 0.25, 0.25), (0.75, 0.75, 0.05, 0.1)]


def test_mask_that_cannot_be_read_is_reported(tmp_path):
    (tmp_path / "m.png").write_bytes(b"no image")
    found = lesions.read_masks(tmp_path, {"a.png": ["m.png", "gone.png"]})
    assert found.boxes == {}
    assert [problem.split(" cannot")[0] for problem in found.problems] == ["The mask m.png", "The mask gone.png"]
