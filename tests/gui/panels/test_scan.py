"""The Scan panel: a volume opened, its planes linked, window, measurements, choices, and a slice for other panels."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.data import nifti
from engine.messages import OpenVolume, RequestFailed
from gui.opened_files import OpenedScan
from gui.panel import OpenFile
from gui.panels.scan import ScanPanel
from gui.selection import ImageRef

SHAPE = (6, 20, 24)


@pytest.fixture
def panel(qtbot, desk):
    made = ScanPanel(desk)
    qtbot.addWidget(made)
    made.resize(1300, 820)
    made.show()
    return made


@pytest.fixture
def opened(panel, answer, tmp_path):
    """Open a volume of ramps: 100 a slice, 1 a column; `opened(units="HU")` with other facts."""

    def open_(**facts):
        (tmp_path / "scratch").mkdir(exist_ok=True)
        stem = tmp_path / "scratch" / "volume-1"
        np.save(f"{stem}.npy", np.indices(SHAPE)[0].astype(np.float32) * 100 + np.indices(SHAPE)[2])
        panel.navigate(OpenFile("/scans/ct"))
        known = {
            "name": "ct", "kind": "dicom", "voxels": str(stem), "axes": ["IS", "AP", "RL"], "voxel_mm": [4, 1, 1],
            "units": "HU", "window": [-160, 240], "inverted": False, "notes": [], "series": [], "series_number": 1,
            "volumes": 1, "volume": 1,
        }  # fmt: skip
        answer("scan", known | facts)
        return panel

    return open_


def views(panel):
    return {name: cell.view for name, cell in panel.planes.cells.items()}


def test_an_empty_panel_offers_to_open_a_scan(panel, asked):
    panel.ask_file = lambda *words: "/scans/t1.nii.gz"
    assert panel.open.isVisible()
    assert not panel.file.isVisible()
    panel.open.click()
    assert asked(OpenVolume).path == "/scans/t1.nii.gz"


def test_a_refused_file_says_why(panel, session):
    panel.navigate(OpenFile("/scans/x"))
    sent = session.explorer.engine.sent[-1]
    session.explorer.engine.say(
        RequestFailed(reason="It is damaged.", advice="Export it again.", panel="scan", number=sent.number)
    )
    assert panel.notice.text() == "It is damaged. Export it again."
    session.selection.file_opened.emit("/scans/y")
    assert not panel.notice.isVisible()


def test_refused_file_leaves_the_open_volume(opened, session):
    panel = opened()
    before = panel.as_python()
    panel.navigate(OpenFile("/scans/x"))
    number = session.explorer.engine.sent[-1].number
    session.explorer.engine.say(RequestFailed(reason="Damaged.", advice="Export it.", panel="scan", number=number))
    assert panel.as_python() == before
    panel.notice._action.click()
    assert not panel.notice.isVisible()


def test_wheel_page_key_slider_and_click_move_all_planes(opened):
    panel = opened()
    axial, coronal, sagittal = views(panel).values()
    assert panel.planes.cross.at == (3, 10, 12)
    at = QPointF(axial.rect().center())
    notch, none = QPoint(0, -120), Qt.MouseButton.NoButton
    plain, phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(at, QPointF(axial.mapToGlobal(at.toPoint())), QPoint(), notch, none, plain, phase, False)
    QApplication.sendEvent(axial, event)
    assert axial.index == 4
    QTest.keyClick(coronal, Qt.Key.Key_PageUp)
    panel.planes.cells["sagittal"].row.slider.setValue(3)
    assert panel.planes.cross.at == (4, 9, 3)
    QTest.mouseClick(sagittal, Qt.MouseButton.LeftButton, pos=sagittal.to_view((2.5, 0.5)).toPoint())
    assert panel.planes.cross.at == (5, 2, 3)
    assert axial.values[2, 3] == 503
    assert panel.use.plane.currentData() == "sagittal"


def test_proportions_follow_the_spacing(opened):
    panel = opened()
    assert views(panel)["coronal"].picture_size() == (24, 6 * 4)
    opened(voxel_mm=[None, None, None])
    assert views(panel)["coronal"].picture_size() == (24, 6)


def test_the_window_of_the_file_comes_first_and_presets_change_all_planes(opened):
    panel = opened()
    assert (panel.window_.level.value(), panel.window_.width_.value()) == (40, 400)
    panel.window_.buttons["bone"].click()
    assert {(view.state.view.level, view.state.view.window) for view in views(panel).values()} == {(500, 2000)}
    panel.window_.level.setValue(100)
    QTest.keyClick(views(panel)["coronal"], Qt.Key.Key_I)
    assert all(view.state.view.level == 100 and view.state.view.invert for view in views(panel).values())
    QTest.keyClick(views(panel)["axial"], Qt.Key.Key_R)
    assert panel.window_.level.value() == 40
    opened(units="", window=None)
    assert [key for key, button in panel.window_.buttons.items() if button.isVisible()] == ["auto"]


def test_a_region_placed_by_keyboard_is_measured_in_the_files_units(opened):
    panel = opened()
    panel.measure.buttons["rectangle"].click()
    QTest.keyClick(views(panel)["axial"], Qt.Key.Key_Return)
    assert panel.measure.result.text().startswith("Axial 4\nArea 30.0 mm² (30 pixels)\nMean 311.5 ")
    QTest.keyClick(views(panel)["axial"], Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert "Mean 310.5 " in panel.measure.result.text()
    QTest.keyClick(views(panel)["axial"], Qt.Key.Key_Delete)
    assert not panel.measure.result.isVisible()


def test_series_and_volumes_are_chosen_by_number(opened, asked):
    panel = opened(series=["2 · T1 · 6 images", "3 · T2 · 6 images"], series_number=2, volumes=3)
    assert panel.file.series.currentIndex() == 1
    panel.file.volume.activated.emit(2)
    assert (asked(OpenVolume).series, asked(OpenVolume).volume) == (2, 3)
    panel.file.series.activated.emit(0)
    assert (asked(OpenVolume).series, asked(OpenVolume).volume) == (1, 1)


@pytest.mark.parametrize(
    ("plane", "title", "letters"),
    [("axial", "axial 4", "RLAP"), ("coronal", "coronal 11", "RLSI"), ("sagittal", "sagittal 13", "APSI")],
)
def test_a_slice_goes_to_another_panel_as_it_is_shown(opened, qtbot, plane, title, letters):
    panel = opened(window=[0, 500])
    panel.use.plane.setCurrentIndex(panel.use.plane.findData(plane))
    with qtbot.waitSignal(panel.navigation_requested) as sent:
        panel.use.buttons["denoise"].click()
    key, target = sent.args
    assert (key, Path(target.path).name) == ("denoise", f"ct {title}.nii")
    scan = nifti.read_scan(Path(target.path))
    assert "".join(scan.orientation) == letters
    np.testing.assert_allclose(scan.pixels[0] * 500, np.clip(views(panel)[plane].values, 0, 500), atol=1e-3)


def test_all_slices_go_to_another_panel_as_the_file_that_is_open(opened, qtbot):
    panel = opened(series=["2 · T1 · 6 images"])
    with qtbot.waitSignal(panel.navigation_requested) as sent:
        panel.use.volume_buttons["denoise"].click()
    assert sent.args == ["denoise", OpenFile("/scans/ct")]


@pytest.mark.parametrize("facts", [{"volumes": 3, "volume": 2}, {"series": ["1 · T1", "2 · T2"]}])
def test_all_slices_are_not_offered_where_other_panels_would_open_different_ones(opened, facts):
    assert opened().use.volume_buttons["denoise"].isVisible()
    assert not opened(**facts).use.volume_buttons["denoise"].isVisible()


def test_closing_deletes_the_voxels(opened):
    panel = opened()
    voxels = Path(panel._voxels)
    assert voxels.exists()
    panel.file.close_.click()
    assert not voxels.exists()
    assert panel.open.isVisible()


def test_another_current_volume_is_opened_unless_the_panel_is_pinned(opened, asked, session):
    panel = opened()
    other = OpenedScan("/scans/other", "other", "nifti", 9, None, (), 4)
    panel.follower.set_pinned(True)
    session.selection.set_image(ImageRef("other", session.requested_data, opened=other))
    assert asked(OpenVolume).path == "/scans/ct"
    panel.follower.set_pinned(False)
    assert asked(OpenVolume).path == "/scans/other"
