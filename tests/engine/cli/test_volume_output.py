"""`reconstruct` and `denoise` with --volume-out, --bits and --arrays; and that nothing of a patient is written."""

import gzip
import json
from importlib import import_module

import nibabel
import numpy as np
import pytest
from nibabel.affines import apply_affine
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from engine import cli, evaluation
from engine.data import scan
from engine.figures import DISCLAIMER
from engine.runs import create_run, open_run

pytestmark = pytest.mark.usefixtures("loaded_once")

AFFINE = np.array([[0.0, -1.1, 0.2, 30], [0.9, 0.0, 0.3, -20], [0.1, 0.2, 4.0, 5], [0, 0, 0, 1]])
SPOT = (10, 21, 3)
PATIENT = {
    "PatientName": "PLANTED^WILHELMINA",
    "PatientID": "PLANTED-ID-77318",
    "PatientBirthDate": "19530417",
    "OtherPatientIDs": "PLANTED-OTHER-5",
    "PatientAddress": "PLANTED STREET 9",
    "AccessionNumber": "PLANTEDACC12",
    "InstitutionName": "PLANTED CLINIC",
    "ReferringPhysicianName": "PLANTED^DOCTOR",
    "StudyDate": "20190823",
    "StudyDescription": "PLANTED STUDY",
    "SeriesDescription": "PLANTED SERIES",
    "StudyInstanceUID": "1.2.826.99.19530417",
    "ImageComments": "PLANTED COMMENT",
}


class Echo:
    """A model that returns its input, and counts the images."""

    def __init__(self):
        self.images = 0

    def predict_on_batch(self, images):
        """Return the images."""
        self.images += len(images)
        return images


@pytest.fixture
def root(tiny, tmp_path):
    """Return a folder with a run, 'first', that was never trained."""
    create_run(tiny(fit="letterbox"), "first", tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture(autouse=True)
def _read_here(monkeypatch):
    """Let this process read files, which saves one for each command; `test_volume_writer` has the process."""

    def read(reader, file, limits, choice, shown):
        return import_module(reader).read_scan(file, *(choice if isinstance(choice, tuple) else (choice,)))

    monkeypatch.setattr(scan, "_read_scan", read)


@pytest.fixture
def call(root, capsys):
    """Call a command; what it printed, as JSON if it said --json."""

    def go(*words, status=0):
        assert cli.main([*map(str, words), "--runs", str(root)]) == status
        printed = capsys.readouterr()
        if status:
            return printed.err
        return json.loads(printed.out) if "--json" in words else printed.out

    return go


@pytest.fixture
def echo(monkeypatch):
    """Let every run have a model that returns its input."""
    model = Echo()
    monkeypatch.setattr(evaluation, "load_model", lambda run: model)
    return model


@pytest.fixture
def volume(tmp_path):
    """An oblique volume of eight slices with a bright voxel and a display range."""
    values = np.random.default_rng(0).integers(100, 130, (24, 32, 8)).astype(np.int16)
    values[SPOT] = 1000
    image = nibabel.Nifti1Image(values, AFFINE)
    image.header["cal_min"], image.header["cal_max"] = 0, 1000
    image.header["descrip"] = b"PLANTED^WILHELMINA 19530417"
    nibabel.save(image, tmp_path / "head.nii.gz")
    return tmp_path / "head.nii.gz"


@pytest.fixture
def series(tmp_path):
    """A folder with a series of five slices that name their patient."""
    folder = tmp_path / "series"
    folder.mkdir()
    uid = generate_uid()
    for index in range(5):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = MRImageStorage
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
        data.SeriesInstanceUID, data.PhotometricInterpretation, data.SamplesPerPixel = uid, "MONOCHROME2", 1
        data.Rows, data.Columns, data.BitsAllocated, data.BitsStored, data.HighBit = 40, 30, 16, 12, 11
        data.PixelRepresentation = 0
        data.ImageOrientationPatient, data.PixelSpacing = [1, 0, 0, 0, 1, 0], [0.9, 0.9]
        data.ImagePositionPatient = [-10, -12, 4 * index]
        for keyword, value in PATIENT.items():
            setattr(data, keyword, value)
        data.PixelData = np.random.default_rng(index).integers(0, 900, (40, 30)).astype(np.uint16).tobytes()
        data.save_as(folder / f"{index}.dcm", enforce_file_format=True)
    return folder


@pytest.mark.parametrize("command", [["reconstruct"], ["denoise", "--sigma", "0"]], ids=lambda words: words[0])
def test_a_volume_comes_back_on_its_grid(call, echo, volume, tmp_path, command):
    out = tmp_path / "out.nii.gz"
    found = call(command[0], "first", volume, *command[1:], "--volume-out", out, "--json")
    result = nibabel.load(out)
    assert found["volume"]["file"] == str(out)
    assert (found["volume"]["slices"], found["volume"]["shape"]) == (8, [24, 32, 8])
    assert echo.images == 8
    np.testing.assert_allclose(result.affine, AFFINE, atol=1e-5)
    place = np.unravel_index(result.get_fdata().argmax(), result.shape)
    distance = apply_affine(np.linalg.inv(AFFINE), apply_affine(result.affine, place)) - SPOT
    assert np.abs(distance).max() < 0.5
    source = nibabel.load(volume).get_fdata()
    assert np.median(np.abs(result.get_fdata() - source)) < 0.01 * 1000
    assert b"Engram first: not for diagnosis" in gzip.decompress(out.read_bytes())[:352]


def test_a_volume_and_images_are_written_and_said(call, echo, volume, tmp_path):
    out = tmp_path / "out.nii"
    said = call("reconstruct", "first", volume, "--volume-out", out, "--out", tmp_path / "pictures")
    assert "values outside 0 to 1000 were clipped to this range" in said
    assert f"Saved a volume of 8 slices (24 × 32 × 8 voxels) to {out}" in said
    assert (tmp_path / "pictures" / "head-comparison.png").is_file()
    values = nibabel.load(out).get_fdata()
    assert 0 <= values.min() < values.max() <= 1000


def test_the_notes_on_the_input_are_said(call, echo, tmp_path):
    values = np.random.default_rng(0).integers(1, 100, (32, 32, 3, 2)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "two.nii")
    said = call("reconstruct", "first", tmp_path / "two.nii", "--volume-out", tmp_path / "out.nii")
    assert "The file holds 2 volumes; the first one is shown." in said


def test_noise_is_added_to_every_slice_and_said(call, echo, volume, tmp_path):
    out = tmp_path / "out.nii"
    said = call("denoise", "first", volume, "--sigma", "0.2", "--volume-out", out)
    assert "Gaussian noise, σ = 0.2, was added to every slice before denoising." in said
    source = nibabel.load(volume).get_fdata()
    change = nibabel.load(out).get_fdata() - source
    assert all(change[..., index].std() > 50 for index in range(8))
    assert np.abs(np.corrcoef(change[..., 0].ravel(), change[..., 1].ravel())[0, 1]) < 0.5


def test_a_denoised_volume_comes_beside_the_comparison_of_one_slice(call, echo, series, tmp_path):
    out = tmp_path / "out.nii"
    found = call("denoise", "first", series, "--volume-out", out, "--out", tmp_path / "pictures", "--json")
    assert set(found["methods"]) == {"none", "first"}
    assert nibabel.load(out).shape == (30, 40, 5)
    assert (tmp_path / "pictures" / "noisy.png").is_file()


@pytest.mark.parametrize("command", ["reconstruct", "denoise"])
def test_plain_images_and_arrays_hold_the_intensities(call, echo, volume, tmp_path, command):
    out = tmp_path / "plain"
    found = call(command, "first", volume, "--slice", "3", "--out", out, "--bits", "16", "--arrays", "--json")
    files = found["files"] if command == "denoise" else found["images"][0]["files"]
    for name in ("original", "first" if command == "denoise" else "reconstruction"):
        array = np.load(files[f"{name}-array"])
        assert (array.dtype, array.shape) == (np.float32, (32, 32))
        assert 0 <= array.min() < array.max() <= 1
        with Image.open(files[f"{name}-16bit"]) as image:
            assert (image.mode, image.text["Description"]) == ("I;16", DISCLAIMER)
            np.testing.assert_allclose(np.asarray(image) / 65535, array, atol=0.6 / 65535)
    with Image.open(files["original"]) as image:
        assert image.mode == "RGBA"


def test_plain_images_of_8_bits(call, echo, volume, tmp_path):
    found = call("reconstruct", "first", volume, "--out", tmp_path / "plain", "--bits", "8", "--json")
    files = found["images"][0]["files"]
    assert not any(name.endswith("-array") for name in files)
    with Image.open(files["original-8bit"]) as image:
        assert (image.mode, image.size) == ("L", (32, 32))


def read_all(folder):
    """Every file below a folder, and what gzip files hold."""
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            yield path, content
            if content[:2] == b"\x1f\x8b":
                yield path, gzip.decompress(content)


def find_planted(folders):
    """The files of some folders that hold something of the patient, and what."""
    planted = [value.encode() for value in ("PLANTED", "WILHELMINA", "19530417", "1953-04-17", "20190823")]
    read = [each for folder in folders for each in read_all(folder)]
    return [(path.name, word) for path, content in read for word in planted if word in content]


def test_a_run_trained_on_coronal_slices_receives_coronal_slices(call, echo, root, volume, tmp_path):
    open_run("first", root).write_json("provenance.json", {"data": {"plane": "coronal"}})
    found = call("reconstruct", "first", volume, "--volume-out", tmp_path / "out.nii", "--json")["volume"]
    result, source = nibabel.load(tmp_path / "out.nii"), nibabel.load(volume)
    assert (found["slices"], found["shape"], echo.images) == (24, [24, 32, 8], 24)
    assert [note[:23] for note in found["notes"] if note.startswith("Shown as ")] == ["Shown as coronal slices"]
    np.testing.assert_allclose(result.affine, AFFINE, atol=1e-5)
    assert np.unravel_index(result.get_fdata().argmax(), result.shape) == SPOT
    assert np.median(np.abs(result.get_fdata() - source.get_fdata())) < 0.01 * 1000


@pytest.mark.parametrize("command", ["reconstruct", "denoise"])
def test_a_derived_series_is_written_beside_images_without_anything_of_the_patient(
    call, echo, root, series, tmp_path, command
):
    pytest.importorskip("highdicom")
    out = tmp_path / "results"
    words = ["--volume-out", out / "series", "--volume-format", "dicom", "--out", out, "--json"]
    found = call(command, "first", series, *words)
    (out / "said.json").write_text(json.dumps(found))
    written = [dcmread(file) for file in sorted((out / "series").iterdir())]
    assert found["volume"]["slices"] == len(written) == 5
    assert [each.ImagePositionPatient[2] for each in written] == [0, 4, 8, 12, 16]
    process = {"reconstruct": "Reconstruction", "denoise": "Denoising"}[command]
    assert written[0].DerivationDescription.startswith(f"{process} by the ae model 'first'")
    assert find_planted([out, root]) == []
    kept = tmp_path / "kept"
    call(command, "first", series, "--volume-out", kept, "--volume-format", "dicom", "--keep-patient-data")
    assert {word for _, word in find_planted([kept])} == {b"PLANTED", b"WILHELMINA", b"19530417", b"20190823"}


@pytest.mark.parametrize(
    ("command", "kind"),
    [("reconstruct", "series"), ("reconstruct", "file"), ("reconstruct", "nifti"), ("denoise", "series")],
)
def test_nothing_of_the_patient_is_written(call, echo, root, series, volume, tmp_path, command, kind):
    source = {"series": series, "file": series / "2.dcm", "nifti": volume}[kind]
    out = tmp_path / "results"
    words = ["--volume-out", out / "out.nii.gz", "--out", out, "--arrays", "--bits", "16", "--json"]
    (tmp_path / "results").mkdir()
    (out / "said.json").write_text(json.dumps(call(command, "first", source, *words)))
    assert any(b"PLANTED" in content for _, content in read_all(source.parent)), "the search finds what was planted"
    written = [*read_all(out), *read_all(root)]
    assert {path.suffix for path, _ in written} >= {".gz", ".png", ".npy", ".json"}
    assert find_planted([out, root]) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Nothing to write: give --out, --volume-out or both"),
        (["--bits", "16", "--volume-out", "x.nii"], "--bits and --arrays need a folder"),
        (["--volume-out", "out.png"], "'out.png' is not the name of a NIfTI file"),
        (["--volume-out", "HEAD"], "'head.nii.gz' is the input itself"),
        (["--volume-out", "out.nii", "--keep-patient-data"], "--keep-patient-data is for a DICOM series"),
    ],
)
@pytest.mark.parametrize("command", ["reconstruct", "denoise"])
def test_what_cannot_be_written_is_refused_before_any_work(
    call, echo, volume, command, words, sentence, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    words = [volume if word == "HEAD" else word for word in words]
    before = volume.read_bytes()
    assert sentence in call(command, "first", volume, *words, status=2)
    assert volume.read_bytes() == before
    assert echo.images == 0


def test_one_volume_takes_one_input(call, echo, volume, tmp_path):
    said = call("reconstruct", "first", volume, volume, "--volume-out", tmp_path / "out.nii", status=2)
    assert "--volume-out takes one volume" in said


def test_an_image_is_no_volume(call, echo, tmp_path):
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(tmp_path / "head.png")
    said = call("reconstruct", "first", tmp_path / "head.png", "--volume-out", tmp_path / "out.nii", status=2)
    assert "'head.png' is an image, not a volume" in said
    assert not (tmp_path / "out.nii").exists()
