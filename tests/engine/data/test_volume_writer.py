"""Volumes written on the grid of their source: place, intensities, header. Sources and results are read by others."""

import gzip
import itertools

import nibabel
import numpy as np
import pytest
from nibabel.affines import apply_affine, from_matvec
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from engine.data import dicom as dicom_reader
from engine.data import nifti, open_scan, series_folder
from engine.data.decoded_image import UnreadableFile
from engine.data.volume_target import VolumeTarget
from engine.data.volume_writer import check_grid, describe, list_notes, write_volume
from engine.errors import DataError, ScanError
from engine.evaluation.volume import transform_slices
from tests.engine.data.conftest import item, write_nifti

SHAPE = (36, 44, 12)
SPOT = np.array([11, 30, 4])
AXIAL, SAGITTAL, CORONAL = [1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1]


def turn(degrees, axis):
    """A rotation about an axis."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    first, second = (index for index in range(3) if index != axis)
    matrix = np.eye(3)
    matrix[[first, second], [first, second]], matrix[first, second], matrix[second, first] = cosine, -sine, sine
    return matrix


OBLIQUE = turn(25, 0) @ turn(-17, 2)


def spot(shape=SHAPE, where=SPOT, low=40.0, high=1000.0):
    """A volume with one bright spot in a darker ramp."""
    distance = sum(((axis - place) / 2.0) ** 2 for axis, place in zip(np.indices(shape), where, strict=True))
    ramp = np.linspace(0, 60, shape[0])[:, None, None]
    return (low + ramp + (high - low - 60) * np.exp(-distance)).astype(np.float32)


def center(volume):
    """The weighted middle of the bright voxels of a volume, in voxels."""
    bright = np.clip(volume.astype(np.float64) - 0.4 * volume.max(), 0, None)
    return np.indices(volume.shape).reshape(3, -1) @ bright.ravel() / bright.sum()


def send_through(source, target, settings, volume=None, read=open_scan):
    """Send a volume through a model that returns its input, and write the result; the scan and the read result.

    `read` may be a reader, which saves the process that `open_scan` starts.
    """
    scan = read(source, volume=volume)
    made = transform_slices(scan, settings, lambda images, first: images)
    return scan, nibabel.load(write_volume(target, made, check_grid(scan), "first"))


def position_error(source_affine, source_spot, result):
    """Distance of the spot in the patient between source and result, in voxels of the source along each axis."""
    there = apply_affine(result.affine, center(result.get_fdata()))
    return np.abs(apply_affine(np.linalg.inv(source_affine), there) - source_spot)


ORIENTATIONS = [
    np.eye(3)[list(order)] * signs
    for order, signs in zip(
        itertools.permutations(range(3)),
        [(1, 1, 1), (-1, 1, 1), (1, -1, -1), (-1, -1, 1), (1, 1, -1), (-1, -1, -1)],
        strict=True,
    )
]


@pytest.mark.parametrize("fit", ["letterbox", "squash"])
@pytest.mark.parametrize("turned", [np.eye(3), OBLIQUE], ids=["straight", "oblique"])
@pytest.mark.parametrize("axes", ORIENTATIONS, ids=lambda axes: "".join(nibabel.aff2axcodes(from_matvec(axes))))
def test_a_point_of_a_nifti_volume_stays_where_it_is(tmp_path, config, fit, turned, axes):
    affine = np.eye(4)
    affine[:3, :3] = turned @ axes @ np.diag([0.9, 1.3, 3.0])
    affine[:3, 3] = [-80.5, 12.25, 33]
    source = write_nifti(tmp_path / "head.nii.gz", spot(), affine)
    _, result = send_through(source, tmp_path / "out.nii.gz", config(fit=fit, size=48), read=nifti.read_scan)
    assert result.shape == SHAPE
    np.testing.assert_allclose(result.affine, affine, atol=1e-4)
    assert position_error(nibabel.load(source).affine, center(spot()), result).max() < 0.5
    stored = nibabel.load(source).get_fdata()
    assert np.unravel_index(result.get_fdata().argmax(), SHAPE) == np.unravel_index(stored.argmax(), SHAPE)


def test_intensities_come_back_within_a_hundredth_of_the_window(tmp_path, config):
    values = spot(shape=(48, 48, 6), where=(20, 30, 3), low=-300, high=900)
    image = nibabel.Nifti1Image(values, np.diag([1, 1, 4, 1]))
    image.header["cal_min"], image.header["cal_max"] = -300, 700
    nibabel.save(image, tmp_path / "head.nii")
    scan, result = send_through(tmp_path / "head.nii", tmp_path / "out.nii", config(size=48))
    read = result.get_fdata()
    assert np.abs(read - values.clip(-300, 700)).max() < 0.01 * 1000
    assert result.get_data_dtype() == np.float32
    assert (result.header["cal_min"], result.header["cal_max"]) == (-300, 700)
    assert list_notes(scan.grid) == (
        "Intensities are those of the input; values outside -300 to 700 were clipped to this range.",
    )


def test_a_normalization_is_undone(tmp_path, config):
    values = spot(shape=(48, 48, 6), where=(20, 30, 3))
    image = nibabel.Nifti1Image(values, np.diag([1, 1, 4, 1]))
    image.header["cal_min"], image.header["cal_max"] = -1000, 3000
    nibabel.save(image, tmp_path / "head.nii")
    settings = config(size=48, normalisation="percentile")
    _, result = send_through(tmp_path / "head.nii", tmp_path / "out.nii", settings, read=nifti.read_scan)
    assert np.median(np.abs(result.get_fdata() - values)) < 0.01 * 960


def test_a_volume_without_orientation_keeps_its_voxels(tmp_path, config):
    header = nibabel.Nifti1Header()
    header.set_data_shape(SHAPE)
    image = nibabel.Nifti1Image(spot(), None, header)
    image.header.set_zooms((2, 2, 5))
    nibabel.save(image, tmp_path / "head.nii")
    scan, result = send_through(tmp_path / "head.nii", tmp_path / "out.nii", config(size=48))
    assert (int(result.header["sform_code"]), int(result.header["qform_code"])) == (0, 0)
    assert result.header.get_zooms() == (2, 2, 5)
    np.testing.assert_allclose(center(result.get_fdata()), center(spot()), atol=0.5)
    assert list_notes(scan.grid)[-1] == "The input has no usable orientation, so the volume has none."


def test_the_second_of_several_volumes_is_written(tmp_path, config):
    values = np.stack([spot(), spot(where=(25, 8, 7))], axis=-1)
    write_nifti(tmp_path / "two.nii", values, np.diag([1, 1, 3, 1]))
    _, result = send_through(tmp_path / "two.nii", tmp_path / "out.nii", config(size=48), volume=2)
    np.testing.assert_allclose(center(result.get_fdata()), center(values[..., 1]), atol=0.5)


# ---- DICOM -------------------------------------------------------------------------------------------------------


def find_dicom_place(file, row, column, frame=None):
    """Where a pixel lies in R, A, S, by the equation of DICOM PS3.3 C.7.6.2.1.1, of pydicom's values alone."""
    data = dcmread(file)
    plane, turned, sides = data, data, data
    if frame is not None:
        inner = data.PerFrameFunctionalGroupsSequence[frame]
        plane, turned = inner.PlanePositionSequence[0], inner.PlaneOrientationSequence[0]
        sides = inner.PixelMeasuresSequence[0]
    along, down = np.reshape(np.array(turned.ImageOrientationPatient, float), (2, 3))
    spacing = np.array(sides.PixelSpacing, float)
    lps = np.array(plane.ImagePositionPatient, float) + along * spacing[1] * column + down * spacing[0] * row
    return lps * [-1, -1, 1]


def brightest_place(result):
    """Where the brightest voxel of a result lies."""
    return apply_affine(result.affine, np.unravel_index(result.get_fdata().argmax(), result.shape))


def planes(cosines, turned, step, count=SHAPE[2], start=(-60, -70, 20)):
    """Direction cosines of a stack, and the position of each slice."""
    directions = np.reshape(np.array(cosines, float), (2, 3)) @ turned.T
    normal = np.cross(*directions)
    return directions.ravel().tolist(), [list(np.array(start) + index * step * normal) for index in range(count)]


@pytest.fixture
def series(tmp_path, dicom):
    """Write a series, one file for a slice, in a folder: `series(cosines, positions)`; the folder."""

    def write(cosines, positions, spacing=(0.8, 1.1), windows=None, uids=None, **tags):
        folder = tmp_path / "series"
        folder.mkdir(exist_ok=True)
        stored = np.rint(spot()).astype(np.uint16).transpose(2, 1, 0)  # slice, row, column
        uid = generate_uid()
        for index, position in enumerate(positions):
            level, width = windows[index] if windows else (500.5, 1001)
            file = dicom(
                stored[index],
                ImageOrientationPatient=[f"{each:.9g}" for each in cosines],
                ImagePositionPatient=[f"{each:.9g}" for each in position],
                PixelSpacing=list(spacing),
                SeriesInstanceUID=uids[index] if uids else uid,
                **({} if level is None else {"WindowCenter": level, "WindowWidth": width}),
                RescaleSlope=2,
                RescaleIntercept=-100,
                **tags,
            )
            # The order of the names is not that of the slices.
            file.rename(folder / f"{(index * 5) % len(positions):02}-{index}.dcm")
        return folder

    return write


@pytest.mark.parametrize("fit", ["letterbox", "squash"])
@pytest.mark.parametrize("turned", [np.eye(3), OBLIQUE], ids=["straight", "oblique"])
@pytest.mark.parametrize("cosines", [AXIAL, SAGITTAL, CORONAL], ids=["axial", "sagittal", "coronal"])
def test_a_point_of_a_dicom_series_stays_where_it_is(tmp_path, config, series, fit, turned, cosines):
    cosines, positions = planes(cosines, turned, 3.5)
    windows = [(2 * 500 - 100, 2001)] * SHAPE[2]
    folder = series(cosines, positions, windows=windows)
    (file,) = folder.glob(f"*-{SPOT[2]}.dcm")
    place = find_dicom_place(file, SPOT[1], SPOT[0])
    _, result = send_through(folder, tmp_path / "out.nii.gz", config(fit=fit, size=96), read=series_folder.read_scan)
    assert np.linalg.norm(brightest_place(result) - place) < 0.4, "half of the smallest side of a voxel"


def test_intensities_of_a_dicom_series_come_back_through_the_window_of_each_slice(tmp_path, config, series):
    windows = [(900, 2001 + 40 * index) for index in range(SHAPE[2])]
    scan, result = send_through(
        series(*planes(AXIAL, np.eye(3), 3.5), spacing=(1, 1), windows=windows), tmp_path / "out.nii", config(size=44)
    )
    values = 2 * np.rint(spot()).astype(float) - 100
    assert np.abs(result.get_fdata() - values).max() < 0.01 * 2000
    assert "the window of each slice" in list_notes(scan.grid)[0]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_multi_frame_file_comes_back(tmp_path, config, dicom, photometric, order):
    cosines, positions = planes(SAGITTAL, OBLIQUE, 2.2)
    stored = np.rint(spot()).astype(np.uint16).transpose(2, 1, 0)[::order]
    frames = []
    for position in positions[::order]:
        inner = Dataset()
        inner.PlanePositionSequence = item(ImagePositionPatient=[f"{each:.9g}" for each in position])
        inner.PlaneOrientationSequence = item(ImageOrientationPatient=[f"{each:.9g}" for each in cosines])
        inner.PixelMeasuresSequence = item(PixelSpacing=[0.8, 1.1])
        frames.append(inner)
    window = {"WindowCenter": 500.5, "WindowWidth": 1001, "PhotometricInterpretation": photometric}
    file = dicom(stored, PerFrameFunctionalGroupsSequence=Sequence(frames), **window)
    frame = SPOT[2] if order == 1 else SHAPE[2] - 1 - SPOT[2]
    _, result = send_through(file, tmp_path / "out.nii", config(size=96), read=dicom_reader.read_scan)
    assert np.linalg.norm(brightest_place(result) - find_dicom_place(file, SPOT[1], SPOT[0], frame)) < 0.4
    assert np.median(np.abs(result.get_fdata() - np.rint(spot()))) < 10


def test_slices_without_a_window_share_one(tmp_path, config, series):
    folder = series(*planes(AXIAL, np.eye(3), 3.5), spacing=(1, 1), windows=[(None, None)] * SHAPE[2])
    scan, result = send_through(folder, tmp_path / "out.nii", config(size=44), read=series_folder.read_scan)
    assert len(set(scan.grid.levels)) == 1
    (low, high), *_ = scan.grid.levels
    values = 2 * np.rint(spot()).astype(float) - 100
    assert (low, high) == pytest.approx(np.percentile(values, (0.1, 99.9)), abs=20)
    assert np.abs(result.get_fdata() - values.clip(low, high)).max() < 0.01 * (high - low)


def test_one_of_several_stacks_must_be_chosen(tmp_path, config, dicom):
    frames = []
    for stack, cosines in (("1", AXIAL), ("2", CORONAL)):
        for position in planes(cosines, np.eye(3), 2.2, count=3)[1]:
            inner = Dataset()
            inner.PlanePositionSequence = item(ImagePositionPatient=[f"{each:.9g}" for each in position])
            inner.PlaneOrientationSequence = item(ImageOrientationPatient=cosines)
            inner.PixelMeasuresSequence = item(PixelSpacing=[0.8, 1.1])
            inner.FrameContentSequence = item(StackID=stack)
            frames.append(inner)
    stored = np.rint(spot()).astype(np.uint16).transpose(2, 1, 0)[:6]
    file = dicom(stored, PerFrameFunctionalGroupsSequence=Sequence(frames))
    with pytest.raises(DataError, match=r"It holds 2 volumes; choose one with --volume"):
        check_grid(dicom_reader.read_scan(file, mixed=True))
    second = check_grid(dicom_reader.read_scan(file, 2))
    np.testing.assert_allclose(np.array(second.affine)[:3, 3], find_dicom_place(file, 0, 0, 3), atol=1e-4)


def test_a_curved_window_is_not_inverted_but_said(tmp_path, config, series):
    folder = series(*planes(AXIAL, np.eye(3), 3.5), VOILUTFunction="SIGMOID")
    scan, result = send_through(folder, tmp_path / "out.nii", config(size=44), read=series_folder.read_scan)
    assert result.get_fdata().max() <= 1
    assert list_notes(scan.grid)[0].startswith("The display transform of the input cannot be inverted")


def test_a_series_with_a_gap_is_refused(tmp_path, series):
    folder = series(*planes(AXIAL, np.eye(3), 3.5))
    next(folder.glob("*-5.dcm")).unlink()
    with pytest.raises(DataError, match="not evenly spaced"):
        check_grid(series_folder.read_scan(folder))


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda folder: [file.unlink() for file in folder.iterdir()], "it holds no DICOM images"),
        (lambda folder: cut(next(folder.iterdir())), "is damaged or incomplete|cannot be used"),
        (lambda folder: change(folder, ImagePositionPatient=[-60, -70, 20]), "some of its slices lie at one place"),
        (lambda folder: change(folder, ImageOrientationPatient=CORONAL), "lie in different directions"),
        (lambda folder: change(folder, SeriesInstanceUID="1.2.3"), "a folder with 2 DICOM series"),
        (lambda folder: change(folder, ImagePositionPatient=None), "does not say where its slice lies"),
    ],
    ids=["empty", "damaged", "twice", "scout", "two-series", "no-position"],
)
def test_a_folder_that_is_no_volume_is_refused_in_a_sentence(series, harm, sentence):
    folder = series(*planes(AXIAL, np.eye(3), 3.5, count=3))
    harm(folder)
    with pytest.raises(UnreadableFile, match=sentence):
        series_folder.read_scan(folder)


def test_an_empty_folder_is_refused_by_name(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ScanError, match="'empty' cannot be opened: it holds no DICOM images"):
        open_scan(tmp_path / "empty")


def cut(file):
    """Cut a file in its pixels."""
    file.write_bytes(file.read_bytes()[:-2000])


def change(folder, **tags):
    """Change the slice that is last in the stack."""
    (file,) = folder.glob("*-2.dcm")
    data = dcmread(file)
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    data.save_as(file)


def test_other_files_of_a_folder_are_left_out(series):
    folder = series(*planes(AXIAL, np.eye(3), 3.5, count=3))
    (folder / "notes.txt").write_text("no image")
    (folder / ".hidden.dcm").write_bytes(b"junk")
    assert series_folder.read_scan(folder).pixels.shape == (3, SHAPE[1], SHAPE[0])


# ---- the file ----------------------------------------------------------------------------------------------------


def test_the_header_says_where_the_volume_comes_from(tmp_path, config):
    source = write_nifti(tmp_path / "head.nii", spot(), np.diag([1, 1, 3, 1]))
    _, result = send_through(source, tmp_path / "deep" / "out.nii.gz", config(size=48))
    assert bytes(result.header["descrip"].item()) == b"Engram first: not for diagnosis"
    assert result.header.get_xyzt_units()[0] == "mm"
    content = (tmp_path / "deep" / "out.nii.gz").read_bytes()
    assert content[3:8] == bytes(5), "neither name nor time in the gzip file"
    assert len(gzip.decompress(content)) == 352 + 4 * np.prod(SHAPE)
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["out.nii.gz"]


def test_a_long_name_leaves_room_for_the_warning():
    assert describe("é" * 200).endswith(b": not for diagnosis")
    assert len(describe("é" * 200)) == 79


def test_the_input_is_never_overwritten(tmp_path):
    source = write_nifti(tmp_path / "head.nii")
    with pytest.raises(DataError, match="is the input itself"):
        VolumeTarget(tmp_path / "." / "head.nii").check(source)
    with pytest.raises(DataError, match="not the name of a NIfTI file"):
        VolumeTarget(tmp_path / "head.png").check(source)


def test_an_image_is_no_volume(tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "head.png")
    with pytest.raises(DataError, match=r"'head.png' is an image, not a volume"):
        check_grid(open_scan(tmp_path / "head.png"))
