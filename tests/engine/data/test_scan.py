import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from engine.data import Scan, open_scan, prepare, scan
from engine.data.files import detect_format
from engine.data.scan import Limits, _grow_limits
from engine.errors import DataError, ScanError

NIFTI = Path(nibabel.__file__).parent / "tests" / "data"


def test_a_dicom_file_is_opened_in_another_process():
    scan = open_scan(get_testdata_file("MR_small.dcm"))
    assert (scan.kind, scan.name, len(scan)) == ("dicom", "MR_small.dcm", 1)
    assert scan.pixels.dtype == np.float32
    assert scan.orientation == ("R", "L", "A", "P")
    assert scan.spacing_mm == (0.3125, 0.3125)
    assert scan.notes == ("Displayed with the window/level stored in the file: level 600, width 1600.",)


def test_a_volume_is_opened():
    scan = open_scan(str(NIFTI / "example4d.nii.gz"))
    assert (scan.kind, len(scan)) == ("nifti", 24)
    assert scan.slice_spacing_mm == pytest.approx(2.2, abs=0.01)


def test_an_image_is_opened_and_prepared_as_a_dataset_would(tmp_path, noise, config):
    Image.fromarray(noise(0, (32, 32))).save(tmp_path / "scan.png")
    scan = open_scan(tmp_path / "scan.png")
    assert (scan.kind, scan.orientation, scan.spacing_mm, scan.notes) == ("picture", None, None, ())
    np.testing.assert_array_equal(prepare(scan, config()), noise(0, (32, 32)) / np.float32(255))


def test_slices_are_counted_from_0():
    scan = Scan(np.zeros((3, 2, 2), dtype=np.float32), "head.nii", "nifti")
    assert scan.slice(2).shape == (2, 2)
    for index in (-1, 3):
        with pytest.raises(ScanError, match=f"head.nii has no slice {index}. Its slices are numbered from 0 to 2"):
            scan.slice(index)


def test_a_name_of_any_characters_is_opened(tmp_path, noise):
    path = tmp_path / "-- Köpfe & 'quotes' 脳.png"
    Image.fromarray(noise(0)).save(path)
    assert open_scan(path).name == path.name


def test_it_works_from_any_folder(tmp_path, noise, monkeypatch):
    Image.fromarray(noise(0)).save(tmp_path / "scan.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert len(open_scan("scan.png")) == 1


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.write_text("glioma, left"), "not an image, a DICOM file or a NIfTI volume"),
        (lambda path: path.touch(), "it is empty"),
        (lambda path: path.mkdir(), "it holds no DICOM images"),
        (lambda path: zipfile.ZipFile(path, "w").close(), "not an image"),
        (lambda path: path.write_bytes(b"\x1f\x8b" + bytes(80)), "it is compressed with gzip; unpack it"),
        (lambda path: path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(80)), "cannot be opened"),
        (lambda path: path.write_bytes(bytes(128) + b"DICM" + bytes(80)), "cannot be opened"),
        (lambda path: shutil.copy(NIFTI / "nifti1.hdr", path), "one half"),
        (lambda path: None, "There is no file"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(tmp_path, make, sentence):
    make(tmp_path / "thing")
    with pytest.raises(ScanError, match=sentence) as caught:
        open_scan(tmp_path / "thing")
    assert caught.value.advice
    assert "Traceback" not in str(caught.value)


def test_352_bytes_that_request_16_gigabytes_are_refused(tmp_path):
    header = nibabel.Nifti1Header()
    header["dim"][:4] = (3, 2000, 2000, 1000)
    header["datatype"], header["bitpix"], header["magic"], header["vox_offset"] = 16, 32, b"n+1", 352
    (tmp_path / "bomb.nii").write_bytes(header.binaryblock + bytes(4))
    with pytest.raises(ScanError, match="declares 2000 × 2000 × 1000 voxels"):
        open_scan(tmp_path / "bomb.nii")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_file_that_takes_too_much_memory_is_given_up(tmp_path):
    header = nibabel.Nifti1Header()
    header["dim"][:4] = (3, 400, 400, 400)
    header["datatype"], header["bitpix"], header["magic"], header["vox_offset"] = 64, 64, b"n+1", 352
    (tmp_path / "big.nii").write_bytes(header.binaryblock + bytes(4))
    with pytest.raises(ScanError, match="memory"):
        open_scan(tmp_path / "big.nii", Limits(memory_bytes=400 * 2**20))


def test_a_file_that_takes_too_long_is_given_up(tmp_path, noise):
    Image.fromarray(noise(0)).save(tmp_path / "scan.png")
    with pytest.raises(ScanError, match=r"takes longer than 0\.001 s"):
        open_scan(tmp_path / "scan.png", Limits(wall_s=0.001))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_reader_that_is_killed_is_a_sentence(tmp_path, noise):
    Image.fromarray(noise(0)).save(tmp_path / "scan.png")
    with pytest.raises(ScanError, match="it could not be read"):
        open_scan(tmp_path / "scan.png", Limits(cpu_s=0))


def test_a_file_of_gigabytes_is_not_even_tried(tmp_path, noise):
    Image.fromarray(noise(0)).save(tmp_path / "scan.png")
    with pytest.raises(ScanError, match="larger than 0 GB"):
        open_scan(tmp_path / "scan.png", Limits(file_bytes=10))


def test_the_parsing_process_starts_with_little(run_python):
    code = "import sys, engine.data.{}; print([n for n in {} if n in sys.modules])"
    strange = {"raster": ["pydicom", "nibabel"], "dicom": ["nibabel"], "nifti": []}
    for reader, others in strange.items():
        heavy = ["pydantic", "skimage", "datasets", "pandas", "keras", *others]
        assert run_python(code.format(reader, heavy)).strip() == "[]", reader


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "a", "picture"),
        (b"II*\0" + bytes(124) + b"DICM", "a", "dicom"),  # a preamble may hold a TIFF's header
        (b"\x08\x00\x05\x00", "a.dcm", "dicom"),
        (struct.pack("<i", 348) + bytes(340) + b"n+1\0", "a", "nifti"),
        (struct.pack("<i", 540) + b"n+2\0" + bytes(300), "a", "nifti"),
        (b"plain text", "a.nii", None),
    ],
)
def test_kinds_are_recognized_by_content(tmp_path, content, name, kind):
    (tmp_path / name).write_bytes(content)
    assert detect_format(tmp_path / name) == kind


def test_what_a_decoder_prints_is_no_part_of_the_reply(monkeypatch):
    printed = b'Invalid marker\n{"reason": "it is damaged"}\nstray line\n'
    monkeypatch.setattr(scan, "run_process", lambda *_: subprocess.CompletedProcess([], 0, printed))
    with pytest.raises(ScanError, match="cannot be opened: it is damaged"):
        open_scan(get_testdata_file("MR_small.dcm"))


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (struct.pack("<HHI", 8, 5, 10) + b"ISO_IR 100", "cannot be opened: a DICOM file without an image"),
        (struct.pack("<HH", 8, 5) + b"CS\n\0ISO_IR 100", "cannot be opened: a DICOM file without an image"),
        (struct.pack(">HH", 8, 5) + b"CS\0\nISO_IR 100", "cannot be opened: a DICOM file without an image"),
        (struct.pack("<HHI", 8, 5, 10**6) + b"ISO_IR 100", "not an image"),
        (struct.pack("<HHI", 9, 5, 10) + b"ISO_IR 100", "not an image"),
        (b"\xff\xff\xfecreated by", "it is a FreeSurfer surface"),
        (b'<?xml version="1.0"?><GIFTI Version="1.0">', "it is a GIFTI surface"),
    ],
)
def test_a_file_is_what_it_begins_with(tmp_path, head, sentence):
    (tmp_path / "IM0001").write_bytes(head + bytes(400))
    with pytest.raises(ScanError, match=sentence):
        open_scan(tmp_path / "IM0001")


def test_damaged_archive_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "IM0001").write_bytes(b"PK\3\4" + bytes(430))
    with pytest.raises(DataError, match="'IM0001' is damaged, or packed in a way that cannot be read"):
        open_scan(tmp_path / "IM0001")


def test_the_content_counts_and_not_the_name(tmp_path, noise):
    Image.fromarray(noise(0)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.dcm")
    assert open_scan(tmp_path / "a.dcm").kind == "picture"
    shutil.copy(NIFTI / "anatomical.nii", tmp_path / "b.DCM")
    assert open_scan(tmp_path / "b.DCM").kind == "nifti"
    (tmp_path / "c.IMA").write_text("glioma, left")
    with pytest.raises(ScanError, match=r"it is called \.IMA, but holds no DICOM data"):
        open_scan(tmp_path / "c.IMA")


def test_the_index_of_a_disc_is_named():
    file = Path(get_testdata_file("MR_small.dcm")).parent / "dicomdirtests" / "DICOMDIR"
    with pytest.raises(ScanError, match=r"it is the index of a disc \(DICOMDIR\) with 13 DICOM series; choose one"):
        open_scan(file)


@pytest.mark.parametrize("values", [np.full((8, 8), 7, np.uint8), np.full((8, 8), np.nan, np.float32)])
def test_a_blank_slice_is_noted(tmp_path, values):
    Image.fromarray(values).save(tmp_path / "blank.tif")
    assert open_scan(tmp_path / "blank.tif").notes[-1] == "This slice has one gray value only."
    blank = Scan(np.zeros((2, 4, 4), np.float32), "a.nii", "nifti", notes=("A note.",))
    blank.pixels[1, 0, 0] = 1
    assert blank.slice_notes(0) == ("A note.", "This slice has one gray value only.")
    assert blank.slice_notes(1) == ("A note.",)


def test_picture_has_ten_seconds_however_many_pages_it_has(tmp_path, monkeypatch):
    file = tmp_path / "pages.tif"
    Image.new("L", (8, 8)).save(file)
    with file.open("ab") as pages:
        pages.truncate(40 * 2**20)
    given = []
    monkeypatch.setattr(scan, "_read_scan", lambda reader, path, limits, *rest: given.append((reader, limits.cpu_s)))
    open_scan(file)
    assert given == [("engine.data.raster", 10)]


def test_large_files_have_more_time():
    small, large = _grow_limits(2**10), _grow_limits(40 * 2**20)
    assert (round(small.cpu_s), round(small.wall_s)) == (20, 200)
    assert (large.cpu_s, large.wall_s, large.memory_bytes) == (100, 1000, Limits().memory_bytes)
    assert _grow_limits(2**31).wall_s == 1700
