import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from engine.data.decoded_image import UnreadableFile
from engine.data.nifti import read_scan
from tests.engine.data.conftest import VOLUME, write_nifti

SHIPPED = Path(nibabel.__file__).parent / "tests" / "data"


@pytest.fixture
def nifti(tmp_path):
    """Write a NIfTI file: `nifti(VOLUME, affine)`; `change(header)` may spoil its header afterwards."""

    def write(volume=VOLUME, affine=None, name="scan.nii", kind=nibabel.Nifti1Image, change=None):
        path = write_nifti(tmp_path / name, volume, affine, kind)
        if change:
            content = path.read_bytes()
            header = nibabel.Nifti1Header(content[:348])
            change(header)
            path.write_bytes(header.binaryblock + content[348:])
        return path

    return write


def axes(*columns, shift=(0, 0, 0)):
    """An affine whose voxel axes point along these directions in R, A, S."""
    affine = np.eye(4)
    affine[:3, :3] = np.array(columns, dtype=float).T
    affine[:3, 3] = shift
    return affine


def grays(volume):
    """A volume as it is shown: 0.1 to 99.9 percent."""
    low, high = np.percentile(volume, (0.1, 99.9))
    return ((volume - low) / (high - low)).clip(0, 1)


R, A, S = np.eye(3)


def test_axial_slices_have_the_patients_right_at_the_left_and_the_front_up(nifti):
    scan = read_scan(nifti())
    assert scan.orientation == ("R", "L", "A", "P")
    assert scan.pixels.shape == (6, 5, 4)
    expected = np.stack([np.flip(grays(VOLUME)[:, :, k].T) for k in range(6)])
    np.testing.assert_allclose(scan.pixels, expected, atol=1e-5)
    assert scan.kind == "nifti"
    assert scan.spacing_mm == (1, 1)


@pytest.mark.parametrize(
    "columns", [(R, A, S), (-R, A, S), (A, R, S), (-A, -S, R), (S, -R, A), (-R, -A, -S)], ids=range(6)
)
def test_however_the_file_stores_it_the_image_is_the_same(nifti, columns):
    """The same head stored along other axes is shown alike."""
    orientation = nibabel.orientations.io_orientation(axes(*columns))
    straight = nibabel.orientations.io_orientation(np.eye(4))
    change = nibabel.orientations.ornt_transform(straight, orientation)
    stored = nibabel.orientations.apply_orientation(VOLUME, change)
    scan, plain = read_scan(nifti(stored, axes(*columns))), read_scan(nifti())
    np.testing.assert_allclose(scan.pixels, plain.pixels, atol=1e-6)
    assert scan.orientation == plain.orientation


@pytest.mark.parametrize(
    ("spacing", "shape", "letters", "spacing_mm", "plane"),
    [
        ((1, 1, 5), (6, 5, 4), ("R", "L", "A", "P"), (1, 1), "axial"),
        ((1, 5, 2), (5, 6, 4), ("R", "L", "S", "I"), (2, 1), "coronal"),
        ((5, 1, 2), (4, 6, 5), ("A", "P", "S", "I"), (2, 1), "sagittal"),
        ((1.1, 1, 1), (6, 5, 4), ("R", "L", "A", "P"), (1, 1.1), "axial"),
    ],
)
def test_slices_lie_in_the_plane_they_were_acquired_in(nifti, spacing, shape, letters, spacing_mm, plane):
    scan = read_scan(nifti(affine=np.diag([*spacing, 1])))
    assert scan.pixels.shape == shape
    assert scan.orientation == letters
    assert scan.spacing_mm == pytest.approx(spacing_mm)
    assert scan.slice_spacing_mm == pytest.approx(max(spacing) if plane != "axial" else spacing[2])
    assert f"{plane} slices" in scan.notes[-1]


def test_coronal_and_sagittal_slices_have_the_head_up(nifti):
    coronal = read_scan(nifti(affine=np.diag([1, 5, 1, 1])))
    np.testing.assert_allclose(coronal.pixels[2], np.flip(grays(VOLUME)[:, 2, :].T), atol=1e-5)
    sagittal = read_scan(nifti(affine=np.diag([5, 1, 1, 1])))
    np.testing.assert_allclose(sagittal.pixels[1], np.flip(grays(VOLUME)[1].T), atol=1e-5)


def test_a_single_slice_is_seen_face_on(nifti):
    assert read_scan(nifti(VOLUME[:, :1, :])).pixels.shape == (1, 6, 4)
    assert read_scan(nifti(VOLUME[:, :, 0])).pixels.shape == (1, 5, 4)


def test_a_file_without_an_orientation_is_shown_as_stored_and_says_so(nifti):
    def forget(header):
        header["sform_code"] = header["qform_code"] = 0

    scan = read_scan(nifti(change=forget))
    assert scan.orientation is None
    np.testing.assert_allclose(scan.pixels[3], grays(VOLUME)[:, :, 3].T, atol=1e-5)
    assert "has no orientation information" in scan.notes[-1]


def test_two_orientations_that_disagree_are_reported(nifti):
    scan = read_scan(nifti(change=lambda header: header.set_qform(np.diag([-1, 1, 1, 1]), code=1)))
    assert any("disagree" in note for note in scan.notes)
    np.testing.assert_allclose(scan.pixels, read_scan(nifti()).pixels)


def test_an_oblique_volume_says_by_how_much(nifti):
    turn = np.deg2rad(10)
    oblique = axes(R, A * np.cos(turn) + S * np.sin(turn), S * np.cos(turn) - A * np.sin(turn))
    assert "oblique by up to 10°" in read_scan(nifti(affine=oblique)).notes[-1]


def test_the_first_of_several_volumes_is_shown(nifti):
    scan = read_scan(nifti(np.stack([VOLUME, VOLUME * 0, VOLUME * 9], axis=-1)))
    np.testing.assert_allclose(scan.pixels, read_scan(nifti()).pixels, atol=1e-6)
    assert "3 volumes" in scan.notes[0]


def test_the_headers_scale_and_display_range_are_honoured(nifti):
    def change(header):
        header.set_slope_inter(2.0, -10.0)
        header["cal_min"], header["cal_max"] = 0, 100

    stored = np.rint(VOLUME).astype(np.int16)
    scan = read_scan(nifti(stored, change=change))
    np.testing.assert_allclose(scan.pixels[2], np.flip(((stored * 2 - 10) / 100).clip(0, 1)[:, :, 2].T), atol=1e-6)
    assert "range stored in the file: 0 is black, 100 is white" in scan.notes[0]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64, np.complex64])
def test_every_kind_of_number(nifti, dtype):
    scan = read_scan(nifti(VOLUME.astype(dtype)))
    np.testing.assert_allclose(scan.pixels, read_scan(nifti()).pixels, atol=1e-5)


def test_color_voxels_become_luma(nifti):
    colors = np.zeros(VOLUME.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    colors["G"], colors["R"] = VOLUME.astype(np.uint8), 100
    scan = read_scan(nifti(colors))
    expected = (VOLUME * 0.587 + 100 * 0.299) / 255  # white is 255, as in pictures
    np.testing.assert_allclose(scan.pixels, np.flip(expected.T, (1, 2)), atol=1e-5)
    assert "Color is shown as gray." in scan.notes


@pytest.mark.parametrize(("alpha", "share"), [(255, 1), (51, 0.2), (0, 1)])
def test_transparent_voxels_are_laid_on_black(nifti, alpha, share):
    colors = np.zeros(VOLUME.shape, dtype=[(channel, "u1") for channel in "RGBA"])
    colors["R"], colors["A"] = VOLUME.astype(np.uint8), alpha  # 0 everywhere: not used
    expected = VOLUME * 0.299 / 255 * share
    np.testing.assert_allclose(read_scan(nifti(colors)).pixels, np.flip(expected.T, (1, 2)), atol=1e-5)


def test_what_is_not_a_number_is_black(nifti):
    volume = VOLUME.copy()
    volume[0, 0, 0] = np.nan
    scan = read_scan(nifti(volume))
    assert scan.pixels[0, -1, -1] == 0
    assert np.isfinite(scan.pixels).all()


@pytest.mark.parametrize(
    ("name", "kind"), [("scan.nii.gz", nibabel.Nifti1Image), ("scan2.nii", nibabel.Nifti2Image), ("scan2.nii.gz", None)]
)
def test_zipped_files_and_nifti_2(nifti, name, kind):
    scan = read_scan(nifti(name=name, kind=kind or nibabel.Nifti2Image))
    np.testing.assert_allclose(scan.pixels, read_scan(nifti()).pixels)


def test_real_files():
    scan = read_scan(SHIPPED / "anatomical.nii")
    image = nibabel.as_closest_canonical(nibabel.load(SHIPPED / "anatomical.nii"))
    expected = np.flip(grays(image.get_fdata())[:, :, 12].T)
    np.testing.assert_allclose(scan.pixels[12], expected, atol=1e-4)
    assert len(read_scan(SHIPPED / "example4d.nii.gz")) == 24


def header(shape, kind="<"):
    made = nibabel.Nifti1Header(endianness=kind)
    made["dim"][: len(shape) + 1] = (len(shape), *shape)
    made["datatype"], made["bitpix"], made["magic"], made["vox_offset"] = 16, 32, b"n+1", 352
    return made.binaryblock + bytes(4)


@pytest.mark.parametrize("shape", [(2000, 2000, 1000), (32767, 32767, 32767), (0, 5, 5), (-4, 5, 5)])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_small_file_that_requests_gigabytes_is_refused(tmp_path, shape, zipped):
    content = header(shape)
    assert len(content) == 352
    file = tmp_path / "bomb.nii"
    file.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(UnreadableFile, match=r"declares .* voxels"):
        read_scan(file)


@pytest.mark.parametrize(
    "content",
    [
        header((40, 40, 40)),
        header((40, 40, 40))[:300],
        gzip.compress(header((40, 40, 40)))[:100],
        b"\x1f\x8b" + bytes(50),
    ],
    # Named: bytes of gzip hold the second they were made in, and no two processes would call the test the same.
    ids=["no voxels", "half a header", "half a gzip", "no gzip"],
)
def test_a_file_that_was_cut_off_is_damaged(tmp_path, content):
    (tmp_path / "cut.nii").write_bytes(content)
    with pytest.raises(UnreadableFile, match="damaged"):
        read_scan(tmp_path / "cut.nii")


def test_half_of_a_pair_is_refused():
    with pytest.raises(UnreadableFile, match="one half"):
        read_scan(SHIPPED / "nifti1.hdr")
