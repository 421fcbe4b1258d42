"""Volumes in another plane: the same slices as those of the reader, on the same grid."""

from dataclasses import replace

import numpy as np
import pytest
from nibabel.affines import from_matvec

from engine.config import DataConfig, RunConfig
from engine.data import nifti
from engine.data.scan import Scan
from engine.data.viewed_volume import reslice
from engine.data.volume_grid import VolumeGrid
from engine.data.volume_names import list_volumes
from engine.evaluation.volume import find_plane
from engine.runs import create_run
from tests.engine.data.conftest import write_nifti
from tests.engine.data.test_volume_writer import OBLIQUE, ORIENTATIONS, spot

PLANES = ("axial", "coronal", "sagittal", "stored")


@pytest.mark.parametrize("axes", ORIENTATIONS, ids=range(len(ORIENTATIONS)))
def test_a_volume_in_another_plane_is_that_of_the_reader(tmp_path, axes):
    affine = from_matvec(OBLIQUE @ axes @ np.diag([0.9, 1.3, 3.0]), [-80.5, 12.25, 33])
    file = write_nifti(tmp_path / "head.nii", spot((10, 12, 6), (3, 4, 2)), affine)
    opened = nifti.read_scan(file)
    voxels = opened.grid.to_voxels(opened.pixels)
    for plane in PLANES:
        wanted, made = nifti.read_scan(file, plane=plane), reslice(opened, plane)
        np.testing.assert_array_equal(made.pixels, wanted.pixels)
        assert made.aspect == pytest.approx(wanted.aspect)
        assert made.notes == wanted.notes or plane == "stored"
        np.testing.assert_array_equal(made.grid.to_voxels(made.pixels), voxels)
        assert made.grid.affine == opened.grid.affine


def test_slices_with_windows_of_their_own_share_one_in_another_plane():
    rng, affine = np.random.default_rng(0), ((-1.0, 0, 0, 0), (0, -1.0, 0, 0), (0, 0, 2.0, 0), (0, 0, 0, 1.0))
    levels = ((0.0, 900.0), (100.0, 1000.0), (0.0, 500.0))
    scan = Scan(rng.random((3, 5, 4), np.float32), "head", "dicom", grid=VolumeGrid(affine=affine, levels=levels))
    made = reslice(scan, "coronal")
    assert (len(made), made.grid.levels) == (5, ((0.0, 1000.0),))
    before, after = (each.grid.to_voxels(each.grid.to_values(each.pixels)) for each in (scan, made))
    np.testing.assert_allclose(after, before, atol=1e-3)


def test_a_volume_in_its_own_plane_and_one_without_a_grid_stay_as_they_are():
    grid = VolumeGrid(affine=((-1.0, 0, 0, 0), (0, -1.0, 0, 0), (0, 0, 2.0, 0), (0, 0, 0, 1.0)))
    scan = Scan(np.zeros((3, 5, 4), np.float32), "head", "dicom", grid=grid)
    assert reslice(scan, "axial") is scan
    assert reslice(scan, "") is scan
    for without in (None, replace(grid, affine=None), replace(grid, problem="There is a gap.")):
        other = replace(scan, grid=without)
        assert reslice(other, "coronal") is other


@pytest.mark.parametrize("plane", PLANES)
def test_the_plane_is_that_of_the_slices_that_the_run_was_trained_on(tmp_path, plane):
    config = DataConfig(plane=plane)
    run = create_run(RunConfig(data=config), "first", tmp_path)
    assert find_plane(run) == ("" if plane == "axial" else plane), "its images need not be slices of volumes"
    listing, _ = list_volumes(["case1_t1.nii.gz", "case2_t1.nii.gz"], {}, config)
    run.write_json("provenance.json", {"data": {"plane": listing.plane}})
    assert find_plane(run) == plane
