"""A volume as three planes: which way up, the crosshair through all of them, presets, ruler and regions."""

import numpy as np
import pytest

from gui.widgets.volume.histogram import count_values
from gui.widgets.volume.measure import Measurement, describe, length, mask, region_stats
from gui.widgets.volume.model import PLANES, CrosshairModel, Volume, find_presets

AXIAL, CORONAL, SAGITTAL = PLANES
PATIENT = ("IS", "AP", "RL")
VOXELS = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)


@pytest.fixture
def volume():
    return Volume(VOXELS, PATIENT, (5.0, 2.0, 1.0), "HU")


def test_letters_stand_where_the_images_have_them(volume):
    assert [volume.letters(plane) for plane in PLANES] == ["RLAP", "RLSI", "APSI"]


def test_the_head_is_up_and_nothing_else_is_turned(volume):
    np.testing.assert_array_equal(volume.slice(AXIAL, 1), VOXELS[1])
    np.testing.assert_array_equal(volume.slice(CORONAL, 2), VOXELS[::-1, 2])
    np.testing.assert_array_equal(volume.slice(SAGITTAL, 3), VOXELS[::-1, :, 3])


def test_a_volume_without_an_orientation_is_shown_as_stored():
    volume = Volume(VOXELS)
    np.testing.assert_array_equal(volume.slice(CORONAL, 2), VOXELS[:, 2])
    assert [volume.letters(plane) for plane in PLANES] == [None] * 3
    assert volume.title(AXIAL) == "As stored"
    assert volume.spacing(AXIAL) is None


@pytest.mark.parametrize("axes", [PATIENT, ("", "", "")])
def test_the_pixel_of_a_voxel_shows_its_value_and_leads_back_to_it(axes):
    volume, at = Volume(VOXELS, axes), (1, 0, 2)
    for plane in PLANES:
        x, y = volume.to_pixel(plane, at)
        assert volume.slice(plane, at[plane.across])[y, x] == VOXELS[at]
        assert volume.to_voxel(plane, (x, y), at) == at


def test_spacing_is_from_row_to_row_then_from_column_to_column(volume):
    assert [volume.spacing(plane) for plane in PLANES] == [(2.0, 1.0), (5.0, 1.0), (5.0, 2.0)]


def test_the_crosshair_stays_inside_and_tells_only_of_moves(qtbot, volume):
    cross, moves = CrosshairModel(), []
    cross.set_volume(volume)
    cross.moved.connect(lambda: moves.append(cross.at))
    cross.step(AXIAL, 9)
    cross.step(AXIAL, 1)
    cross.step(CORONAL, -1)
    assert moves == [(1, 0, 2)]
    assert cross.at == (1, 0, 2)


def test_tissue_presets_are_for_hounsfield_units_alone():
    sample = np.linspace(-1000, 1000, 2001)
    assert list(find_presets(sample, "HU", (-160, 240), "HU")) == ["file", "auto", "brain", "bone"]
    assert list(find_presets(sample, "", None, "HU")) == ["auto"]
    assert find_presets(sample, "", None, "HU")["auto"] == pytest.approx((-998, 998))


def test_a_constant_or_empty_volume_still_has_a_window():
    assert find_presets(np.full(9, 7.0), "", None, "HU")["auto"] == (7, 8)
    assert find_presets(np.zeros(0), "", None, "HU")["auto"] == (0, 1)


def test_the_histogram_counts_every_value_once():
    counts, low, high = count_values(np.array([1.0, 1, 5]))
    assert (counts.sum(), counts[0], counts[-1], low, high) == (3, 2, 1, 1, 5)


def test_a_ruler_measures_millimeters_along_both_spacings():
    ruler = Measurement("ruler", AXIAL, 0, (0, 0), (3, 2))
    assert length(ruler, (2.0, 1.0)) == 5
    assert describe(ruler, VOXELS[0], (2.0, 1.0), "HU") == "Length 5.0 mm"
    assert describe(ruler, VOXELS[0], None, "HU") == "Length 3.6 pixels; the voxel spacing is unknown."


def test_a_region_counts_the_pixels_whose_centers_it_holds():
    assert mask(Measurement("rectangle", AXIAL, 0, (3, 3), (1, 0)), (3, 4)).sum() == 6
    ellipse = mask(Measurement("ellipse", AXIAL, 0, (0, 0), (4, 4)), (4, 4))
    assert ellipse.sum() == 12
    assert not ellipse[[0, 0, 3, 3], [0, 3, 0, 3]].any()


def test_statistics_leave_out_what_has_no_value():
    values = np.array([[1.0, 2], [3, np.nan]], np.float32)
    found = region_stats(Measurement("rectangle", AXIAL, 0, (0, 0), (2, 2)), values)
    assert (found.pixels, found.mean, found.sd, found.low, found.high) == (4, 2, 1, 1, 3)
    text = describe(Measurement("rectangle", AXIAL, 0, (0, 0), (2, 2)), values, (2.0, 1.0), "HU")
    assert text == "Area 8.0 mm² (4 pixels)\nMean 2 ± 1 HU (SD)\nMinimum 1, maximum 3 HU"


def test_a_measurement_moves_as_far_as_the_slice_reaches():
    region = Measurement("rectangle", AXIAL, 0, (1, 1), (3, 2))
    assert region.move((9, 0), (4, 3)) == Measurement("rectangle", AXIAL, 0, (2, 1), (4, 2))
    assert region.move((-9, 1), (4, 3), only_end=True).end == (0, 3)
