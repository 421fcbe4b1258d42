"""Derived DICOM series: place, intensities and header. Sources and results are read with pydicom."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import CTImageStorage, MRImageStorage

from engine.data import dicom_writer, series_folder, volume_target
from engine.data.dicom_writer import Derivation, read_source, write_series
from engine.data.viewed_volume import reslice
from engine.data.volume_target import VolumeTarget
from engine.data.volume_writer import check_grid
from engine.errors import DataError
from engine.evaluation.volume import transform_slices
from tests.engine.data.test_volume_writer import (
    AXIAL,
    CORONAL,
    OBLIQUE,
    SAGITTAL,
    SHAPE,
    SPOT,
    find_dicom_place,
    planes,
    spot,
)

SLICES = 7
DERIVATION = Derivation("first", "ae", "denoising", "0.1")
PATIENT = {
    **{"PatientName": "PLANTED^WILHELMINA", "PatientID": "PLANTED-77", "PatientBirthDate": "19530417"},
    **{"AccessionNumber": "PLANTEDACC12", "InstitutionName": "PLANTED CLINIC", "StudyDate": "20190823"},
    **{"StudyInstanceUID": "1.2.826.99.1", "FrameOfReferenceUID": "1.2.826.99.2", "SeriesInstanceUID": "1.2.826.99.3"},
    **{"SeriesDescription": "PLANTED SERIES", "DeviceSerialNumber": "PLANTED-5", "Modality": "MR"},
}


@pytest.fixture
def source(tmp_path, dicom):
    """Write a series of slices with a bright spot, the order of whose names is not that of the slices."""

    def write(cosines=AXIAL, turned=OBLIQUE, **tags):
        folder = tmp_path / "series"
        folder.mkdir()
        directions, positions = planes(cosines, turned, 3.5, SLICES)
        stored = np.rint(spot()).astype(np.uint16).transpose(2, 1, 0)  # slice, row, column
        for index, position in enumerate(positions):
            place = {"ImagePositionPatient": [f"{each:.9g}" for each in position]}
            place |= {"ImageOrientationPatient": [f"{each:.9g}" for each in directions], "PixelSpacing": [0.8, 1.1]}
            shown = {"WindowCenter": 900, "WindowWidth": 2001, "RescaleSlope": 2, "RescaleIntercept": -100}
            file = dicom(stored[index], **{**place, **shown, **PATIENT, **tags})
            file.rename(folder / f"{(index * 5) % len(positions):02}-{index}.dcm")
        return folder

    return write


def send_through(folder, target, settings, plane="", keep=False):
    """Send a series through a model that returns its input; the written files, in the order of their names."""
    scan = reslice(series_folder.read_scan(folder), plane)
    made = transform_slices(scan, settings, lambda images, first: images)
    write_series(target, made, check_grid(scan), read_source(folder, keep), DERIVATION)
    return [dcmread(file) for file in sorted(target.iterdir())]


@pytest.fixture(autouse=True)
def _needs_highdicom(request):
    if "without_highdicom" not in request.fixturenames:
        pytest.importorskip("highdicom")


@pytest.fixture
def without_highdicom(monkeypatch):
    """Let highdicom be missing."""
    monkeypatch.setattr(volume_target.importlib.util, "find_spec", lambda name: None)


@pytest.mark.parametrize(
    ("cosines", "turned", "plane"),
    [(AXIAL, np.eye(3), ""), (SAGITTAL, OBLIQUE, "coronal"), (CORONAL, OBLIQUE, "")],
    ids=["axial", "sagittal-oblique-as-coronal", "coronal-oblique"],
)
def test_a_point_stays_where_it_is(tmp_path, config, source, turned, cosines, plane):
    folder = source(cosines, turned)
    (file,) = folder.glob(f"*-{SPOT[2]}.dcm")
    written = send_through(folder, tmp_path / "out", config(size=96), plane)
    assert (len(written), written[0].Rows, written[0].Columns) == (SLICES, SHAPE[1], SHAPE[0])
    row, column = divmod(max(written, key=lambda each: each.pixel_array.max()).pixel_array.argmax(), SHAPE[0])
    brightest = max(range(SLICES), key=lambda index: written[index].pixel_array.max())
    result = tmp_path / "out" / f"{brightest + 1:04}.dcm"
    assert np.linalg.norm(find_dicom_place(result, row, column) - find_dicom_place(file, SPOT[1], SPOT[0])) < 0.4


def test_the_slices_have_the_geometry_and_the_intensities_of_the_source(tmp_path, config, source):
    folder = source()
    written = send_through(folder, tmp_path / "out", config(size=96))
    files = [dcmread(next(folder.glob(f"*-{index}.dcm"))) for index in range(SLICES)]
    for made, given in zip(written, files, strict=True):
        for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            np.testing.assert_allclose(list(made[name].value), list(given[name].value), atol=1e-4)
        values = made.pixel_array * float(made.RescaleSlope) + float(made.RescaleIntercept)
        difference = np.abs(values - (given.pixel_array * 2.0 - 100))
        assert np.median(difference) < 0.01 * 2000
        assert (made.WindowCenter, made.WindowWidth) == (pytest.approx(900, abs=1), pytest.approx(2000, abs=2))
    assert (written[0].SpacingBetweenSlices, written[0].SOPClassUID) == (pytest.approx(3.5), MRImageStorage)
    opened = series_folder.read_scan(tmp_path / "out")
    assert opened.grid.affine == pytest.approx(np.array(series_folder.read_scan(folder).grid.affine), abs=1e-4)


def test_the_header_says_what_the_images_are_and_nothing_of_the_patient(tmp_path, config, source):
    written = send_through(source(), tmp_path / "out", config(size=48))
    first = written[0]
    assert list(first.ImageType)[:2] == ["DERIVED", "SECONDARY"]
    assert first.DerivationDescription.startswith("Denoising by the ae model 'first'")
    assert "Not for diagnosis" in first.DerivationDescription
    assert first.SeriesDescription.startswith("Not for diagnosis")
    assert (first.PatientIdentityRemoved, first.BurnedInAnnotation) == ("YES", "NO")
    assert first.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert (str(first.PatientName), first.PatientID, first.StudyDate, first.AccessionNumber) == ("", "", "", "")
    for name, count in {"SOPInstanceUID": SLICES, "SeriesInstanceUID": 1, "StudyInstanceUID": 1}.items():
        assert len({each[name].value for each in written}) == count
    content = b"".join(file.read_bytes() for file in (tmp_path / "out").iterdir())
    for planted in (*PATIENT.values(), "WILHELMINA", "1.2.826.99"):
        assert planted == "MR" or planted.encode() not in content


def test_patient_data_is_kept_if_asked_for(tmp_path, config, source):
    name = "Plånted^Wilhelmina"
    folder = source(SpecificCharacterSet="ISO_IR 100", PatientName=name, BurnedInAnnotation="YES")
    written = send_through(folder, tmp_path / "out", config(size=48), keep=True)
    kept = ("PatientID", "PatientBirthDate", "StudyDate", "AccessionNumber", "StudyInstanceUID", "FrameOfReferenceUID")
    assert [str(written[3][each].value) for each in kept] == [PATIENT[each] for each in kept]
    assert str(written[3].PatientName) == name
    assert written[3].SeriesInstanceUID != PATIENT["SeriesInstanceUID"]
    assert (written[3].PatientIdentityRemoved, written[3].BurnedInAnnotation) == ("NO", "YES")
    assert "DeidentificationMethod" not in written[3]
    assert "InstitutionName" not in written[3]


def test_a_ct_series_stays_one_and_other_modalities_are_refused(tmp_path, config, source):
    folder = source(Modality="CT")
    first = send_through(folder, tmp_path / "out", config(size=48))[0]
    assert (first.SOPClassUID, first.Modality, first.RescaleType) == (CTImageStorage, "CT", "HU")
    for file in folder.iterdir():
        data = dcmread(file)
        data.Modality = "PT"
        data.save_as(file)
    with pytest.raises(DataError, match="The modality of the source is PT"):
        read_source(folder, keep_patient_data=False)


def test_what_is_no_dicom_series_is_refused(tmp_path):
    (tmp_path / "head.nii").write_bytes(b"no DICOM")
    for place in (tmp_path, tmp_path / "head.nii"):
        with pytest.raises(DataError, match=r"is not a DICOM series.*NIfTI"):
            read_source(place, keep_patient_data=False)


def test_a_folder_with_files_is_never_written_into(tmp_path):
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(DataError, match="is not an empty folder"):
        VolumeTarget(tmp_path, "dicom").check("series")
    (tmp_path / "new").mkdir()
    VolumeTarget(tmp_path / "new", "dicom").check("series")


def test_nothing_is_left_of_a_series_that_could_not_be_written(tmp_path, config, source, monkeypatch):
    made = dicom_writer._make_objects

    def fail(*given):
        yield next(iter(made(*given)))
        raise OSError("disk full")

    monkeypatch.setattr(dicom_writer, "_make_objects", fail)
    folder = source()
    with pytest.raises(OSError, match="disk full"):
        send_through(folder, tmp_path / "new" / "out", config(size=48))
    assert list((tmp_path / "new").iterdir()) == []


def test_the_refusal_names_the_extra(without_highdicom):
    with pytest.raises(DataError, match=r'needs the package highdicom.*pip install "engram-mri\[dicom\]"'):
        VolumeTarget(Path("out"), "dicom").check("series")
