"""Volumes of FreeSurfer, 3D Slicer and ITK: the slices are those of the same volume as NIfTI."""

import contextlib
import importlib.util
import os
import zlib

import nibabel
import numpy as np
import pytest

from engine.data import itk_header, nifti_view, research_volumes
from engine.data.decoded_image import UnreadableFile
from engine.data.nifti import read_scan as read_nifti
from engine.data.nifti_header import NO_ORIENTATION
from engine.data.research_volumes import INSTALL, read_scan
from engine.data.scan import open_scan
from engine.data.viewed_volume import UNKNOWN_AXES
from engine.errors import ScanError
from tests.engine.data.conftest import VOLUME, write_nifti

AFFINE = np.array([[1.0, 0, 0, 5], [0, 1.5, 0, -3], [0, 0, 2, 1], [0, 0, 0, 1]])
NRRD = (
    b"NRRD0004\ntype: float\ndimension: 3\nspace: left-posterior-superior\nsizes: 4 5 6\n"
    b"space directions: (-1,0,0) (0,-1.5,0) (0,0,2)\nkinds: domain domain domain\nendian: little\n"
    b"encoding: raw\nspace origin: (-5,3,1)\n\n"
)
META = (
    b"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
    b"TransformMatrix = -1 0 0 0 -1 0 0 0 1\nOffset = -5 3 1\nElementSpacing = 1 1.5 2\nDimSize = 4 5 6\n"
    b"ElementType = MET_FLOAT\nElementDataFile = LOCAL\n"
)

needs_itk = pytest.mark.skipif(
    importlib.util.find_spec("SimpleITK") is None, reason=f"SimpleITK is not installed: {INSTALL}"
)


@pytest.fixture
def expected(tmp_path):
    return read_nifti(write_nifti(tmp_path / "same.nii", VOLUME, AFFINE))


def same(scan, expected):
    assert scan.orientation == expected.orientation == ("R", "L", "A", "P")
    assert scan.spacing_mm == pytest.approx(expected.spacing_mm) == (1.5, 1.0)
    assert scan.slice_spacing_mm == pytest.approx(2.0)
    assert scan.kind == "research"
    np.testing.assert_allclose(scan.pixels, expected.pixels, atol=1e-5)


@pytest.mark.parametrize("name", ["a.mgz", "A.MGH"])
def test_volume_of_freesurfer_is_shown_as_the_same_nifti(tmp_path, expected, name):
    content = nibabel.MGHImage(VOLUME.astype(np.float32), AFFINE).to_bytes()
    path = tmp_path / name
    nibabel.save(nibabel.MGHImage(VOLUME.astype(np.float32), AFFINE), path) if name.endswith("z") else path.write_bytes(
        content
    )
    same(open_scan(path), expected)


def test_volume_of_several_is_chosen(tmp_path):
    several = np.stack([VOLUME, VOLUME[::-1]], axis=-1).astype(np.float32)
    nibabel.save(nibabel.MGHImage(several, AFFINE), tmp_path / "a.mgz")
    first, second = read_scan(tmp_path / "a.mgz"), read_scan(tmp_path / "a.mgz", 2)
    np.testing.assert_allclose(first.pixels[..., ::-1], second.pixels, atol=1e-5)
    assert second.notes[0] == "Volume 2 of 2."
    with pytest.raises(UnreadableFile, match="no volume 3; it holds 2 volumes"):
        read_scan(tmp_path / "a.mgz", 3)


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\x1f\x8b\x08\0broken"])
def test_damaged_volume_of_freesurfer_is_refused_in_a_sentence(tmp_path, content):
    (tmp_path / "a.mgz").write_bytes(content)
    with pytest.raises(ScanError, match=r"'a\.mgz' cannot be opened: it "):
        open_scan(tmp_path / "a.mgz")


def test_volume_that_claims_too_much_is_refused_before_it_is_read(tmp_path):
    image = nibabel.MGHImage(np.zeros((2, 2, 2), np.float32), AFFINE)
    image.header["dims"] = (20_000, 20_000, 20_000, 1)
    (tmp_path / "a.mgh").write_bytes(image.header.binaryblock + bytes(64))
    with pytest.raises(UnreadableFile, match="claims 20,000 × 20,000 × 20,000 voxels"):
        read_scan(tmp_path / "a.mgh")


@pytest.mark.parametrize(("name", "head"), [("a.nrrd", NRRD), ("a.mha", META)])
def test_volume_of_slicer_or_itk_is_shown_as_the_same_nifti(tmp_path, expected, name, head):
    pytest.importorskip("SimpleITK", reason=f"SimpleITK is not installed: {INSTALL}")
    (tmp_path / name).write_bytes(head + VOLUME.astype("<f4").tobytes(order="F"))
    same(open_scan(tmp_path / name), expected)


@pytest.mark.parametrize(("name", "head"), [("a.nrrd", NRRD), ("a.mha", META)])
def test_volume_without_its_decoder_says_what_to_install(tmp_path, name, head, monkeypatch):
    (tmp_path / name).write_bytes(head)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnreadableFile, match="need SimpleITK: pip install"):
        read_scan(tmp_path / name)


@pytest.mark.parametrize(("name", "head"), [("a.nrrd", NRRD), ("a.mha", META)])
def test_volume_without_all_its_voxels_is_refused(tmp_path, name, head):
    pytest.importorskip("SimpleITK", reason=f"SimpleITK is not installed: {INSTALL}")
    (tmp_path / name).write_bytes(head + bytes(8))
    with pytest.raises(UnreadableFile, match="it is damaged, or its voxels are not beside it"):
        read_scan(tmp_path / name)


@pytest.mark.filterwarnings("ignore")  # nibabel leaves the file open
def test_an_affine_that_maps_two_axes_onto_one_is_refused_with_a_sentence(tmp_path):
    content = bytearray(nibabel.MGHImage(VOLUME.astype(np.float32), AFFINE).to_bytes())
    content[42:54] = content[54:66]  # the direction of the first axis becomes that of the second
    (tmp_path / "a.mgh").write_bytes(content)
    with pytest.raises(UnreadableFile, match="damaged"):
        read_scan(tmp_path / "a.mgh")


@pytest.mark.parametrize(
    ("line", "is_refused"),
    [
        (b"encoding: " + b"[" * 2000, True),
        (b"[" * 2000, True),
        (b"encoding: ascii\n\n1 2 " + b"[" * 200, True),
        (b"encoding: ascii\n\n" + b"1 2 3 " * 200, False),
        (b"# " + b"a" * 2000, False),
        (b"Segment0_Tags:=" + b"a" * 2000, False),
    ],
)
def test_line_that_itk_has_no_room_for_is_refused_before_itk_reads_it(tmp_path, line, is_refused):
    file = tmp_path / "a.nrrd"
    file.write_bytes(b"NRRD0004\ntype: short\n" + line + b"\n\n")
    refused = pytest.raises(UnreadableFile, match="damaged") if is_refused else contextlib.nullcontext()
    with refused:
        itk_header.check_nrrd(file)


VOXELS = np.arange(120, dtype="<f4").tobytes()
PACKED = META.replace(b"ElementDataFile", b"CompressedData = True\nCompressedDataSize = %d\nElementDataFile")


def pack(content, size=None, head=PACKED):
    return head % (len(content) if size is None else size) + content


HEADERS = {
    "whole": (META + VOXELS, ""),
    "packed": (pack(zlib.compress(VOXELS)), ""),
    "garbage": (pack(b"x LOCAL\n" * 50), "Error"),
    "too few": (pack(zlib.compress(VOXELS[:-4])), "damaged"),
    "cut off": (pack(zlib.compress(VOXELS), 20), "damaged"),
    "no size": (PACKED.replace(b"CompressedDataSize = %d\n", b"") + zlib.compress(VOXELS), "damaged"),
    "-1 dimensions": (META.replace(b"NDims = 3", b"NDims =-1 3") + VOXELS, "damaged"),
    "other dimensions": (META.replace(b"NDims = 3", b"NDims = 9") + VOXELS, "damaged"),
    "two": (META.replace(b"NDims = 3", b"NDims = 2").replace(b"4 5 6", b"4 30") + VOXELS, "2 dimensions"),
    "twice": (META.replace(b"NDims = 3", b"NDims = 3\nNDims = 3") + VOXELS, "damaged"),
    "without sizes": (META.replace(b"DimSize = 4 5 6", b"DimSize = -4 5 6") + VOXELS, "damaged"),
    "without end": (b"NDims = 3\n" * 2**17, "damaged"),
    "pattern": (META.replace(b"LOCAL", b"%s%s%n"), "several files"),
    "device": (META.replace(b"LOCAL", b"/dev/zero"), "outside its folder"),
    "pipe": (META.replace(b"LOCAL", b"pipe"), "beside it"),
    "elsewhere": (META.replace(b"LOCAL", b"../a.raw"), "outside its folder"),
    "elsewhere, then here": (
        META.replace(b"ElementDataFile", b" ElementDataFile : ../a.raw\nElementDataFile"),
        "outside",
    ),
    "elsewhere, behind a return": (META.replace(b"NDims", b"x = \rElementDataFile = ../a.raw\nNDims"), "damaged"),
    "NRRD, numbered": (NRRD[:-1] + b"data file: a%d.raw 1 1 1\n\n", ""),
    "NRRD, pipe": (NRRD[:-1] + b"data file: pipe\n\n", "beside it"),
    "NRRD, elsewhere, then here": (NRRD[:-1] + b"data file: a1.raw\n DATAFILE : ../a.raw\n\n", "outside its folder"),
    "NRRD, list": (NRRD[:-1] + b"data file: LIST\na1.raw\npipe\n", "beside it"),
}


@pytest.mark.parametrize(("content", "problem"), HEADERS.values(), ids=HEADERS)
def test_header_that_itk_hangs_on_is_refused_before_itk_reads_it(tmp_path, content, problem):
    file = tmp_path / "set" / "a.mha"
    file.parent.mkdir()
    file.write_bytes(content)
    os.mkfifo(file.with_name("pipe"))
    for raw in (tmp_path / "a.raw", file.with_name("a1.raw")):
        raw.touch()
    with pytest.raises((UnreadableFile, zlib.error), match=problem) if problem else contextlib.nullcontext():
        assert itk_header.check_nrrd(file) or itk_header.check_meta(file) == (4, 5, 6)


def check_unoriented(path):
    scan = read_scan(path)
    assert (scan.orientation, scan.pixels.shape) == (None, (6, 5, 4))
    assert scan.notes[-1] == NO_ORIENTATION
    assert research_volumes.count_slices(path, "coronal") == 6
    assert research_volumes.read_label_grid(path)[1] is None
    view = nifti_view.read_view(path, (0, 1))
    assert (view.axes, view.notes) == (UNKNOWN_AXES, (NO_ORIENTATION,))
    return view.voxel_mm


def test_a_volume_of_freesurfer_without_an_orientation_has_no_letters(tmp_path):
    content = bytearray(nibabel.MGHImage(VOLUME.astype(np.float32), AFFINE).to_bytes())
    content[28:30] = b"\0\0"  # the flag that its directions are good
    (tmp_path / "a.mgh").write_bytes(content)
    check_unoriented(tmp_path / "a.mgh")


@needs_itk
@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.nrrd", NRRD.replace(b"space: left-posterior-superior\n", b"space: scanner-xyz\n")),
        ("b.nrrd", NRRD.replace(b"space: left-posterior-superior\n", b"space dimension: 3\n")),
        ("a.mha", META.replace(b"TransformMatrix = -1 0 0 0 -1 0 0 0 1\n", b"")),
    ],
)
def test_a_volume_of_slicer_or_itk_without_an_orientation_has_no_letters(tmp_path, name, head):
    (tmp_path / name).write_bytes(head + VOLUME.astype("<f4").tobytes(order="F"))
    assert check_unoriented(tmp_path / name) == (2, 1.5, 1)


@needs_itk
@pytest.mark.parametrize("place", ["/etc/passwd", "../a.raw", "C:\\a.raw"])
def test_voxels_outside_the_folder_are_not_read(tmp_path, place):
    (tmp_path / "set").mkdir()
    (tmp_path / "a.raw").write_bytes(bytes(480))
    (tmp_path / "set" / "a.mhd").write_bytes(META.replace(b"LOCAL", place.encode()))
    (tmp_path / "set" / "a.nhdr").write_bytes(NRRD.rstrip() + f"\ndata file: {place}\n".encode())
    for name in ("a.mhd", "a.nhdr"):
        with pytest.raises(UnreadableFile, match="outside its folder"):
            read_scan(tmp_path / "set" / name)


@needs_itk
def test_one_of_several_times_of_a_meta_image_is_read(tmp_path, expected):
    head = META.replace(b"NDims = 3", b"NDims = 4").replace(b"DimSize = 4 5 6", b"DimSize = 4 5 6 2")
    matrix = b"TransformMatrix = -1 0 0 0 0 -1 0 0 0 0 1 0 0 0 0 1\nOffset = -5 3 1 0\nElementSpacing = 1 1.5 2 1\n"
    head = head[: head.index(b"TransformMatrix")] + matrix + head[head.index(b"DimSize") :]
    times = np.stack([np.zeros_like(VOLUME), VOLUME], axis=-1)
    (tmp_path / "a.mha").write_bytes(head + times.astype("<f4").tobytes(order="F"))
    same(read_scan(tmp_path / "a.mha", 2), expected)
    with pytest.raises(UnreadableFile, match="no volume 3; it holds 2 volumes"):
        read_scan(tmp_path / "a.mha", 3)


@pytest.mark.parametrize("cut", [False, True])
def test_a_volume_of_freesurfer_is_read_by_its_content(tmp_path, expected, cut):
    content = nibabel.MGHImage(VOLUME.astype(np.float32), AFFINE).to_bytes()
    (tmp_path / "plain.mgz").write_bytes(content[:400] if cut else content)
    if cut:
        with pytest.raises(UnreadableFile, match=r"^it is damaged: its data ends early$"):
            read_scan(tmp_path / "plain.mgz")
    else:
        same(read_scan(tmp_path / "plain.mgz"), expected)
