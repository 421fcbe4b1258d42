"""Geometry of DICOM files: stacks, order of the frames, letters, spacing."""

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence

from engine.data.decoded_image import UnreadableFile
from engine.data.dicom import read_scan
from engine.data.dicom_header import parse_numbers
from tests.engine.data.conftest import STORED, item

AXIAL, CORONAL = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1]
WINDOW = {"WindowCenter": 5, "WindowWidth": 10}  # a frame of 3 is shown as 3/9


def frame(position, cosines=AXIAL, spacing=(2, 2), **content):
    """Functional groups of one frame."""
    inner = Dataset()
    inner.PlanePositionSequence = item(ImagePositionPatient=position)
    inner.PlaneOrientationSequence = item(ImageOrientationPatient=cosines)
    inner.PixelMeasuresSequence = item(PixelSpacing=list(spacing), SliceThickness=8)
    inner.FrameContentSequence = item(**content)
    return inner


@pytest.fixture
def enhanced(dicom):
    """Write an enhanced file of frames of one value each: `enhanced([3, 1], [frame(...), frame(...)])`."""

    def write(values, frames):
        stored = np.stack([np.full((4, 4), value, np.uint16) for value in values])
        return dicom(stored, PerFrameFunctionalGroupsSequence=Sequence(frames), **WINDOW)

    return write


def values(scan):
    """The values of the slices, in order."""
    return np.rint(scan.pixels[:, 0, 0] * 9).tolist()


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_frames_are_sorted_along_the_normal(enhanced, order):
    scan = read_scan(enhanced(order, [frame([0, 0, 5 * place]) for place in order]))
    assert values(scan) == [0, 1, 2, 3]
    assert scan.slice_spacing_mm == 5
    assert any("sorted" in note for note in scan.notes) == (order != [0, 1, 2, 3])


def test_an_oblique_stack_is_sorted_along_its_own_normal(enhanced):
    cosines = [0, 1, 0, 0, 0, -1]  # sagittal: the normal points to the patient's right
    scan = read_scan(enhanced([1, 2, 3], [frame([x, 0, 0], cosines) for x in (-10, 10, 0)]))
    assert values(scan) == [2, 3, 1]
    assert scan.slice_spacing_mm == 10


@pytest.mark.parametrize("with_positions", [True, False])
def test_stacks_are_told_apart(enhanced, with_positions):
    frames = [
        frame([0, 0, 5], AXIAL, StackID="1"),
        frame([0, 9, 0], CORONAL, (2, 1), StackID="2"),
        frame([0, 0, 0], AXIAL, StackID="1"),
    ]
    for each in [] if with_positions else frames:
        del each.PlanePositionSequence
    file = enhanced([1, 2, 3], frames)
    with pytest.raises(UnreadableFile, match=r"it holds 2 volumes in different directions.*\(--volume 1 to 2"):
        read_scan(file)
    scan = read_scan(file, mixed=True)
    assert values(scan) == ([3, 1, 2] if with_positions else [1, 3, 2])
    assert (scan.orientation, scan.spacing_mm) == (None, None)
    assert any("2 volumes" in note for note in scan.notes)
    first, second = read_scan(file, 1), read_scan(file, 2)
    assert (first.orientation, first.aspect, len(first)) == (("R", "L", "A", "P"), 1, 2)
    assert (second.orientation, second.aspect, values(second)) == (("R", "L", "S", "I"), 2, [2])
    with pytest.raises(UnreadableFile, match="it has no volume 3; it holds 2 volumes"):
        read_scan(file, 3)


def test_frames_of_one_place_are_volumes(enhanced):
    """Two times of two slices, stored slice by slice and the later time first."""
    places = [(0, 2), (0, 1), (5, 2), (5, 1)]
    frames = [frame([0, 0, place], DimensionIndexValues=[1, place + 1, time]) for place, time in places]
    file = enhanced([2, 0, 3, 1], frames)
    assert values(read_scan(file)) == [0, 1, 2, 3]
    assert values(read_scan(file, 2)) == [2, 3]
    assert read_scan(file).orientation == ("R", "L", "A", "P")


def test_a_multi_frame_file_with_one_position_is_one_volume(dicom):
    scan = read_scan(dicom(np.stack([STORED, STORED]), ImagePositionPatient=[0, 0, 0], ImageOrientationPatient=AXIAL))
    assert not any("volumes" in note for note in scan.notes)


@pytest.mark.parametrize(
    "cosines",
    [
        "NaN\\0\\0\\0\\1\\0",
        "1\\0\\0\\1\\0\\0",
        "0\\0\\0\\0\\1\\0",
        "1\\0\\0\\0.5\\1\\0",
        "inf\\0\\0\\0\\1\\0",
        "1\\0\\0",
        "1\\0\\0\\-1\\0\\0",
    ],
)
def test_directions_that_are_none_give_no_letters(text_dicom, cosines):
    scan = read_scan(text_dicom(texts={"ImageOrientationPatient": cosines}))
    assert scan.orientation is None
    assert any("Left and right are not known." in note for note in scan.notes)


def test_cosines_with_decimal_commas_count(text_dicom):
    scan = read_scan(text_dicom(texts={"ImageOrientationPatient": "-1,0\\0,0\\0,0\\0,0\\1,0\\0,0"}))
    assert scan.orientation == ("L", "R", "A", "P")


def test_a_doubly_oblique_slice_has_letters_of_two_axes(dicom):
    third = np.sqrt(1 / 3)
    half = np.sqrt(1 / 2)
    scan = read_scan(dicom(ImageOrientationPatient=[third, third, third, half, -half, 0]))
    axes = [{"L": 0, "R": 0, "A": 1, "P": 1, "S": 2, "I": 2}[letter] for letter in scan.orientation]
    assert axes[0] == axes[1] != axes[2] == axes[3]


def test_words_for_the_orientation_must_lie_across(dicom):
    assert read_scan(dicom(PatientOrientation=["L", "R"])).orientation is None
    assert read_scan(dicom(PatientOrientation=["LA", "F"])).orientation == ("R", "L", "S", "I")
    assert read_scan(dicom(PatientOrientation="LF")).orientation is None


@pytest.mark.parametrize(
    ("texts", "spacing"),
    [
        ({"PixelSpacing": "0,5\\0,5"}, (0.5, 0.5)),
        ({"PixelSpacing": "0.5,0.5"}, (0.5, 0.5)),
        ({"PixelSpacing": "0.5"}, None),
        ({"PixelSpacing": "0\\1"}, None),
        ({"PixelSpacing": "-1\\1"}, None),
        ({"PixelSpacing": "nan\\1"}, None),
        ({"PixelSpacing": "0.0001\\1000"}, None),
        ({"PixelSpacing": "1\\21"}, None),
        ({"PixelSpacing": "1\\19"}, (1, 19)),
        ({"PixelSpacing": "wide\\1", "ImagerPixelSpacing": "2\\1"}, (2, 1)),
        ({"NominalScannedPixelSpacing": "2\\1"}, (2, 1)),
    ],
)
def test_a_spacing_that_cannot_be_right_is_none(text_dicom, texts, spacing):
    scan = read_scan(text_dicom(texts=texts))
    assert scan.spacing_mm == spacing
    assert scan.aspect == (spacing[0] / spacing[1] if spacing else 1)


@pytest.mark.parametrize(("text", "millimeters"), [("5,0", 5), ("5\\6", None), ("thick", None), ("-5", 5), ("0", None)])
def test_thickness(text_dicom, text, millimeters):
    assert read_scan(text_dicom(texts={"SliceThickness": text})).slice_spacing_mm == millimeters


def test_an_aspect_without_a_spacing(dicom):
    scan = read_scan(dicom(PixelAspectRatio=[2, 1]))
    assert (scan.spacing_mm, scan.aspect) == (None, 2)


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        (["1.5", 2], (1.5, 2)),
        (["0,5,0,5"], (0.5, 0.5)),
        (["1,500.5"], ()),
        (["1,2,3"], ()),
        ([" +1e3\0"], (1000,)),
        ([b"2.5 "], (2.5,)),
        (["١"], ()),
        ([""], ()),
        ([float("inf")], ()),
    ],
)
def test_numbers_in_texts(parts, found):
    assert parse_numbers(parts)[0] == found
