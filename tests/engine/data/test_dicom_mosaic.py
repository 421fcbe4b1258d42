"""Mosaics of Siemens scanners, and JPEG of 12 bits."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from engine.data.decoded_image import UnreadableFile
from engine.data.dicom import read_scan, read_values
from engine.data.loading import open_source

AXIAL = [1, 0, 0, 0, 1, 0]
REAL = Path(nibabel.__file__).parent / "nicom" / "tests" / "data" / "siemens_dwi_0.dcm.gz"


@pytest.fixture
def mosaic(dicom):
    """Write a mosaic of slices of 4 by 6 pixels, whose values are their numbers: `mosaic(slices=3)`."""

    def write(slices=3, side=2, tags=True, **changes):
        stored = np.zeros((side, 4, side, 6), np.uint16)
        for number in range(slices):
            stored[number // side, :, number % side] = number + 1
        known = {"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"], "ImageOrientationPatient": AXIAL}
        place = {"ImagePositionPatient": [0, 0, 10], "PixelSpacing": [2, 1], "SpacingBetweenSlices": 3}
        window = {"WindowCenter": 2, "WindowWidth": 4}
        file = dicom(stored.reshape(side * 4, side * 6), **known, **place, **window, **changes)
        if tags:
            data = dcmread(file)
            data.private_block(0x19, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", slices)
            data.save_as(file)
        return file

    return write


def test_a_mosaic_is_split_into_its_slices(mosaic):
    scan = read_scan(mosaic())
    assert scan.pixels.shape == (3, 4, 6)
    assert [len(np.unique(each)) for each in scan.pixels] == [1, 1, 1]
    assert scan.pixels[:, 0, 0].tolist() == pytest.approx([1 / 3, 2 / 3, 1])
    assert (scan.orientation, scan.spacing_mm, scan.slice_spacing_mm) == (("R", "L", "A", "P"), (2, 1), 3)
    # The corner in the file is that of an image as large as the mosaic.
    assert np.array(scan.grid.affine)[:3, 3].tolist() == [-3, -4, 10]
    assert "The image is a mosaic; it was split into its 3 slices." in scan.notes


def test_the_slices_of_a_real_mosaic_lie_where_nibabel_finds_them(tmp_path):
    file = tmp_path / "mosaic.dcm"
    file.write_bytes(gzip.decompress(REAL.read_bytes()))
    scan = read_scan(file)
    assert (scan.pixels.shape, scan.slice_spacing_mm) == ((48, 128, 128), 3)
    expected = [[0, 1.796875, 0, -115], [1.79684984, 0, 0.015708, -135.028779], [-0.0094084, 0, 2.999958, -78.710481]]
    # nibabel's rows come first, and its axes run to the left and the back.
    np.testing.assert_allclose(
        np.array(scan.grid.affine)[:3, [1, 0, 2, 3]], np.array(expected) * [[-1], [-1], [1]], atol=1e-4
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"tags": False}, "the number of its slices is missing"), ({"slices": 9, "side": 4}, "mosaic of 9 slices")],
)
def test_a_mosaic_that_cannot_be_split_is_refused(mosaic, changes, reason):
    with pytest.raises(UnreadableFile, match=reason):
        read_scan(mosaic(**changes))


def test_a_mosaic_is_a_volume_of_a_dataset(mosaic, config, tmp_path):
    folder = tmp_path / "series"
    folder.mkdir()
    mosaic().rename(folder / "1.dcm")
    source = open_source(config(source=str(folder), slices="all"))
    assert [item.name for item in source.items] == ["1.dcm#1", "1.dcm#2", "1.dcm#3"]
    assert source.read(1).gray.shape == (4, 6)


def test_jpeg_of_12_bits_is_decoded_with_the_extra():
    pytest.importorskip("gdcm", reason='install the extra: pip install "engram-mri[dicom]"')
    values = read_values(Path(get_testdata_file("JPGExtended.dcm", download=False)))
    assert values.shape == (1, 1024, 256)
    assert (values[0, 420, 140], values[0, 230, 120], values.max()) == (244, 95, 264)
