"""NIfTI headers that are wrong or unusual, pairs, and values that float32 cannot hold."""

import gzip
import struct

import nibabel
import numpy as np
import pytest

from engine.data.decoded_image import UnreadableFile
from engine.data.nifti import read_scan
from tests.engine.data.conftest import VOLUME, write_nifti

NAN = float("nan")
OFFSETS = {"dim": 40, "datatype": 70, "pixdim": 76, "vox_offset": 108, "scl_slope": 112, "scl_inter": 116, "xyzt": 123}
OFFSETS |= {"cal_max": 124, "cal_min": 128, "qform": 252, "sform": 254, "quatern": 256, "srow": 280, "intent": 68}


@pytest.fixture
def spoiled(tmp_path):
    """Write a NIfTI file and change bytes of its header: `spoiled(("sform", "h", 0))`."""

    def write(*edits, volume=VOLUME, affine=None, name="scan.nii", kind=nibabel.Nifti1Image):
        path = write_nifti(tmp_path / name, volume, affine, kind)
        content = bytearray(path.read_bytes())
        for field, form, *value in edits:
            struct.pack_into("<" + form, content, OFFSETS[field], *value)
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def plain(spoiled):
    """Pixels of the volume with nothing wrong."""
    return read_scan(spoiled(name="plain.nii")).pixels


@pytest.mark.parametrize("offset", [0, 348, 40, NAN, -8, 1e30])
def test_voxels_never_begin_inside_the_header(spoiled, plain, offset):
    scan = read_scan(spoiled(("vox_offset", "f", offset)))
    np.testing.assert_array_equal(scan.pixels, plain)
    assert any("they are read from byte 352" in note for note in scan.notes)


@pytest.mark.parametrize(
    "edits",
    [
        [("qform", "h", 1), ("quatern", "3f", 0.8, 0.8, 0.8)],
        [("qform", "h", 1), ("quatern", "3f", NAN, 0, 0)],
        [("qform", "h", 1), ("pixdim", "4f", 1, NAN, 1, 1)],
    ],
)
def test_a_bad_qform_beside_a_good_sform_is_a_note(spoiled, plain, edits):
    scan = read_scan(spoiled(*edits))
    np.testing.assert_array_equal(scan.pixels, plain)
    assert scan.orientation == ("R", "L", "A", "P")
    assert any("qform of the file cannot be used" in note for note in scan.notes)


@pytest.mark.parametrize("rows", [[NAN] * 12, [0] * 12, [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0]])
def test_a_bad_sform_beside_a_good_qform_is_a_note(spoiled, rows):
    scan = read_scan(spoiled(("srow", "12f", *rows), ("qform", "h", 1)))
    assert scan.orientation == ("R", "L", "A", "P")
    assert any("sform of the file cannot be used" in note for note in scan.notes)


@pytest.mark.parametrize(
    "edits",
    [
        [("srow", "12f", *[NAN] * 12)],
        [("srow", "12f", *[0] * 12)],
        [("sform", "h", 0), ("qform", "h", 1), ("quatern", "3f", 0.8, 0.8, 0.8)],
        [("sform", "h", 0), ("qform", "h", 1), ("pixdim", "4f", 1, 0, 1, 1)],
    ],
)
def test_an_orientation_that_is_none_gives_no_letters(spoiled, edits):
    scan = read_scan(spoiled(*edits))
    assert scan.orientation is None
    assert scan.pixels.shape == (6, 5, 4)
    assert "The orientation in the file cannot be used; shown as stored. Left and right are not known." in scan.notes


def test_a_rounded_quaternion_is_of_length_1(spoiled):
    turned = read_scan(spoiled(("sform", "h", 0), ("qform", "h", 1), ("quatern", "3f", 0, 0.70711, 0.70711)))
    exact = read_scan(spoiled(affine=np.array([[-1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])))
    np.testing.assert_array_equal(turned.pixels, exact.pixels)
    assert turned.orientation == exact.orientation


def test_a_negative_qfac_turns_the_third_axis(spoiled):
    turned = read_scan(spoiled(("sform", "h", 0), ("qform", "h", 1), ("pixdim", "f", -1)))
    np.testing.assert_array_equal(turned.pixels, read_scan(spoiled(affine=np.diag([1, 1, -1, 1.0]))).pixels)


@pytest.mark.parametrize("sides", [(4, 4, 5, 6, 0, 1, 1, 1), (7, 4, 5, 6, 0, 0, 0, 0), (5, 4, 5, 6, 1, -1, 1, 1)])
def test_sides_of_0_behind_the_third_count_as_1(spoiled, plain, sides):
    np.testing.assert_array_equal(read_scan(spoiled(("dim", "8h", *sides))).pixels, plain)


@pytest.mark.parametrize(("code", "size"), [(0, 1), (2, 1), (1, 1000), (3, 0.001), (10, 1)])
def test_lengths_are_millimeters(spoiled, code, size):
    zooms = np.array([1, 1.5, 2])
    scan = read_scan(spoiled(("xyzt", "b", code), affine=np.diag([*zooms / size, 1])))
    assert scan.spacing_mm == pytest.approx((1.5, 1))
    assert scan.slice_spacing_mm == pytest.approx(2)
    bare = read_scan(spoiled(("xyzt", "b", code), ("sform", "h", 0), affine=np.diag([*zooms / size, 1])))
    assert bare.spacing_mm == pytest.approx((1.5, 1))


def test_a_spacing_that_cannot_be_right_is_none(spoiled):
    assert read_scan(spoiled(affine=np.diag([1, 21, 1, 1]))).spacing_mm == (1, 1)  # coronal: 21 mm thick
    scan = read_scan(spoiled(volume=VOLUME[:, :, :1], affine=np.diag([1, 21, 1, 1])))
    assert (scan.spacing_mm, scan.aspect) == (None, 1)


@pytest.mark.parametrize(
    "scale",
    [lambda v: v * 1e40, lambda v: v * 1e-40, lambda v: v + 1e9, lambda v: (v - 60) * 2.9e306, lambda v: v * 1e305],
)
def test_values_are_scaled_before_they_become_float32(spoiled, plain, scale):
    np.testing.assert_allclose(read_scan(spoiled(volume=scale(VOLUME.astype(float)))).pixels, plain, atol=1e-5)


def test_a_slope_is_applied_in_double_precision(spoiled, plain):
    scan = read_scan(spoiled(("scl_slope", "f", 1), ("scl_inter", "f", 1e9), volume=VOLUME.astype(np.int16)))
    np.testing.assert_allclose(scan.pixels, plain, atol=1e-5)
    assert "1000000000" in scan.notes[0]


@pytest.mark.parametrize(("slope", "offset"), [(0, 5), (NAN, 0), (float("inf"), 0), (1, NAN)])
def test_a_slope_that_is_none_is_not_used(spoiled, plain, slope, offset):
    scan = read_scan(spoiled(("scl_slope", "f", slope), ("scl_inter", "f", offset), volume=VOLUME.astype(np.int16)))
    np.testing.assert_allclose(scan.pixels, plain, atol=1e-6)


def test_infinite_values_are_white_and_black_and_take_no_contrast(spoiled, plain):
    volume = VOLUME.copy()
    volume[0, 0, 0], volume[3, 4, 5] = -np.inf, np.inf
    scan = read_scan(spoiled(volume=volume))
    np.testing.assert_allclose(scan.pixels, plain, atol=0.02)


def test_a_volume_without_a_number_says_so(spoiled):
    scan = read_scan(spoiled(volume=np.full((4, 5, 6), np.nan, np.float32)))
    assert not scan.pixels.any()
    assert any("hold no numbers" in note for note in scan.notes)


@pytest.mark.parametrize(
    ("low", "high", "is_used"),
    [
        (0, 120, True),
        (-500, 1000, True),
        (60, 61, False),
        (200, 300, False),
        (-9, -1, False),
        (0, 1e6, False),
        (0, 1, False),
    ],
)
def test_a_display_range_that_does_not_fit_is_not_used(spoiled, plain, low, high, is_used):
    scan = read_scan(spoiled(("cal_min", "f", low), ("cal_max", "f", high)))
    assert any("does not fit" in note for note in scan.notes) is not is_used
    expected = np.flip(((VOLUME - low) / (high - low)).clip(0, 1).T, (1, 2)) if is_used else plain
    np.testing.assert_allclose(scan.pixels, expected, atol=1e-5)


def test_a_mask_keeps_its_display_range(spoiled):
    mask = (VOLUME > 100).astype(np.uint8)
    scan = read_scan(spoiled(("cal_max", "f", 1), volume=mask))
    np.testing.assert_array_equal(scan.pixels, np.flip(mask.T, (1, 2)))
    assert not any("does not fit" in note for note in scan.notes)


def test_few_bright_voxels_are_not_black(spoiled):
    volume = np.zeros((20, 20, 20), np.float32)
    volume[10, 10, 10] = 1e-3
    assert read_scan(spoiled(volume=volume)).pixels.max() == 1


def test_a_volume_is_chosen(spoiled, plain):
    volumes = np.stack([VOLUME * 0, VOLUME, VOLUME * 0], axis=-1)
    for name in ("many.nii", "many.nii.gz"):
        file = spoiled(volume=volumes, name=name)
        scan = read_scan(file, 2)
        np.testing.assert_array_equal(scan.pixels, plain)
        assert scan.notes[0] == "The file holds 3 volumes; volume 2 is shown."
        assert not read_scan(file, 3).pixels.any()
    for volume in (0, 4):
        with pytest.raises(UnreadableFile, match=f"it has no volume {volume}; it holds 3 volumes, counted from 1"):
            read_scan(file, volume)
    with pytest.raises(UnreadableFile, match="it has no volume 2; it holds one volume"):
        read_scan(spoiled(), 2)


@pytest.mark.parametrize("suffixes", [(".hdr", ".img"), (".HDR", ".IMG"), (".hdr", ".img.gz"), (".hdr.gz", ".img.gz")])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Pair, nibabel.Nifti2Pair, nibabel.AnalyzeImage])
def test_a_pair_is_opened_by_either_file(tmp_path, plain, suffixes, kind):
    nibabel.save(kind(VOLUME, np.eye(4)), tmp_path / "pair.img")
    for suffix, old in zip(suffixes, ("pair.hdr", "pair.img"), strict=True):
        content = (tmp_path / old).read_bytes()
        (tmp_path / old).unlink()
        (tmp_path / f"case{suffix}").write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    for suffix in suffixes:
        scan = read_scan(tmp_path / f"case{suffix}")
        if kind is nibabel.AnalyzeImage:
            assert scan.orientation is None
            np.testing.assert_array_equal(np.sort(scan.pixels, axis=None), np.sort(plain, axis=None))
        else:
            np.testing.assert_array_equal(scan.pixels, plain)


def test_a_damaged_gzip_file_is_a_true_sentence(spoiled, tmp_path):
    content = spoiled(volume=np.random.default_rng(0).normal(size=(8, 8, 8)).astype(np.float32)).read_bytes()
    file = tmp_path / "a.nii.gz"
    whole = gzip.compress(content)
    flipped = bytearray(gzip.compress(content, 0))
    flipped[-100] ^= 64
    for damaged, sentence in [
        (whole[: len(whole) // 2], "its gzip data ends early"),
        (flipped, "its gzip data cannot be unpacked"),
        (whole[:40], "its gzip data ends early"),
        (b"\x1f\x8b\x08" + bytes(40), "its gzip data cannot be unpacked"),
    ]:
        file.write_bytes(damaged)
        with pytest.raises(UnreadableFile, match=f"it is damaged: {sentence}"):
            read_scan(file)
    file.write_bytes(whole[:-8])
    assert any("end of the compressed file is missing" in note for note in read_scan(file).notes)
    file.write_bytes(whole)
    assert not any("missing" in note for note in read_scan(file).notes)


@pytest.mark.parametrize(
    ("edits", "name", "sentence"),
    [
        ([("intent", "h", 3001)], "a.nii", "CIFTI file"),
        ([], "a.dconn.nii", "CIFTI file"),
        ([], "a.dtseries.nii", "CIFTI file"),
        ([("intent", "h", 1008)], "a.nii", "surface data"),
        ([("dim", "4h", 3, -1, 1, 1)], "a.nii", "surface data"),
        ([("dim", "4h", 3, 10242, 1, 1)], "a.nii", "surface data"),
        ([("datatype", "h", 1234)], "a.nii", r"unknown type \(code 1234\)"),
        ([("datatype", "h", 0)], "a.nii", r"unknown type \(code 0\)"),
    ],
)
def test_what_is_no_volume_is_named(spoiled, edits, name, sentence):
    with pytest.raises(UnreadableFile, match=sentence):
        read_scan(spoiled(*edits, name=name))
