"""Volumes for the viewer: values in the file's units, axes of the patient, series of a folder, volumes of a series."""

import nibabel
import numpy as np
import pytest
from pydicom.uid import generate_uid

from engine.data import dicom_view, nifti_view
from engine.data.decoded_image import UnreadableFile
from engine.data.viewed_volume import PATIENT_AXES, UNKNOWN_AXES
from tests.engine.data.conftest import write_nifti

STORED = np.arange(3 * 4 * 5, dtype=np.uint16).reshape(3, 4, 5)


@pytest.fixture
def write_series(tmp_path, dicom):
    """Write an axial series of three slices, back to front: `write_series(folder, repeats=2)`."""

    def write(name, repeats=1, **tags):
        (tmp_path / name).mkdir(parents=True)
        uid = generate_uid()
        for index in reversed(range(3 * repeats)):
            place, repeat = index % 3, index // 3
            file = dicom(
                STORED[place] + 100 * repeat, SeriesInstanceUID=uid, SeriesDescription=name[-1],
                InstanceNumber=index + 1,
                ImageOrientationPatient=[1, 0, 0, 0, 1, 0], ImagePositionPatient=[0, 0, 4 * place], PixelSpacing=[2, 1],
                RescaleSlope=1, RescaleIntercept=-10, WindowCenter=20, WindowWidth=40, **tags,
            )  # fmt: skip
            file.rename(tmp_path / name / f"{9 - index}")
        return tmp_path / name

    return write


def test_a_series_is_read_in_hounsfield_units_from_foot_to_head(write_series):
    made = dicom_view.read_view(write_series("ct", Modality="CT"), (0, 1))
    np.testing.assert_array_equal(made.pixels, STORED.astype(np.float32) - 10)
    assert (made.axes, made.voxel_mm, made.units, made.window) == (PATIENT_AXES, (4, 2, 1), "HU", (0, 40))


def test_images_of_one_place_are_as_many_volumes(write_series):
    folder = write_series("twice", repeats=2, Modality="MR")
    made = dicom_view.read_view(folder, (1, 2))
    assert (made.volumes, made.volume, made.units) == (2, 2, "")
    np.testing.assert_array_equal(made.pixels, STORED.astype(np.float32) + 90)
    with pytest.raises(UnreadableFile, match="no volume 3"):
        dicom_view.read_view(folder, (1, 3))


def test_a_disc_offers_its_series_and_opens_the_largest(write_series, tmp_path):
    write_series("disc/p/a", SeriesNumber=7)
    write_series("disc/p/b", repeats=2, SeriesNumber=9)
    write_series("disc/p/c", SeriesNumber=11, Modality="SEG")
    (tmp_path / "disc" / "readme.txt").write_text("viewer")
    made = dicom_view.read_view(tmp_path / "disc", (0, 1))
    assert made.series == ("7 · a · 3 images", "9 · b · 6 images")
    assert (made.name, made.series_number) == ("disc", 2)
    with pytest.raises(UnreadableFile, match="no series 3"):
        dicom_view.read_view(tmp_path / "disc", (3, 1))


@pytest.mark.parametrize("turned", ["IRP", "LAS", "SLP"])
def test_however_a_file_stores_it_the_volume_is_the_same(tmp_path, turned):
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    image = nibabel.Nifti1Image(values, np.diag([1.0, 2, 3, 1]))
    stored = image.as_reoriented(
        nibabel.orientations.ornt_transform(
            nibabel.orientations.axcodes2ornt("RAS"), nibabel.orientations.axcodes2ornt(turned)
        )
    )
    nibabel.save(stored, tmp_path / "a.nii")
    made = nifti_view.read_view(tmp_path / "a.nii", (0, 1))
    np.testing.assert_array_equal(made.pixels, values.T[:, ::-1, ::-1])
    assert (made.axes, made.voxel_mm) == (PATIENT_AXES, (3, 2, 1))


def test_a_file_without_an_orientation_is_read_as_stored(tmp_path):
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    path = write_nifti(tmp_path / "a.nii", values, kind=lambda data, affine: nibabel.Nifti1Image(data, None))
    made = nifti_view.read_view(path, (0, 1))
    np.testing.assert_array_equal(made.pixels, values.T)
    assert made.axes == UNKNOWN_AXES


def test_volumes_of_a_nifti_file_are_chosen(tmp_path):
    values = np.stack([np.ones((2, 3, 4)), np.full((2, 3, 4), 5)], -1).astype(np.float32)
    made = nifti_view.read_view(write_nifti(tmp_path / "a.nii", values), (0, 2))
    assert (made.volumes, made.volume, made.pixels.min()) == (2, 2, 5)


@pytest.mark.parametrize(("factor", "offset", "shown"), [(1, 1e9, 1), (1e40, 0, 1e41), (1e-40, 0, 1e-39)])
def test_values_that_float32_has_no_room_for_stay_apart(tmp_path, factor, offset, shown):
    values = np.arange(24.0).reshape(2, 3, 4) * factor + offset
    made = nifti_view.read_view(write_nifti(tmp_path / "a.nii", values), (0, 1))
    stored = np.sort(made.pixels.astype(np.float64), axis=None) * shown
    np.testing.assert_allclose(stored, np.sort(values, axis=None), rtol=1e-10 if shown == 1 else 1e-6)
    assert any("are divided by 1e" in note for note in made.notes) == (shown != 1)


def test_a_volume_without_a_number_says_so(tmp_path):
    made = nifti_view.read_view(write_nifti(tmp_path / "a.nii", np.full((2, 3, 4), np.nan, np.float32)), (0, 1))
    assert made.notes[-1] == "Its voxels hold no numbers."


def test_32_bits_of_a_dicom_file_stay_apart(dicom):
    made = dicom_view.read_view(dicom(np.arange(20, dtype=np.uint32).reshape(4, 5) + 2**30, BitsStored=32), (0, 1))
    assert len(np.unique(made.pixels)) == 20


def test_series_of_several_patients_have_numbers_and_no_names(write_series, tmp_path):
    for name in ("b", "a"):
        folder = write_series(f"disc/{name}/x", SeriesNumber=3, PatientID=f"SECRET-{name}")
    (folder / "again").write_bytes(next(folder.iterdir()).read_bytes())
    made = dicom_view.read_view(tmp_path / "disc", (0, 1))
    assert made.series == ("3 · x · 3 images · patient 1", "3 · x · 3 images · patient 2")
    assert len(made.pixels) == 3
