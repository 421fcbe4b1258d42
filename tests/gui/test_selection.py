"""The current image, run and lesion: shared by the panels, held by a pin, restored, forgotten."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from engine.config import DataConfig
from engine.messages import LoadDataReply, OpenScan, PartialResponse, RequestFailed, Response
from gui.follower import Follower
from gui.loaded_data import read_loaded_data
from gui.panel import Panel
from gui.selection import ImageRef, Selection
from gui.selection_chips import ImageChip, RunChip
from gui.widgets.region.region import Region, RegionState

HEAD = {"name": "head.nii", "kind": "nifti", "slices": 9, "orientation": None, "notes": []}
LESION = Region("ellipse", ((0.2, 0.2), (0.4, 0.5)))


@pytest.fixture
def selection(session):
    return session.selection


@pytest.fixture
def loaded(session, data_content):
    session.data = read_loaded_data(DataConfig(size=32), LoadDataReply.model_validate(data_content))
    session.selection.set_data(session.data)
    return session.data


@pytest.fixture
def open_file(session, tmp_path):
    """Open a file as the explorer answers it."""

    def open_one(name="head.nii", at=None):
        path = tmp_path / name
        path.touch()
        session.selection.open_file(str(path), at)
        reply(session, HEAD | {"image": None})
        return str(path)

    return open_one


def reply(session, content, kind=Response):
    asked = [each for each in session.explorer.engine.sent if isinstance(each, OpenScan)][-1]
    session.explorer.engine.say(kind(number=asked.number, panel="image", content=content))


class Follows(Panel):
    """A panel that keeps what it is to show."""

    def __init__(self, desk):
        super().__init__(desk)
        self.images, self.runs = [], []
        self.follower = Follower(self, self.images.append, lambda record: self.runs.append(record.name))
        self.follower.pin.setParent(self)


@pytest.fixture
def panels(desk, qtbot):
    made = [Follows(desk), Follows(desk)]
    for panel in made:
        qtbot.addWidget(panel)
        panel.show()
    return made


def image(data, index=0):
    name = data.names[int(data.rows("test")[index])]
    return ImageRef(name, data.config, "test", index)


def test_what_is_chosen_in_one_panel_is_shown_in_the_others(panels, loaded, session, make_run):
    first, second = panels
    first.follower.choose_image(image(loaded, 2))
    assert (first.images, second.images) == ([], [image(loaded, 2)])
    for name in ("old", "new"):
        make_run(name)
    session.open(session.runs.root)
    first.follower.choose_run("old")
    assert (first.runs, second.runs, session.current_run().name) == ([], ["old"], "old")


def test_pinned_panel_keeps_its_own_and_follows_again_when_it_is_free(panels, loaded, selection):
    first, second = panels
    second.follower.pin.click()
    first.follower.choose_image(image(loaded, 1))
    second.follower.choose_image(image(loaded, 3))
    assert (selection.image, second.images) == (image(loaded, 1), [])
    second.follower.pin.click()
    assert second.images == [image(loaded, 1)]


def test_hidden_panel_follows_when_it_is_shown(panels, loaded):
    first, second = panels
    second.hide()
    first.follower.choose_image(image(loaded))
    assert second.images == []
    second.show()
    assert second.images == [image(loaded)]


def test_lesion_of_an_image_is_there_in_every_state_that_shows_it(desk, selection):
    first, second = (RegionState(desk.undo, None, selection.lesions) for _ in range(2))
    first.set_image("a", None)
    first.change(LESION, "draw")
    second.set_image("a", None)
    assert second.region == LESION
    second.change(None, "remove")
    assert first.region is None
    desk.undo.undo()
    assert first.region == second.region == LESION


def test_file_becomes_the_current_image_at_its_middle_slice_and_goes_back_to_the_dataset(loaded, selection, open_file):
    selection.set_image(image(loaded, 1))
    path = open_file()
    assert (selection.image.opened.path, selection.image.opened.slice) == (path, 4)
    selection.close_file()
    assert selection.image == image(loaded, 1)


def test_another_dataset_keeps_the_file_but_not_the_image_that_it_lacks(loaded, selection, open_file, data_content):
    selection.set_image(image(loaded, 1))
    open_file()
    other = read_loaded_data(DataConfig(size=64), LoadDataReply.model_validate(data_content))
    selection.set_data(other)
    assert selection.image.data.size == 64
    selection.close_file()
    assert selection.image == image(other, 1)
    data_content["splits"]["test"]["names"] = [f"new/{at}.png" for at in range(6)]
    selection.set_data(read_loaded_data(DataConfig(), LoadDataReply.model_validate(data_content)))
    assert selection.image is None


def test_session_after_a_restart_has_file_slice_lesion_and_run(desk, loaded, selection, open_file, session):
    path = open_file(at=7)
    lesions = RegionState(desk.undo, None, selection.lesions)
    lesions.set_image(selection.image.key, None)
    lesions.change(LESION, "draw")
    selection.set_run("ae-0001")
    kept = selection.save()
    selection = Selection(session.request, lambda: loaded.config, session)
    selection.restore(kept)
    reply(session, HEAD | {"image": None})
    assert (selection.image.opened.path, selection.image.opened.slice, selection.run) == (path, 7, "ae-0001")
    again = RegionState(desk.undo, None, selection.lesions)
    again.set_image(selection.image.key, None)
    assert again.region == LESION
    assert (selection.recent, selection.recent_runs) == ([path], ["ae-0001"])


def test_image_of_the_dataset_waits_for_it(loaded, selection, session):
    selection.set_image(image(loaded, 3))
    kept = selection.save()
    selection = Selection(session.request, lambda: loaded.config, session)
    selection.restore(kept)
    assert selection.save()["image"] == kept["image"]
    selection.set_data(loaded)
    assert selection.image == image(loaded, 3)


@pytest.mark.parametrize("kept", [{}, {"recent": 3, "lesions": {"a": ["ellipse", 4], "b": [1]}, "image": [1, 2]}])
def test_damaged_memory_restores_nothing(selection, kept):
    selection.restore(kept)
    assert (selection.image, selection.recent, selection.lesions.regions) == (None, [], {})


def test_forgotten_file_leaves_no_trace(loaded, desk, selection, open_file):
    path = open_file()
    lesions = RegionState(desk.undo, None, selection.lesions)
    lesions.set_image(selection.image.key, None)
    lesions.change(LESION, "draw")
    selection.forget(path)
    assert path not in str(selection.save())
    assert selection.image is None


def test_file_that_cannot_be_opened_is_reported_with_the_image_kept(loaded, selection, session, qtbot):
    selection.set_image(image(loaded))
    selection.open_file("/nowhere/notes.txt")
    asked = session.explorer.engine.sent[-1]
    with qtbot.waitSignal(selection.failed) as told:
        session.explorer.engine.say(RequestFailed(number=asked.number, panel="image", reason="It cannot be opened."))
    assert told.args == ["/nowhere/notes.txt", "It cannot be opened."]
    assert selection.image == image(loaded)


def test_pixels_of_an_opened_file_are_there_before_anything_else(selection, session, tmp_path):
    session.scratch.mkdir()
    file = session.scratch / "answer-1.npy"
    np.save(file, np.full((32, 32), 0.5, np.float32))
    selection.open_file(str(tmp_path / "head.nii"))
    reply(session, HEAD | {"image": str(file)})
    assert selection.preview(selection.image).mean() == 0.5


def test_first_part_of_the_reply_opens_the_file_and_the_rest_changes_nothing(loaded, selection, session, tmp_path):
    file = str(tmp_path / "head.nii")
    selection.open_file(file, runs=("ae-0001",))
    assert session.explorer.engine.sent[-1].runs == ("ae-0001",)
    reply(session, HEAD, PartialResponse)
    assert selection.image.opened.path == file
    selection.set_image(image(loaded))
    reply(session, HEAD)
    assert selection.image == image(loaded)


def test_file_that_was_opened_is_not_reported_when_a_model_fails(selection, session, tmp_path, qtbot):
    selection.open_file(str(tmp_path / "head.nii"), runs=("ae-0001",))
    asked = session.explorer.engine.sent[-1]
    reply(session, HEAD, PartialResponse)
    with qtbot.assertNotEmitted(selection.failed):
        session.explorer.engine.say(RequestFailed(number=asked.number, panel="image", reason="The run has no model."))


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_chips_show_and_change_what_is_current(qtbot, loaded, selection, session, make_run, open_file):
    opened = []
    images, runs = ImageChip(selection, lambda: None, opened.append), RunChip(session)
    for chip in (images, runs):
        qtbot.addWidget(chip)
        chip.resize(chip.maximumWidth(), 24)
    assert (images.text(), runs.text()) == ("No image", "No run")
    path = open_file()
    assert images.text() == "head.nii · slice 5 of 9"
    for name in ("old", "new"):
        make_run(name)
    session.open(session.runs.root)
    assert runs.text() == "new"
    images.menu().aboutToShow.emit()
    entries = {action.text(): action for action in images.menu().actions()}
    entries["head.nii"].trigger()
    assert opened == [path]
    runs.click()
    assert runs.popup.list.tree.chosen_keys() == ["new"]
    QTest.keyClicks(runs.popup.list.filter, "OL")
    QTest.keyClick(runs.popup.list.filter, Qt.Key.Key_Return)
    assert (selection.run, runs.text(), runs.popup.isVisible()) == ("old", "old", False)
    entries["Forget head.nii"].trigger()
    assert (images.text(), selection.recent) == ("No image", [])
