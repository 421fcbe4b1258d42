"""The window: panels, menus, drops, what it remembers, how it closes."""

import threading
from contextlib import suppress

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QAction, QDropEvent, QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QWidget

from engine import demo_runs, runs
from engine.data import dicom, dicom_view
from engine.messages import (
    Continue,
    JobEnded,
    LoadData,
    OpenScan,
    OpenVolume,
    OpenVolumeReply,
    Pause,
    Paused,
    Ready,
    RequestFailed,
    Response,
    RunStudy,
    Search,
    SearchEnded,
    SearchState,
    Stop,
    StudyEnded,
    StudyProgress,
)
from gui import explorer_client, main_window, palette, theme
from gui.app import PanelImporter, make_window
from gui.opened_files import classify
from gui.panel import DISCLAIMER
from gui.preferences import Preferences, PreferencesDialog, SettingsStore
from gui.run_record import open_record
from gui.scratch import Scratch
from gui.shortcuts import ShortcutSheet
from gui.widgets.card import Card
from gui.widgets.labels import CHIP_PADDING_PX
from tests import house
from tests.conftest import ROOT


@pytest.fixture
def open_window(qtbot, root, monkeypatch, fake_engines):
    """Open windows over the same settings, one after the other, as a user does."""
    monkeypatch.setenv("ENGRAM_RUNS", str(root))
    monkeypatch.setattr(demo_runs, "install", lambda folder: [])
    opened = []

    def open_one(first=None):
        window = make_window(SettingsStore(), first=first)
        opened.append(window)
        window.show()
        window.start()
        return window

    yield open_one
    for window in opened:
        job = window.desk.session.job
        job.run = job.study = job.search = None
        window.close()
        window.deleteLater()


@pytest.fixture
def window(open_window):
    return open_window()


def crash(window):
    """What is left when a window's process is killed: nothing is asked, nothing more is written."""
    window._settled.stop()
    window.hide()


def drop(window, *paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), copy, mime, left, none))


def sent(window, kind):
    engine = window.desk.session.explorer.engine
    return [message for message in engine.sent if isinstance(message, kind)]


def text_color(widget):
    return widget.palette().color(widget.foregroundRole()).name()


def start_run(window, tiny, name="ae-0001"):
    return window.desk.session.start(tiny(epochs=5), name)


def is_reached_by_arrows(child):
    """Whether a control is a button of a group that the Tab key enters at the checked one."""
    group = child.group() if isinstance(child, QAbstractButton) else None
    return group is not None and group.exclusive() and not child.isChecked()


class TestPanels:
    def test_only_panels_that_exist_are_on_the_rail(self, window):
        panels = ["data", "scan", "train", "search", "compare", "layers", "denoise", "latent", "report"]
        assert list(window.rail._buttons) == list(window.places) == panels

    def test_keys_of_a_panel_that_has_some_work_as_soon_as_it_is_shown(self, window):
        for key in ("layers", "latent"):
            window.rail._buttons[key].click()
            assert window.current().isAncestorOf(window.focusWidget())
        window.rail._buttons["train"].click()
        assert window.focusWidget() is window.panels["train"]

    def test_panels_are_built_when_they_are_first_shown(self, window):
        assert list(window.panels) == ["data"]
        window.rail._buttons["train"].click()
        assert list(window.panels) == ["data", "train"]
        assert window.current() is window.panels["train"]
        assert window.rail._buttons["train"].isChecked()

    @pytest.mark.parametrize(
        "key", ["data", "scan", "train", "search", "compare", "layers", "denoise", "latent", "report"]
    )
    def test_tab_reaches_every_control_stays_in_the_panel_and_each_has_a_name(self, window, make_run, key):
        make_run("ae-0001")
        window.desk.session.runs.refresh()
        panel = window.show_panel(key)
        panel.refresh() if hasattr(panel, "refresh") else None
        stops = {
            child
            for child in panel.findChildren(QWidget)
            if child.isVisible()
            and child.isEnabled()
            and child.focusPolicy() & Qt.FocusPolicy.TabFocus
            and not child.focusProxy()
            and not is_reached_by_arrows(child)
        }
        nameless = [child for child in stops if not (child.accessibleName() or getattr(child, "text", str)())]
        assert nameless == []
        smallest = window.minimumSizeHint()
        assert (smallest.width() <= 1024, smallest.height() <= 700) == (True, True)
        for move in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            reached = []
            panel.setFocus()
            while not reached or reached[-1] not in reached[:-1]:
                QTest.keyClick(window.focusWidget(), move)
                reached.append(window.focusWidget())
            assert set(reached) == stops

    def test_focus_stays_in_a_panel_whose_controls_are_hidden(self, window):
        panel = window.show_panel("search")
        panel.start_button.setFocus()
        assert window.focusWidget() is panel.start_button
        for child in panel.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            child.hide()
        assert window.focusWidget() is panel

    def test_mark_is_always_there(self, window):
        assert window.top_bar.mark.text() == DISCLAIMER
        assert "Not for diagnosis" in DISCLAIMER

    @pytest.mark.parametrize(("width", "mark"), [(1440, DISCLAIMER), (1024, DISCLAIMER), (860, "Not for diagnosis.")])
    def test_mark_is_whole_and_chips_use_the_room(self, window, data_content, answer_in, width, mark):
        bar = window.top_bar
        window.desk.session.job.warm_up("tensorflow")
        window.desk.session.job.engine.say(Ready(backend="tensorflow", device="CPU", versions={}))
        answer_in(window, data_content)
        window.resize(width, 700)
        QApplication.processEvents()
        assert bar.mark.shown_text() == mark
        for chip in (bar.data, bar.device, bar.mark):
            assert "…" not in chip.shown_text()
            assert chip.width() <= chip.fontMetrics().horizontalAdvance(chip.shown_text()) + CHIP_PADDING_PX
        if width == 1440:
            assert bar.data.shown_text() == bar.data.text()

    def test_device_and_images_are_named_once_they_are_known(self, window, data_content, answer_in):
        assert "starting" in window.top_bar.device.text()
        window.desk.session.job.warm_up("tensorflow")
        window.desk.session.job.engine.say(Ready(backend="tensorflow", device="CPU", versions={}))
        assert window.top_bar.device.text() == "TensorFlow · CPU"
        answer_in(window, data_content)
        assert window.top_bar.data.text() == "Phantoms · 16 training · 6 test images"


@pytest.fixture
def answer_in():
    """Let a window's explorer answer its newest question for the scans."""
    from engine.messages import Response

    def say(window, content):
        asked = sent(window, LoadData)[-1]
        window.desk.session.explorer.engine.say(Response(number=asked.number, panel="data", content=content))

    return say


class TestMenus:
    def test_keys_are_given_once_each(self, window):
        keys = [action.shortcut().toString() for action in window.findChildren(QAction) if action.shortcut()]
        own = [key for key in keys if key and key not in ("F2", "Del")]
        assert len(own) == len(set(own))
        expected = {"Ctrl+O", "Ctrl+S", "Ctrl+Z", "Ctrl+Shift+Z", "Ctrl+,", "F1"}
        assert expected <= set(own)

    def test_shortcut_sheet_lists_every_key_of_the_menus(self, window):
        QTest.keySequence(window, QKeySequence("F1"))
        sheet = window.findChild(ShortcutSheet)
        texts = [child.text() for child in sheet.findChildren(QWidget) if hasattr(child, "text")]
        assert {"Ctrl+O", "Ctrl+,", "Keyboard shortcuts"} <= set(texts)
        assert sheet.height() <= QGuiApplication.primaryScreen().availableGeometry().height()
        shown = {group.title for group in sheet.groups if group.isVisible()}
        sheet.field.setText("LASSO select")
        assert {group.title for group in sheet.groups if group.isVisible()} == {"Latent map"} < shown
        sheet.field.setText("no such key")
        assert sheet.empty.isVisible()
        sheet.reject()

    def test_undo_key_takes_back_what_was_typed(self, window):
        form = window.panels["data"].source.form
        editor = form.rows["size"].editor
        editor.setFocus()
        editor.selectAll()
        QTest.keyClicks(editor, "64")
        assert form.values()["size"] == 64
        QTest.keySequence(editor, QKeySequence("Ctrl+Z"))
        assert form.values()["size"] == 128
        QTest.keySequence(editor, QKeySequence("Ctrl+Shift+Z"))
        assert form.values()["size"] == 64

    def test_undo_says_what_it_undid_and_shows_the_panel(self, window):
        window.panels["data"].source.form.change_values({"size": 64})
        window.show_panel("train").new_run.settings.form.change_values({"latent": 7})
        window.show_panel("compare")
        for key, said in (("train", "Undid “Latent size” in Train"), ("data", "Undid “Size” in Data")):
            QTest.keySequence(window, QKeySequence("Ctrl+Z"))
            assert (window.current_key(), window._status.numbers.text()) == (key, said)
        window.show_panel("compare")
        QTest.keySequence(window, QKeySequence("Ctrl+Shift+Z"))
        assert (window.current_key(), window._status.numbers.text()) == ("data", "Redid “Size” in Data")
        window.panels["data"].source.form.change_values({"size": 96})
        window.show_panel("train")
        QTest.keySequence(window, QKeySequence("Ctrl+Z"))
        assert window.current_key() == "data"

    def test_ctrl_return_starts_what_the_panel_is_for(self, window, monkeypatch):
        pressed = []
        for key, title in {"data": "Load dataset", "train": "Start training", "search": "Start search"}.items():
            button = window.show_panel(key).start_button
            monkeypatch.setattr(type(button), "click", lambda it: pressed.append(it.text()))
            QTest.keySequence(window, QKeySequence("Ctrl+Return"))
            assert (window.menus.start.text(), pressed[-1]) == (title, title)
        window.show_panel("compare")
        assert not window.menus.start.isEnabled()

    def test_full_screen_ends_with_escape_as_it_began(self, window):
        window.showMaximized()
        QTest.keySequence(window, QKeySequence("F11"))
        assert window.isFullScreen()
        QTest.keyClick(window, Qt.Key.Key_Escape)
        assert not window.isFullScreen()
        assert window.isMaximized()

    def test_open_folder_loads_it(self, window, tmp_path):
        window.commands.ask_folder = lambda *words: str(tmp_path)
        QTest.keySequence(window, QKeySequence("Ctrl+O"))
        assert sent(window, LoadData)[-1].config.source == str(tmp_path)

    def test_used_sources_are_remembered_newest_first(self, open_window, data_content, answer_in, tmp_path):
        window = open_window()
        answer_in(window, data_content)
        drop(window, tmp_path)
        answer_in(window, data_content)
        listed = [action for action in window.menus.recent.actions() if not action.isSeparator()]
        assert [action.text() for action in listed] == ["Datasets", str(tmp_path), "Phantoms"]
        assert not listed[0].isEnabled()
        actions = listed[1:]
        actions[1].trigger()
        assert sent(window, LoadData)[-1].config.source == "phantom"

    def test_run_menu_follows_the_job(self, window, tiny):
        menus = window.menus
        window.show_panel("train")
        assert (menus.start.isEnabled(), menus.stop.isEnabled()) == (True, False)
        start_run(window, tiny)
        assert (menus.start.isEnabled(), menus.stop.isEnabled()) == (False, True)
        menus.pause.trigger()
        assert menus.pause.text() == "Continue"
        menus.stop.trigger()
        assert not menus.stop.isEnabled()

    def test_copy_as_python_reaches_the_clipboard(self, window, qapp):
        window.show_panel("train").new_run.settings.form.change_values({"latent": 7})
        QTest.keySequence(window, QKeySequence("Ctrl+Shift+C"))
        assert "'latent': 7" in qapp.clipboard().text()


class TestDrops:
    def test_folder_becomes_the_source(self, window, tmp_path):
        window.show_panel("train")
        drop(window, tmp_path)
        assert window.current_key() == "data"
        assert sent(window, LoadData)[-1].config.source == str(tmp_path)

    def test_scan_opens_in_compare(self, window, tmp_path):
        scan = tmp_path / "head.dcm"
        scan.write_bytes(b"x")
        drop(window, scan)
        assert window.current_key() == "compare"
        assert sent(window, OpenScan)[-1].path == str(scan)

    @pytest.mark.parametrize(("kept", "shown"), [("data", "compare"), ("layers", "layers"), ("search", "compare")])
    def test_image_of_the_command_line_is_opened_in_the_first_panel(self, open_window, tmp_path, kept, shown):
        scan = tmp_path / "head.png"
        scan.write_bytes(b"x")
        SettingsStore().set("window/panel", kept)
        window = open_window(classify([scan]))
        assert list(window.panels) == [shown]
        assert sent(window, OpenScan)[-1].path == str(scan)
        assert not sent(window, LoadData)

    @pytest.mark.parametrize("name", ["head.nii.gz", "IM0001"])
    def test_a_volume_opens_in_scan_wherever_it_is_dropped(self, window, tmp_path, name):
        file = tmp_path / name
        file.write_bytes(bytes(128) + b"DICM")
        window.show_panel("denoise")
        drop(window, file)
        assert window.current_key() == "scan"
        assert sent(window, OpenVolume)[-1].path == str(file)

    @pytest.mark.parametrize("name", ["IM0001", "DICOMDIR"])
    def test_a_folder_of_a_series_or_a_disc_opens_in_scan(self, window, tmp_path, name):
        (tmp_path / "disc").mkdir()
        (tmp_path / "disc" / name).write_bytes(bytes(128) + b"DICM")
        drop(window, tmp_path / "disc")
        assert sent(window, OpenVolume)[-1].path == str(tmp_path / "disc")

    def test_scan_dropped_on_denoise_stays_there(self, window, tmp_path):
        file = tmp_path / "head.dcm"
        file.write_bytes(b"")
        window.show_panel("denoise")
        drop(window, file)
        assert window.current() is window.panels["denoise"]
        asked = window.desk.session.explorer.engine.sent[-1]
        assert (asked.panel, asked.path) == ("image", str(file))

    def test_file_is_reported_remembered_and_opened_again(self, open_window, tmp_path):
        """A file that fails is a notice until another opens; that one is recent, and current after a restart."""
        window, file = open_window(), tmp_path / "head.dcm"
        file.write_bytes(b"")
        window.show_panel("denoise")
        drop(window, file)
        engine = window.desk.session.explorer.engine
        refused = sent(window, OpenScan)[-1]
        engine.say(RequestFailed(number=refused.number, panel="image", reason="It is damaged."))
        assert window.notice.box.text() == "It is damaged."
        drop(window, file)
        content = {"name": "head.dcm", "kind": "dicom", "slices": 3, "orientation": None, "notes": []}
        engine.say(Response(number=sent(window, OpenScan)[-1].number, panel="image", content=content))
        assert not window.notice.isVisible()
        texts = [action.text() for action in window.menus.recent.actions()]
        assert texts == ["Images", str(file)]
        window.close()
        again = open_window()
        opened = sent(again, OpenScan)[-1]
        assert (opened.path, opened.slice) == (str(file), 1)

    def test_own_run_is_shown_in_train(self, window, make_run):
        make_run("old")
        run = make_run("new")
        window.desk.session.runs.refresh()
        drop(window, run.path)
        assert window.current_key() == "train"
        assert window.current().runs.table.chosen_keys() == ["new"]

    def test_run_of_another_folder_gets_a_sentence(self, window, make_run, tmp_path):
        run = make_run("mine")
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        run.path.rename(elsewhere / "mine")
        drop(window, elsewhere / "mine")
        assert "is not in your runs folder" in window.notice.box.text()
        assert window.notice.isVisible()

    @pytest.mark.parametrize("count", [0, 2])
    def test_nothing_usable_gets_a_sentence_and_changes_nothing(self, window, tmp_path, count):
        before = len(sent(window, LoadData))
        paths = [tmp_path / str(number) for number in range(count)] or [tmp_path / "gone"]
        drop(window, *paths)
        assert window.notice.isVisible()
        assert ("You dropped 2 items" if count else "File or folder not found") in window.notice.box.text()
        assert len(sent(window, LoadData)) == before
        window.notice.dismiss.click()
        assert not window.notice.isVisible()

    def test_text_is_not_taken(self, window):
        from PySide6.QtGui import QDragEnterEvent

        mime = QMimeData()
        mime.setText("hello")
        none = Qt.KeyboardModifier.NoModifier
        event = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, none)
        event.ignore()
        window.dragEnterEvent(event)
        assert not event.isAccepted()


class TestMemory:
    def test_everything_is_back_after_a_crash(self, open_window, data_content, answer_in, make_run, tmp_path):
        for name in ("ae-0001", "ae-0002"):
            make_run(name)
        first = open_window()
        drop(first, tmp_path)
        answer_in(first, data_content)
        train = first.show_panel("train")
        train.new_run.settings.change_values({"model": "vae", "latent": 33})
        train.runs.table.select(["ae-0001"])
        compare = first.show_panel("compare")
        compare.view.set_values({"layout": "swipe"})
        compare.view.changed.emit()
        first.show_panel("train")
        crash(first)
        second = open_window()
        assert second.current_key() == "train"
        assert sent(second, LoadData)[-1].config.source == str(tmp_path)
        again = second.panels["train"]
        assert again.new_run.settings.values()["model"] == "vae"
        assert again.new_run.settings.values()["latent"] == 33
        again.refresh()
        assert again.runs.table.chosen_keys() == ["ae-0001"]
        assert second.show_panel("compare").view.values()["layout"] == "swipe"

    def test_size_and_place_are_back(self, open_window):
        first = open_window()
        first.resize(790, 650)
        first.save_geometry()
        crash(first)
        assert open_window().size().toTuple() == (790, 650)

    @pytest.mark.parametrize("mode", ["", "dark", "light"])
    def test_window_fits_the_screen_at_first(self, open_window, dressed, mode):
        room = QGuiApplication.primaryScreen().availableGeometry()
        if mode:
            dressed(mode)
        first = open_window()
        assert room.contains(first.geometry())

    def test_settings_that_make_no_sense_are_the_defaults(self, open_window):
        settings = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Engram", "Engram")
        for key in ("window/panel", "window/geometry", "panel/data", "data", "preferences", "recent"):
            settings.setValue(key, "{nonsense")
        settings.sync()
        window = open_window()
        assert window.current_key() == "data"
        assert sent(window, LoadData)[-1].config.source == "phantom"
        memory = SettingsStore()
        for theme_kept in (7, "pink"):
            strange = {"data": {"size": "huge"}, "window/panel": "nowhere", "preferences": {"theme": theme_kept}}
            for key, value in strange.items():
                memory.set(key, value)
            window = open_window()
            assert window.current_key() == "data"
            assert window.desk.preferences.theme == "system"


class TestPreferences:
    def test_theme_is_followed_and_remembered(self, window, qapp, dressed):
        dressed("dark")
        window.commands.use_theme("light")
        assert palette.current() is palette.LIGHT
        assert SettingsStore().get("preferences", {})["theme"] == "light"
        window.commands.use_theme("dark")
        assert palette.current() is palette.DARK
        assert text_color(window.top_bar.data) == palette.DARK.quiet

    def test_theme_restyles_what_is_visible_and_the_rest_when_it_is_shown(self, window, qapp, dressed):
        dressed("dark")
        titles = {key: window.show_panel(key).findChild(Card).findChild(QLabel) for key in ("data", "scan")}
        window.commands.use_theme("light")
        assert text_color(window.top_bar.data) == palette.LIGHT.quiet
        assert [text_color(title) for title in titles.values()] == [palette.DARK.strong, palette.LIGHT.strong]
        window.show_panel("data")
        assert text_color(titles["data"]) == palette.LIGHT.strong
        sheet = ShortcutSheet(window)
        sheet.open()
        field = sheet.findChild(QLineEdit) or sheet.findChild(QLabel)
        assert text_color(field) in (palette.LIGHT.text, palette.LIGHT.strong, palette.LIGHT.quiet)
        sheet.close()

    def test_another_runs_folder_is_opened(self, window, make_run, tmp_path, monkeypatch):
        make_run("here")
        window.desk.session.runs.refresh()
        assert "here" in window.desk.session.runs.records
        monkeypatch.delenv("ENGRAM_RUNS")
        window.commands.set_theme(Preferences(runs=str(tmp_path / "other")))
        assert window.desk.session.runs.root == tmp_path / "other"
        assert window.desk.session.runs.records == {}

    def test_backend_is_warmed_up(self, window):
        window.commands.set_theme(Preferences(backend="jax"))
        assert window.desk.session.job.engine.backend == "jax"

    def test_backend_that_cannot_be_used_is_said(self, window):
        window.commands.set_theme(Preferences(backend="jax"))
        window.desk.session.job.engine.say(
            RequestFailed(reason="The backend jax is not installed.", advice="Install it.")
        )
        assert window.notice.box.text() == "The backend jax is not installed. Install it."
        assert window.top_bar.device.text() == "Engine not available"

    def test_dialog_says_what_was_chosen(self, qtbot, tmp_path):
        dialog = PreferencesDialog(Preferences())
        qtbot.addWidget(dialog)
        assert dialog.chosen() == Preferences()
        dialog.theme.setCurrentIndex(dialog.theme.findData("light"))
        dialog.backend.setCurrentIndex(dialog.backend.findData("torch"))
        dialog.ask_folder = lambda *words: str(tmp_path)
        dialog._on_browse_clicked()
        dialog.download.setChecked(True)
        assert dialog.chosen() == Preferences("light", str(tmp_path), "torch", True)


class TestClosing:
    def choose(self, monkeypatch, choice):
        asked = []
        monkeypatch.setattr(main_window, "ask_about_run", lambda parent, record: asked.append(record.name) or choice)
        return asked

    def test_idle_window_closes_without_a_question(self, window, monkeypatch):
        asked = self.choose(monkeypatch, "stay")
        assert window.close()
        assert asked == []
        assert not window._scratch.path.exists()

    def test_staying_leaves_the_run_alone(self, window, tiny, monkeypatch):
        start_run(window, tiny)
        asked = self.choose(monkeypatch, "stay")
        assert not window.close()
        assert asked == ["ae-0001"]
        assert Stop() not in window.desk.session.job.engine.sent

    def test_stop_and_keep_closes_once_the_run_has_stopped(self, window, tiny, monkeypatch, qtbot):
        start_run(window, tiny)
        asked = self.choose(monkeypatch, "stop")
        assert not window.close()
        assert window.desk.session.job.engine.sent[-1] == Stop()
        assert not window.close()
        assert asked == ["ae-0001"]
        window.desk.session.job.engine.say(JobEnded(run="ae-0001", state="stopped", epoch=1))
        qtbot.waitUntil(lambda: not window.isVisible())

    def test_background_continues_with_the_run_after_it_has_stopped(self, window, tiny, monkeypatch, qtbot):
        record = start_run(window, tiny)
        self.choose(monkeypatch, "background")
        gone_on = []
        monkeypatch.setattr(main_window, "resume_detached", lambda it: gone_on.append(it.name) or True)
        window.close()
        assert gone_on == []
        window.desk.session.job.engine.say(JobEnded(run="ae-0001", state="stopped", epoch=1))
        assert gone_on == ["ae-0001"]
        qtbot.waitUntil(lambda: not window.isVisible())
        assert record.run.path.exists()

    def test_background_that_cannot_be_started_keeps_the_window(self, window, tiny, monkeypatch):
        start_run(window, tiny)
        self.choose(monkeypatch, "background")
        monkeypatch.setattr(main_window, "resume_detached", lambda it: False)
        window.close()
        window.desk.session.job.engine.say(JobEnded(run="ae-0001", state="stopped", epoch=1))
        assert window.isVisible()
        assert "could not be continued" in window.notice.box.text()

    def test_question_says_what_each_answer_means(self, window, tiny, qtbot, monkeypatch):
        from PySide6.QtWidgets import QMessageBox

        record = start_run(window, tiny)
        seen = []
        monkeypatch.setattr(QMessageBox, "exec", lambda box: seen.append(box.informativeText()))
        assert main_window.ask_about_run(window, record) == "stay"
        assert "from its last completed epoch" in seen[0]
        assert "bit-identical" in seen[0]


class TestStudy:
    def start(self, window, tmp_path):
        window.desk.session.job.start_study(RunStudy(out=str(tmp_path / "study")), "tensorflow")
        return window.desk.session.job

    def test_it_is_one_job_that_can_be_paused_and_stopped(self, window, tmp_path, tiny):
        window.show_panel("report")
        job, menus = self.start(window, tmp_path), window.menus
        assert [each.isEnabled() for each in (menus.start, menus.pause, menus.stop)] == [False, True, True]
        self.start(window, tmp_path / "other")
        assert job.study == str(tmp_path / "study")
        job.engine.say(StudyProgress(stage="training", text="ae-0001", share=0.5))
        menus.pause.trigger()
        job.engine.say(Paused(run="ae"))
        assert (job.engine.sent[-1], job.state, menus.pause.text()) == (Pause(), "paused", "Continue")
        assert window._status.line._text.text() == "Study · paused"
        menus.pause.trigger()
        assert (job.engine.sent[-1], job.state) == (Continue(), "running")
        menus.stop.trigger()
        assert job.engine.sent[-1] == Stop()
        job.engine.say(StudyEnded(out=job.study, state="stopped"))
        assert (job.state, job.study) == ("idle", None)

    def test_status_says_how_far_it_is(self, window, tmp_path):
        job = self.start(window, tmp_path)
        job.engine.say(StudyProgress(stage="training", text="study-ae · run 1 of 2", share=0.5))
        assert window._status.line._text.text() == "Study · study-ae · run 1 of 2"
        assert window._status.line.bar.value() == 500

    def test_window_that_is_closed_asks_and_waits_for_its_end(self, window, tmp_path, monkeypatch, qtbot):
        asked = []
        monkeypatch.setattr(main_window, "ask_about_run", lambda parent, record: asked.append(record) or "stop")
        job = self.start(window, tmp_path)
        assert not window.close()
        assert asked == [None]
        assert job.engine.sent[-1] == Stop()
        job.engine.say(StudyEnded(out=job.study, state="stopped"))
        qtbot.waitUntil(lambda: not window.isVisible())

    def test_question_says_what_is_kept(self, window, monkeypatch):
        from PySide6.QtWidgets import QMessageBox

        seen = []
        monkeypatch.setattr(QMessageBox, "exec", lambda box: seen.append(box.informativeText()))
        assert main_window.ask_about_run(window, None) == "stay"
        assert "are saved" in seen[0]

    def test_engine_that_dies_is_said_with_a_way_back(self, window, tmp_path):
        self.start(window, tmp_path).engine.die(9)
        text = window.notice.box.text()
        assert text.startswith("The engine crashed (signal 9, often out of memory).")
        assert "Finished runs of the study and completed epochs are saved" in text
        window.notice.box.action_requested.emit()
        assert window.current_key() == "report"
        assert window.current().study().path == tmp_path / "study"


class TestSearch:
    def start(self, window):
        window.desk.session.job.start_search(Search(name="s", root=str(window.desk.session.runs.root)), "tensorflow")
        return window.desk.session.job

    def test_it_can_be_paused_and_its_place_is_reported(self, window):
        job, menus = self.start(window), window.menus
        assert window._status.line._text.text() == "Search · starting"
        known = {"done": 34, "failed": 0, "running": 1, "trials": 81, "left": 46, "left_s": 2880.0, "best": 1}
        job.engine.say(SearchState(search="s", state="running", best_score=0.1, **known))
        assert window._status.line._text.text() == "s · trial 35 of 81 · 48 min 0 s left"
        assert menus.pause.isEnabled()
        menus.pause.trigger()
        assert job.engine.sent[-1] == Pause()

    def test_window_that_is_closed_may_leave_it_in_the_background(self, window, monkeypatch, qtbot):
        from PySide6.QtWidgets import QMessageBox

        started, said = [], []
        monkeypatch.setattr(main_window, "search_in_background", lambda *order: started.append(order) or True)
        monkeypatch.setattr(QMessageBox, "exec", lambda box: said.append(box.text()))
        monkeypatch.setattr(
            QMessageBox, "clickedButton", lambda box: next(b for b in box.buttons() if "background" in b.text())
        )
        job = self.start(window)
        assert not window.close()
        assert said == ["Search s is running."]
        assert job.engine.sent[-1] == Stop()
        job.engine.say(SearchEnded(search="s", state="stopped"))
        qtbot.waitUntil(lambda: not window.isVisible())
        assert started == [("s", window.desk.session.runs.root)]

    def test_engine_that_dies_is_said_with_a_way_to_continue(self, window):
        self.start(window).engine.die(9)
        assert "Finished trials and completed epochs are saved" in window.notice.box.text()
        window.notice.box.action_requested.emit()
        assert window.current_key() == "search"


class TestLostEngine:
    def test_it_is_said_with_a_way_to_resume(self, window, tiny):
        start_run(window, tiny, "ae-0003")
        window.desk.session.job.engine.die(9)
        text = window.notice.box.text()
        assert text.startswith("The engine crashed (signal 9, often out of memory).")
        assert window.top_bar.device.text() == "Engine stopped"
        window.notice.box.action_requested.emit()
        assert window.desk.session.job.run == "ae-0003"
        assert not window.notice.isVisible()


def test_ready_made_runs_are_put_into_an_empty_folder(qtbot, root, monkeypatch, fake_engines):
    monkeypatch.setenv("ENGRAM_RUNS", str(root))
    window = make_window(SettingsStore())
    qtbot.addWidget(window)
    window.start()
    ready_made = sorted(runs.list_runs(root), key=lambda run: run.name)
    assert [run.name for run in ready_made] == ["demo-ae", "demo-denoiser", "demo-vae"]
    first = ready_made[0].config.data.model_copy(update={"phantom_count": 48})
    assert sent(window, LoadData)[-1].config == first
    assert window.desk.session.record("demo-vae").state == "finished"
    monkeypatch.setattr(demo_runs, "install", _full_disk)
    window.start()
    assert "Could not copy the demo runs to" in window.notice.box.text()
    window.close()


def test_modules_of_the_panels_are_imported_in_a_thread(qtbot, qapp, monkeypatch):
    imported = []

    def import_module(path):
        imported.append((path, threading.current_thread() is threading.main_thread()))
        if path == "broken":
            raise ImportError

    monkeypatch.setattr("importlib.import_module", import_module)
    importer = PanelImporter(["first", "broken", "last"], qapp, delay_ms=0)
    with qtbot.waitSignal(importer.finished):
        pass
    assert imported == [("first", False), ("broken", False), ("last", False)]
    importer.deleteLater()


def test_no_module_is_imported_once_the_app_quits(qapp, monkeypatch):
    imported = []
    monkeypatch.setattr("importlib.import_module", lambda path: (imported.append(path), importer.stop()))
    importer = PanelImporter(["first", "last"], qapp)
    monkeypatch.setattr(importer._thread, "join", lambda: None)
    importer._import()
    assert imported == ["first"]
    importer.deleteLater()


def test_all_parts_of_a_new_window_and_its_dialogs_are_styled(open_window, qapp, dressed):
    theme.apply(qapp, "dark", by_parts=True)
    try:
        window = open_window()
        window.show_panel("compare")
        sheet = ShortcutSheet(window)
        sheet.open()
        parts = [window.top_bar, window.rail, window.notice, window._status, *window.panels.values(), sheet]
        assert {part.styleSheet() for part in parts} == {theme.style_sheet(palette.DARK)}
    finally:
        qapp.setProperty(theme.STYLED, None)


def test_the_explorer_starts_before_most_of_the_app_is_imported(run_python):
    code = (
        "import sys; from PySide6.QtCore import QCoreApplication; "
        "from gui import app; from gui.scratch import Scratch; "
        "made = QCoreApplication([]); sys.executable = 'true'; engine = app.start_explorer(Scratch()); "
        "heavy = {'numpy', 'pydantic', 'engine.config', 'engine.messages', 'gui.session', 'gui.main_window'}; "
        "print(engine.pid > 0, sorted(heavy & set(sys.modules))); engine.shutdown()"
    )
    assert run_python(code).split(maxsplit=1) == ["True", "[]\n"]


def test_window_adopts_the_explorer_that_was_started_before(qtbot, root, monkeypatch, fake_engines, tmp_path):
    monkeypatch.setenv("ENGRAM_RUNS", str(root))
    scratch = Scratch(tmp_path)
    explorer = explorer_client.EngineProcess("explorer", scratch.path, "tensorflow")
    explorer.start()
    window = make_window(SettingsStore(), scratch, explorer)
    qtbot.addWidget(window)
    window.start()
    assert window.desk.session.explorer.engine is explorer
    assert sent(window, LoadData)[-1].panel == "data"
    explorer.die(1)
    assert window.desk.session.explorer.engine is None
    window.close()


def test_explorer_that_ended_before_it_is_adopted_is_replaced(session, tmp_path):
    ended = explorer_client.EngineProcess("explorer", tmp_path, "tensorflow")
    session.explorer.adopt(ended)
    session.start_explorer()
    assert session.explorer.engine is not ended
    assert session.explorer.engine.is_running()


def _full_disk(folder):
    raise OSError(28, "No space left on device")


def test_status_says_what_runs_and_how_far(window, tiny):
    from engine.messages import Progress

    start_run(window, tiny)
    job = window.desk.session.job
    facts = {"batch": 5, "batches": 10, "loss": 0.1, "images_per_s": 412.4, "left_s": 102.0}
    job.engine.say(Progress(run="ae-0001", epoch=3, epochs=5, **facts))
    line = window._status.line
    assert line._text.text() == "ae-0001 · epoch 3 / 5 · 1 min 42 s left"
    assert line.bar.value() == 500
    assert line._rate.text() == "412 img/s"


def test_runs_of_the_default_place_are_listed(window, make_run):
    make_run("ae-0001")
    window.desk.session.runs.refresh()
    assert [run.name for run in runs.list_runs()] == ["ae-0001"]
    assert list(window.desk.session.runs.records) == ["ae-0001"]


def test_background_resumes_the_run_by_the_command_line(make_run, root, tmp_path, monkeypatch, qtbot):
    told = tmp_path / "told"
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\necho "$@" > {told}.part && mv {told}.part {told}\n', encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(fake))
    run = make_run("ae-0001", state="stopped")
    assert main_window.resume_detached(open_record(run.path))
    qtbot.waitUntil(told.exists)
    assert told.read_text(encoding="utf-8").split() == [
        *("-P", "-m", "engine", "resume"),
        *(str(run.path), "--runs", str(root)),
    ]
    monkeypatch.setattr("sys.executable", str(tmp_path / "none"))
    assert not main_window.resume_detached(open_record(run.path))


def test_no_panel_takes_a_framework(run_python):
    modules = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "gui").rglob("*.py")
    )
    # The process that opens a file does so before its backend is imported.
    modules.append("engine.processes.explorer_worker")
    loaded = run_python(f"import {', '.join(modules)}, sys; print(*sorted({house.FRAMEWORKS!r} & set(sys.modules)))")
    assert "gui.panels.train.curves_card" in modules
    assert loaded.split() == []


class ShownWindows(QObject):
    """What was shown as a window of its own."""

    def __init__(self):
        super().__init__()
        self.found = []

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.found.append(watched)
        return False


def test_window_is_small_enough_for_a_small_screen_and_no_part_flashes_up_before_it_has_its_place(window, qapp):
    seen = ShownWindows()
    qapp.installEventFilter(seen)
    for key in window.places:
        window.show_panel(key)
    qapp.removeEventFilter(seen)
    assert seen.found == []
    smallest = window.minimumSizeHint()
    assert smallest.width() <= 1000
    assert smallest.height() <= 700
    window.resize(1000, 700)
    mark = window.top_bar.mark
    assert mark.width() > mark.fontMetrics().horizontalAdvance("…Not for diagnosis.")


PATIENT = {
    "PatientName": "PLANTED^WILHELMINA", "PatientID": "PLANTED-77", "PatientBirthDate": "19530417",
    "StudyDate": "20190823", "AccessionNumber": "PLANTEDACC12", "InstitutionName": "PLANTED CLINIC",
    "StudyDescription": "PLANTED STUDY", "ReferringPhysicianName": "PLANTED^DOCTOR",
}  # fmt: skip
PLANTED_WORDS = ("PLANTED", "WILHELMINA", "19530417", "1953-04-17", "20190823", "2019-08-23")


def write_planted(folder):
    """Write a DICOM series of each of two patients, whose headers name them."""
    folder.mkdir()
    for number in range(6):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, f"1.2.{number + 1}"
        data.SeriesInstanceUID, data.SeriesDescription = f"1.3.{number % 2 + 1}", "T1"
        data.Rows = data.Columns = data.InstanceNumber = 8
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.ImageOrientationPatient, data.PixelSpacing = [1, 0, 0, 0, 1, 0], [1, 1]
        data.ImagePositionPatient = [0, 0, number]
        data.PixelData = np.arange(64, dtype=np.uint16).tobytes()
        for keyword, value in PATIENT.items():
            setattr(data, keyword, value + str(number % 2) if keyword == "PatientID" else value)
        data.save_as(folder / f"{number}.dcm", enforce_file_format=True)


def list_texts(qapp):
    """Return every text of the program: titles, labels, fields, tips, names, and the texts of menus and boxes."""
    for each in [*qapp.allWidgets(), *(action for widget in qapp.allWidgets() for action in widget.actions())]:
        for name in ("windowTitle", "text", "title", "toolTip", "statusTip", "accessibleName", "placeholderText"):
            with suppress(AttributeError, TypeError):  # texts of tables are those of their cells
                yield str(getattr(each, name)())
        if isinstance(each, QComboBox):
            yield from (each.itemText(at) for at in range(each.count()))
        if isinstance(each, QPlainTextEdit):
            yield each.toPlainText()


def test_nothing_of_a_patient_in_a_header_is_shown_copied_or_kept(open_window, qapp, tmp_path, caplog):
    """Titles, notices, recent files, Copy as Python, the session, preferences and the log, also after a restart."""
    folder, window, copied = tmp_path / "disc", open_window(), []
    write_planted(folder)
    engine = window.desk.session.explorer.engine
    drop(window, folder)
    seen = dicom_view.read_view(folder, (0, 1))
    np.save(tmp_path / "volume.npy", seen.pixels)
    names = [name for name in OpenVolumeReply.model_fields if name != "voxels"]
    content = {name: getattr(seen, name) for name in names} | {"voxels": str(tmp_path / "volume")}
    engine.say(Response(number=sent(window, OpenVolume)[-1].number, panel="scan", content=content))
    scan = dicom.read_scan(folder / "0.dcm")
    content = {"name": scan.name, "kind": scan.kind, "slices": 3, "orientation": scan.orientation, "notes": scan.notes}
    engine.say(Response(number=sent(window, OpenScan)[-1].number, panel="image", content=content))
    for key in ("scan", "compare", "denoise", "layers", "latent"):
        window.show_panel(key)
        window.commands.copy_python()
        copied.append(qapp.clipboard().text())
    shown = list(list_texts(qapp))
    assert any("3 images · patient 2" in text for text in shown)
    assert any("read_view" in text for text in copied)
    window.close()
    shown += list_texts(qapp) if open_window().isVisible() else []
    files = [file for file in tmp_path.rglob("*") if file.is_file() and folder not in file.parents]
    kept = [file.read_bytes() for file in files]
    assert any(b"disc" in content for content in kept), "the recent file is kept"
    everything = "\n".join([*shown, *copied, caplog.text]).encode(errors="replace") + b"".join(kept)
    assert [word for word in PLANTED_WORDS if word.encode() in everything] == []
    assert all(word.encode() in (folder / "0.dcm").read_bytes() for word in ("PLANTED", "19530417", "20190823"))
