"""The Data panel: source, content, thumbnails."""

import csv

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from engine.config import DataConfig
from engine.messages import LoadData, RequestFailed, RequestProgress, Stop
from gui.panel import ShowImage
from gui.panels.data import DataPanel
from gui.panels.data.summary_card import SkippedFilesDialog


@pytest.fixture
def panel(qtbot, desk):
    made = DataPanel(desk)
    qtbot.addWidget(made)
    made.resize(1300, 800)
    made.show()
    return made


def choose_kind(panel, kind):
    editor = panel.source.source
    editor.kind.setCurrentIndex(editor.kind.findData(kind))
    editor.kind.activated.emit(editor.kind.currentIndex())


def test_phantoms_are_the_default_and_need_nothing_typed(panel):
    assert panel.source.use.isEnabled()
    assert panel.source.form.rows["phantom_count"].editor.isVisible()
    assert not panel.source.source.place.isVisible()


def test_use_these_images_asks_the_explorer_for_what_the_form_says(panel, session):
    panel.source.form.change_values({"size": 64, "normalisation": "percentile"})
    panel.source.use.click()
    sent = session.explorer.engine.sent[-1]
    assert isinstance(sent, LoadData)
    assert sent.config == DataConfig(size=64, normalisation="percentile")


def test_changed_settings_are_said_to_be_not_loaded_yet(panel, session, loaded):
    card = panel.source
    assert "Not loaded yet" not in card.caption.text()
    card.form.change_values({"size": 48})
    assert "Not loaded yet" in card.caption.text()
    assert "multiple of 32" in card.caption.text()
    card.form.change_values({"size": 32})
    assert "Not loaded yet" not in card.caption.text()


def test_folder_is_browsed_typed_and_sent_in_full(panel, session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    choose_kind(panel, "folder")
    assert not panel.source.use.isEnabled()
    assert "Choose a folder" in panel.source.form.rows["source"].problem.text()
    panel.source.source.ask_folder = lambda *words: str(tmp_path / "scans")
    panel.source.source.browse.click()
    assert panel.source.use.isEnabled()
    panel.source.form.change_values({"source": "scans"})
    panel.source.use.click()
    assert session.explorer.engine.sent[-1].config.source == str(tmp_path / "scans")


def test_another_source_begins_with_a_split_by_patient(panel, session):
    """An old run, such as the one of the first start, was split by image; what is set by hand stays."""
    former = DataConfig(split_by="image", group_pattern="(p)", size=64)
    session.load_data(former)
    panel.source.form.set_values(former.model_dump())
    panel.source.form.change_values({"mask_label": 2})
    panel.source.load_source("/data/other")
    assert session.explorer.engine.sent[-1].config == DataConfig(source="/data/other", size=64, mask_label=2)
    panel.source.form.change_values({"split_by": "image"})
    panel.source.load()
    assert session.explorer.engine.sent[-1].config.split_by == "image"


def test_hugging_face_has_an_example_and_asks_before_it_downloads(panel, session):
    choose_kind(panel, "hf")
    assert panel.source.form.values()["source"] == "hf:benschill/brain-tumor-collection"
    assert panel.source.form.values()["download"] is False
    panel.source.use.click()
    assert session.explorer.engine.sent[-1].config.source == "hf:benschill/brain-tumor-collection"


def test_wrong_size_disables_the_button(panel):
    panel.source.form.change_values({"size": 33})
    assert not panel.source.use.isEnabled()
    panel.source.form.change_values({"size": 5000})
    assert "from 32 to 512" in panel.source.form.rows["size"].problem.text()
    panel.source.form.change_values({"size": 48})
    assert panel.source.use.isEnabled()


def test_loading_shows_progress_and_can_be_cancelled(panel, session):
    panel.source.use.click()
    assert panel.source.bar.isVisible()
    assert not panel.source.use.isEnabled()
    session.explorer.engine.say(RequestProgress(number=1, panel="data", done=30, total=120))
    assert (panel.source.bar.value(), panel.source.bar.maximum()) == (30, 120)
    assert "30 of 120" in panel.source.caption.text()
    panel.source.cancel.click()
    assert session.explorer.engine.sent[-1] == Stop()
    assert not panel.source.bar.isVisible()
    assert panel.source.use.isEnabled()


def test_refused_source_is_a_sentence_and_what_was_loaded_stays(panel, session, loaded):
    choose_kind(panel, "folder")
    panel.source.form.change_values({"source": "/nowhere"})
    panel.source.use.click()
    number = session.explorer.engine.sent[-1].number
    session.explorer.engine.say(
        RequestFailed(reason="There is no folder /nowhere.", advice="Check it.", number=number, panel="data")
    )
    assert panel.source.notice.text() == "There is no folder /nowhere. Check it."
    assert panel.source.notice.isVisible()
    assert session.data is loaded
    assert len(panel.scans.grid.shown()) == 24


def test_content_is_counted_by_class_and_split(panel, loaded):
    table = panel.inside.table
    rows = [[table.text(row, column) for column in range(4)] for row in range(3)]
    assert rows == [["glioma tumor", "8", "1", "3"], ["no tumor", "8", "1", "3"], ["All", "16", "2", "6"]]
    assert "no test set" in panel.inside.notes.text()


def test_skipped_files_are_counted_and_listed_with_their_reasons(panel, loaded, qtbot):
    assert panel.inside.skipped.text() == "2 files were skipped."
    panel.inside.show_skipped.click()
    sheet = panel.window().findChild(SkippedFilesDialog)
    assert [sheet.table.text(0, 0), sheet.table.text(0, 1)] == ["a.txt", "not a picture"]
    sheet.reject()


def test_chips_filter_by_class_and_split(panel, loaded):
    assert panel.scans.grid.shown() == list(range(24))
    panel.scans.classes[1].click()
    assert panel.scans.grid.shown() == list(range(1, 24, 2))
    panel.scans.splits[2].click()
    assert panel.scans.grid.shown() == [19, 21, 23]
    assert "3 · no tumor · test" in panel.scans._subtitle.text()
    panel.scans.classes[1].click()
    panel.scans.classes[0].click()
    panel.scans.classes[1].click()
    assert panel.scans.grid.shown() == list(range(18, 24))


@pytest.fixture
def leaky(session, answer, data_content):
    """Scans of which the first and the fifth test scan are leaked."""
    session.load_data(DataConfig(size=32))
    answer("data", data_content | {"leaked": [0, 4]})
    return session.data


def test_leaked_images_can_be_looked_at_alone(panel, leaky, qtbot):
    panel.scans.leaked.click()
    assert panel.scans.grid.shown() == [18, 22]
    assert "leaked test images only" in panel.scans._subtitle.text()
    with qtbot.waitSignal(panel.status_changed) as blocker:
        panel.scans.grid.hovered.emit(18)
    assert blocker.args == ["test/18.png · glioma tumor · test · leaked"]


def test_without_leaked_images_there_is_no_chip_for_them(panel, session, leaky, answer, data_content):
    panel.scans.leaked.click()
    session.load_data(DataConfig(size=64))
    answer("data", data_content | {"leaked": []})
    assert not panel.scans.leaked.isVisible()
    assert len(panel.scans.grid.shown()) == 24


def test_another_source_brings_its_own_chips(panel, session, loaded, answer, data_content):
    panel.scans.classes[0].click()
    session.load_data(DataConfig(size=64))
    answer("data", data_content | {"classes": ["a", "b", "c"]})
    assert [chip.accessibleName() for chip in panel.scans.classes.values()] == ["a", "b", "c"]
    assert len(panel.scans.grid.shown()) == 24


def test_opening_a_thumbnail_requests_a_closer_look(panel, loaded, qtbot):
    panel.scans.grid.select(19)
    with qtbot.waitSignal(panel.navigation_requested) as blocker:
        QTest.keyClick(panel.scans.grid, Qt.Key.Key_Return)
    assert blocker.args == ["compare", ShowImage("test", 1)]


def test_pointing_at_a_thumbnail_names_its_file(panel, loaded, qtbot):
    with qtbot.waitSignal(panel.status_changed) as blocker:
        panel.scans.grid.hovered.emit(17)
    assert blocker.args == ["validation/17.png · no tumor · validation"]


def test_using_other_images_can_be_undone(panel, session, loaded, desk, answer, data_content):
    panel.source.form.change_values({"size": 64})
    panel.source.use.click()
    answer("data", data_content)
    assert session.data.config.size == 64
    desk.undo.undo()
    assert session.explorer.engine.sent[-1].config.size == 32
    assert panel.source.form.values()["size"] == 32


def test_memory_puts_the_form_back(panel, desk, qtbot):
    panel.source.form.change_values({"size": 64, "source": "/somewhere"})
    twin = DataPanel(desk)
    qtbot.addWidget(twin)
    twin.restore_state(panel.save_state())
    assert twin.source.form.values() == panel.source.form.values()
    twin.restore_state({"form": "nonsense"})
    twin.restore_state({})


def test_list_of_the_shown_images_is_written(panel, leaky, tmp_path):
    panel.scans.splits[2].click()
    path = tmp_path / "scans.csv"
    panel.ask_path = lambda *words: (str(path), "")
    panel.export()
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    assert rows[:2] == [["file", "class", "split", "leaked"], ["test/18.png", "glioma_tumor", "test", "yes"]]
    assert [row[3] for row in rows[1:]] == ["yes", "no", "no", "no", "yes", "no"]


def test_list_that_cannot_be_written_is_a_sentence(panel, loaded, tmp_path):
    panel.ask_path = lambda *words: (str(tmp_path / "no" / "scans.csv"), "")
    panel.export()
    assert "Could not write the list" in panel.source.notice.text()


def test_copied_script_loads_the_same_images(panel, loaded):
    script = panel.as_python()
    asked = []
    fake = type("Engine", (), {"config": __import__("engine").config, "data": None})

    def load(config):
        asked.append(config)
        return type("Images", (), {"counts": lambda self: {}})()

    fake.data = type("Data", (), {"load": staticmethod(load)})
    exec(script.replace("import engine\n", ""), {"engine": fake})
    assert asked == [DataConfig(size=32)]


def test_tab_goes_through_the_chips_as_they_stand_and_then_to_the_images(panel, loaded):
    scans = panel.scans
    wanted = [*scans.classes.values(), *scans.splits.values(), scans.leaked, scans.grid]
    order, widget = [wanted[0]], wanted[0]
    for _ in range(200):
        widget = widget.nextInFocusChain()
        if panel.isAncestorOf(widget) and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            order.append(widget)
        if widget is scans.grid:
            break
    assert order == wanted
