"""Masks beside DICOM images: where they lie on the slices, and which of them cannot be used."""

import nibabel
import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.uid import RTStructureSetStorage, SegmentationStorage

from engine.data.folder import BETWEEN, MASK_OF_SERIES, NO_LESION
from engine.data.loading import open_source
from engine.data.mask_drawing import _fill
from engine.data.series_masks import SeriesMasks

ROW, COLUMN = np.array([0.8, 0.0, 0.6]), np.array([0.0, 1.0, 0.0])
NORMAL, ORIGIN = np.cross(ROW, COLUMN), np.array([-50.0, -40.0, 10.0])
DOWN, ALONG, ACROSS = 1.5, 2.0, 4.0  # millimeters from row to row, from column to column, from slice to slice
SHAPE = 4, 16, 12  # slices, rows, columns
NAMES = [f"t1/{number}.dcm" for number in range(SHAPE[0])]
IDENTITY = {"StudyInstanceUID": "1.2", "FrameOfReferenceUID": "1.3"}


@pytest.fixture
def labels():
    """A lesion of two labels in slices 1 and 2."""
    made = np.zeros(SHAPE, np.uint8)
    made[1:3, 3:10, 4:9] = 1
    made[2, 5:8, 6:9] = 2
    return made


@pytest.fixture
def series(dicom, tmp_path):
    """Four slices of an oblique series in the folder `t1` of a case."""
    folder = tmp_path / "case"
    (folder / "t1").mkdir(parents=True)
    for at, name in enumerate(NAMES):
        plane = {"PixelSpacing": [DOWN, ALONG], "SliceThickness": ACROSS, "ImagePositionPatient": place(at)}
        stored = np.full(SHAPE[1:], 100 + at, np.uint16)
        tags = IDENTITY | plane | {"SeriesInstanceUID": "1.2.3", "ImageOrientationPatient": [*ROW, *COLUMN]}
        dicom(stored, SOPInstanceUID=f"1.9.{at}", **tags).rename(folder / name)
    return folder


def place(at):
    return [float(value) for value in ORIGIN + NORMAL * ACROSS * at]


def item(**tags):
    made = Dataset()
    for name, value in tags.items():
        setattr(made, name, Sequence(value) if name.endswith("Sequence") else value)
    return made


def write_segmentation(dicom, file, labels, is_named, kind="BINARY"):
    """Write a segment for each label and slice that has it, from the last slice on; named by its image or by place."""
    regions = [(at, label) for label in (1, 2) for at in reversed(range(len(labels))) if (labels[at] == label).any()]
    per_frame = []
    for at, label in regions:
        source = item(SourceImageSequence=[item(ReferencedSOPInstanceUID=f"1.9.{at}")] if is_named else [])
        frame = {"PlanePositionSequence": [item(ImagePositionPatient=place(at))]}
        frame["SegmentIdentificationSequence"] = [item(ReferencedSegmentNumber=label)]
        per_frame.append(item(DerivationImageSequence=[source], **frame))
    shared = item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=[*ROW, *COLUMN])],
        PixelMeasuresSequence=[item(PixelSpacing=[DOWN, ALONG], SliceThickness=ACROSS)],
    )
    tags = {
        "SharedFunctionalGroupsSequence": Sequence([shared]),
        "PerFrameFunctionalGroupsSequence": Sequence(per_frame),
    }
    tags |= {"SOPClassUID": SegmentationStorage, "Modality": "SEG", "SegmentationType": kind, **IDENTITY}
    stored = np.stack([labels[at] == label for at, label in regions])
    if kind == "BINARY":
        packed = {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}
        tags |= packed | {"PixelData": np.packbits(stored.ravel(), bitorder="little").tobytes()}
    else:
        tags["MaximumFractionalValue"] = 200
    dicom(stored.astype(np.uint8) * (150 if kind == "FRACTIONAL" else 1), **tags).rename(file)
    mark_class(file, SegmentationStorage)


def mark_class(file, uid):
    """Write the class of a file into its meta information, which the fixture fills."""
    data = dcmread(file)
    data.file_meta.MediaStorageSOPClassUID = uid
    data.save_as(file)


def write_contours(dicom, file, is_named):
    """Write a square with a square hole on slice 1."""
    contours = []
    for low, high in ((1.5, 8.5), (3.5, 6.5)):
        corners = [(low, low), (high, low), (high, high), (low, high)]
        points = [ORIGIN + NORMAL * ACROSS + ROW * ALONG * x + COLUMN * DOWN * y for x, y in corners]
        named = [item(ReferencedSOPInstanceUID="1.9.1")] if is_named else []
        line = {"ContourGeometricType": "CLOSED_PLANAR", "ContourData": [f"{each:.5f}" for each in np.ravel(points)]}
        contours.append(item(ContourImageSequence=named, **line))
    tags = {"ROIContourSequence": Sequence([item(ReferencedROINumber=7, ContourSequence=contours)]), **IDENTITY}
    dicom(SOPClassUID=RTStructureSetStorage, Modality="RTSTRUCT", **tags).rename(file)
    mark_class(file, RTStructureSetStorage)


def write_volume(file, labels, shift=0.0):
    affine = np.eye(4)
    affine[:3, :3] = np.column_stack([ROW * ALONG, COLUMN * DOWN, NORMAL * ACROSS])
    affine[:3, 3] = ORIGIN + shift
    # The voxels of the file run the other way along the slices and the rows than those of the series.
    image = nibabel.Nifti1Image(labels.T, np.diag([-1.0, -1, 1, 1]) @ affine)
    nibabel.save(image.as_reoriented([[0, 1], [1, -1], [2, -1]]), file)


def read(folder, label=None):
    problems = []
    return {name: found for name, found, _ in SeriesMasks(folder).read(NAMES, label, problems)}, problems


@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
def test_the_segments_of_a_segmentation_lie_on_their_images(series, dicom, labels, is_named, kind):
    write_segmentation(dicom, series / "seg.dcm", labels, is_named, kind)
    found, problems = read(series)
    assert problems == []
    assert set(found) == {NAMES[1], NAMES[2]}
    for at in (1, 2):
        np.testing.assert_array_equal(found[NAMES[at]], labels[at])


def test_segments_of_another_study_that_name_no_image_are_not_used(series, dicom, labels):
    write_segmentation(dicom, series / "seg.dcm", labels, is_named=False)
    data = dcmread(series / "seg.dcm")
    data.StudyInstanceUID = "1.99"
    data.save_as(series / "seg.dcm")
    assert read(series) == ({}, [])


@pytest.mark.parametrize("is_named", [True, False])
def test_an_inner_contour_is_a_hole(series, dicom, is_named):
    write_contours(dicom, series / "contours.dcm", is_named)
    found, problems = read(series)
    expected = np.zeros(SHAPE[1:])
    expected[2:9, 2:9], expected[4:7, 4:7] = 7, 0
    assert (list(found), problems) == ([NAMES[1]], [])
    np.testing.assert_array_equal(found[NAMES[1]], expected)


def test_a_volume_of_labels_is_cut_along_the_slices_of_a_series(series, labels):
    write_volume(series / "seg.nii.gz", labels)
    found, problems = read(series)
    assert (list(found), problems) == ([NAMES[1], NAMES[2]], [])
    np.testing.assert_array_equal(found[NAMES[2]], labels[2])


def test_a_volume_on_another_grid_is_said_to_be_not_used(series, labels):
    write_volume(series / "seg.nii.gz", labels, shift=0.8)
    assert read(series) == ({}, ["The mask seg.nii.gz does not lie on the grid of the DICOM images beside it."])


def test_a_volume_beside_several_studies_is_not_guessed_at(series, dicom, labels, tmp_path):
    (tmp_path / "case" / "t2").mkdir()
    dicom(np.zeros((4, 4), np.uint16), StudyInstanceUID="1.5").rename(tmp_path / "case" / "t2" / "0.dcm")
    write_volume(series / "seg.nii.gz", labels)
    sentence = "The mask seg.nii.gz could belong to several studies; put it into the folder of one."
    assert read(series) == ({}, [sentence])
    (series / "seg.nii.gz").rename(series / "t1_seg.nii.gz")
    assert list(read(series)[0]) == [NAMES[1], NAMES[2]]


def test_masks_are_no_images_and_choose_the_slices_with_a_lesion(series, dicom, labels, config):
    write_segmentation(dicom, series / "seg.dcm", labels, is_named=True)
    write_contours(dicom, series / "contours.dcm", is_named=True)
    write_volume(series / "tumor.nii.gz", labels)
    source = open_source(config(source=str(series)))
    assert [each.name for each in source.items] == NAMES
    skipped = {"seg.dcm": "a segmentation (DICOM SEG)", "contours.dcm": "contours (RT Structure Set)"}
    assert {each.name: each.reason for each in source.skipped} == skipped | {"tumor.nii.gz": MASK_OF_SERIES}
    chosen = open_source(config(source=str(series), slices="lesion", mask_label=2))
    assert [each.name for each in chosen.items] == [NAMES[2]]
    assert [each.name for each in chosen.skipped if each.reason == NO_LESION] == [*NAMES[:2], NAMES[3]]
    stepped = open_source(config(source=str(series), slice_step=3))
    assert [each.name for each in stepped.items] == [NAMES[0], NAMES[3]]
    assert sum(each.reason == BETWEEN for each in stepped.skipped) == 2


def test_the_pixels_inside_a_line_are_filled():
    star = np.array([(0.5, 0.5), (5.5, 0.5), (5.5, 4.5), (3.0, 1.4), (0.5, 4.5)])
    assert _fill((6, 7), star).astype(int).sum(axis=1).tolist() == [0, 5, 4, 2, 0, 0]
