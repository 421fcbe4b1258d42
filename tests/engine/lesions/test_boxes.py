"""Tables of boxes: what is read, what is left out with a sentence, where a box lies on a prepared image."""

import numpy as np
import pytest

from engine import lesions
from engine.errors import DataError, SourceNotFound

HEAD = "split,class,file,x_center,y_center,width,height\n"


@pytest.fixture
def table(tmp_path):
    def write(text, head=HEAD):
        path = tmp_path / "boxes.csv"
        path.write_text(head + text, encoding="utf-8")
        return path

    return write


def test_boxes_are_read_by_the_name_of_their_image(table):
    read = lesions.read_boxes(table("Training,glioma_tumor,gg (1).jpg,0.4,0.5,0.2,0.1\n" * 2))
    assert len(read) == 2
    (name,) = read.find_by_name
    assert name == "Training/glioma_tumor/gg (1).jpg"
    box = read.find_by_name[name][0]
    assert (box.x, box.y, box.width, box.height) == pytest.approx((0.3, 0.45, 0.2, 0.1))
    assert read.problems == ()


def test_split_and_class_may_be_absent(table):
    read = lesions.read_boxes(table("a/b.png,0.4,0.5,0.2,0.1\n", "file,x_center,y_center,width,height\n"))
    assert list(read.find_by_name) == ["a/b.png"]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("T,g,a.jpg,0.4,half,0.2,0.1", "y_center is 'half', not a number"),
        ("T,g,a.jpg,0.4,0.5,0.2", "height is '', not a number"),
        ("T,g,a.jpg,1.4,0.5,0.2,0.1", "center of the box is outside the image"),
        ("T,g,a.jpg,0.4,nan,0.2,0.1", "center of the box is outside the image"),
        ("T,g,a.jpg,0.4,0.5,0,0.1", "width and height must be above 0"),
        ("T,g,a.jpg,0.4,0.5,40,20", "width and height must be above 0"),
        ("T,g,,0.4,0.5,0.2,0.1", "the file name is missing"),
    ],
)
def test_bad_row_is_left_out_with_its_line(table, row, sentence):
    read = lesions.read_boxes(table(f"T,g,good.jpg,0.4,0.5,0.2,0.1\n{row}\nT,g,too.jpg,0.4,0.5,0.2,0.1,extra\n"))
    assert list(read.find_by_name) == ["T/g/good.jpg", "T/g/too.jpg"]
    (problem,) = read.problems
    assert problem.startswith("Line 3 of boxes.csv: ")
    assert sentence in problem


def test_table_without_a_column_or_a_usable_row_is_refused(table):
    with pytest.raises(DataError, match="no column y_center"):
        lesions.read_boxes(table("a.jpg,1,1,1\n", "file,x_center,width,height\n"))
    with pytest.raises(DataError, match=r"no usable box.*Line 2 of boxes\.csv"):
        lesions.read_boxes(table("T,g,a.jpg,9,9,9,9\n"))
    with pytest.raises(DataError, match="no column"):
        lesions.read_boxes(table("", ""))


def test_file_that_is_no_table_is_refused(tmp_path):
    with pytest.raises(SourceNotFound, match="There is no box file"):
        lesions.read_boxes(tmp_path / "none.csv")
    noise = tmp_path / "noise.csv"
    noise.write_bytes(bytes(range(256)) * 4)
    with pytest.raises(DataError, match="not a comma-separated text file"):
        lesions.read_boxes(noise)


def test_box_lies_where_squash_and_letterbox_put_it(table):
    box = lesions.read_boxes(table("T,g,a.jpg,0.5,0.25,0.5,0.5\n")).find_by_name["T/g/a.jpg"][0]
    squashed = np.argwhere(box.mask((100, 100)))
    assert squashed.min(axis=0).tolist() == [0, 25]
    assert squashed.max(axis=0).tolist() == [49, 74]
    wide = np.argwhere(box.mask((100, 100), aspect=0.5))  # twice as wide as high: rows 25 to 75 hold the image
    assert wide.min(axis=0).tolist() == [25, 25]
    assert wide.max(axis=0).tolist() == [49, 74]
    high = np.argwhere(box.mask((100, 100), aspect=2.0))
    assert high.min(axis=0).tolist() == [0, 38]
    assert high.max(axis=0).tolist() == [49, 61]


def test_real_table_is_read_whole(real_data):
    read = lesions.read_boxes(real_data / "lesion_boxes.csv")
    assert len(read) == 2331
    assert read.problems == ()
    assert all((real_data / name).is_file() for name in read.find_by_name)
    assert all(lesions.area(box.mask((128, 128))) >= 12 for boxes in read.find_by_name.values() for box in boxes)


def test_table_of_a_spreadsheet_is_read(tmp_path):
    text = "sep=;\nfile;x_center;y_center;width;height\nMüller.png;0,5;0,5;0,2;0,2\n"
    (tmp_path / "boxes.csv").write_bytes(text.encode("cp1252"))
    assert len(lesions.read_boxes(tmp_path / "boxes.csv")) == 1
