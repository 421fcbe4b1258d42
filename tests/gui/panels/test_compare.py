"""The Compare panel: which images in which order, rows and numbers, layouts, scans from files."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QHeaderView

from engine.config import DataConfig
from engine.messages import (
    EpochEnded,
    EvaluateRun,
    ExportFigure,
    JudgeScan,
    OpenScan,
    PartialResponse,
    PerImageErrors,
    Progress,
    Reconstruct,
    RequestFailed,
)
from gui.panel import DISCLAIMER, CompareRuns, OpenFile, ShowImage
from gui.panels.compare import ComparePanel
from gui.panels.compare.comparison import Pager, grid_rows, sorted_by
from gui.panels.compare.controller import short
from gui.panels.compare.metrics import MetricsDialog
from gui.panels.compare.runs_card import mismatch_warning
from gui.pixmaps import Colormap
from gui.run_listing import PSNR
from gui.run_record import open_record
from tests.gui.conftest import make_metrics


@pytest.fixture
def panel(qtbot, desk, session, make_run):
    for name in ("ae-0001", "vae-0001"):
        make_run(name, model=name.split("-")[0])
    session.open(session.runs.root)
    made = ComparePanel(desk)
    qtbot.addWidget(made)
    made.resize(1300, 820)
    made.show()
    made.restore_state({"runs": ["ae-0001", "vae-0001"], "view": {"columns": 4}})
    return made


@pytest.fixture
def pictures(session, tmp_path, answer, asked):
    """Answer the newest Reconstruct: reconstructions are 0.1 (then 0.2) brighter than the originals."""

    def reply(side=32, run_side=None, after=0):
        request = asked(Reconstruct, after)
        answer("compare", make_reconstructed(tmp_path, request.runs, len(request.indices) or 1, side, run_side))
        return request

    return reply


def make_reconstructed(folder, paths, count, side=32, run_side=None):
    """Return the content of a reply to Reconstruct."""
    originals = _written(folder, "o", np.full((count, side, side), 0.3, np.float32))
    runs = {}
    for number, path in enumerate(paths, 1):
        fitted = np.full((count, run_side or side, run_side or side), 0.3, np.float32)
        runs[path] = {
            "originals": _written(folder, f"f{number}", fitted),
            "images": _written(folder, f"r{number}", fitted + np.float32(0.1 * number)),
            "mse": [0.01 * number**2] * count,
            "psnr_db": [20.0 / number] * (count - 1) + [None],
            "ssim": [0.8] * count,
        }
    return {"names": [], "originals": originals, "runs": runs}


def _written(folder, name, array):
    path = folder / "scratch" / f"{name}-{np.random.default_rng().integers(1 << 40)}.npy"
    path.parent.mkdir(exist_ok=True)
    np.save(path, array)
    return str(path)


def pick(box, key):
    box.setCurrentIndex(box.findData(key))
    box.activated.emit(box.currentIndex())


class TestPages:
    def test_pages_turn_and_stay_inside(self):
        pages = Pager(tuple(range(10)), 4)
        assert (pages.page, pages.count, pages.indices) == (1, 3, (0, 1, 2, 3))
        assert pages.turn(2).indices == (8, 9)
        assert pages.turn(9).page == 3
        assert pages.turn(-1).page == 1
        assert pages.to(6).indices == (4, 5, 6, 7)
        assert pages.to(6).with_columns(1).indices == (4,)
        assert Pager().count == 1

    def test_sorting_puts_worst_or_best_first(self):
        errors = [0.2, 0.5, 0.1, 0.5]
        assert sorted_by(errors, "worst") == [1, 3, 0, 2]
        assert sorted_by(errors, "best") == [2, 0, 1, 3]


class TestGrid:
    @pytest.mark.parametrize(
        ("name", "title"),
        [
            ("test/glioma/image(2).jpg", "image(2)"),
            ("a", "a"),
            ("p1/IM0004.DCM", "IM0004"),
            ("case.nii.gz#81", "case.nii.gz#81"),
            ("p1/1.2.840.5", "1.2.840.5"),
        ],
    )
    def test_titles_leave_out_what_all_images_share(self, name, title):
        assert short(name) == title

    def test_requests_the_test_images_through_the_chosen_runs(self, panel, loaded, asked, session):
        request = asked(Reconstruct)
        paths = tuple(str(session.record(name).run.path) for name in ("ae-0001", "vae-0001"))
        assert (request.runs, request.split, request.indices) == (paths, "test", (0, 1, 2, 3))

    def test_shows_originals_reconstructions_and_signed_differences(self, panel, loaded, pictures):
        pictures()
        rows = grid_rows(panel.board._shown)
        titles = ["original", "ae-0001", "vae-0001", "ae-0001 − original", "vae-0001 − original"]
        assert [row.title for row in rows] == titles
        assert [row.scale for row in rows] == [Colormap.GRAY] * 3 + [Colormap.SIGNED] * 2
        assert rows[3].images == pytest.approx(np.full((4, 32, 32), 0.1), abs=1e-6)
        assert rows[1].captions == ["20.0 · 0.80"] * 3 + ["— · 0.80"]
        assert (rows[3].subtitle, rows[3].captions[0]) == ("MSE below", "0.0100")
        assert panel.board.rows.view(4, 0).values[0, 0] == pytest.approx(0.2)

    def test_differences_share_one_scale_and_reconstructions_the_contrast_of_their_originals(
        self, panel, loaded, pictures
    ):
        pictures()
        states = {panel.board.rows.view(row, column).state for row in range(5) for column in range(4)}
        assert states == {panel.state}

    def test_contrast_can_be_unlinked_with_one_click(self, panel, loaded, pictures):
        pictures()
        panel.view.linked.click()
        rows = panel.board.rows
        assert rows.view(0, 0).state is not rows.view(0, 1).state
        assert rows.view(0, 0).state is rows.view(1, 0).state
        panel.view.linked.click()
        assert rows.view(0, 0).state is rows.view(0, 1).state

    def test_window_and_level_are_bound_both_ways(self, panel):
        panel.view.sliders["window"].set_value(0.5)
        assert panel.state.view.window == 0.5
        panel.state.update(level=0.25)
        assert panel.view.sliders["level"].value() == 0.25

    def test_pointing_tells_original_reconstruction_and_difference(self, panel, loaded, pictures, qtbot):
        pictures()
        with qtbot.waitSignal(panel.status_changed) as blocker:
            panel.board.rows.hovered.emit(2, 1, 7, 9)
        assert blocker.args == ["x 7 · y 9 · original 0.300 · reconstruction 0.500 · difference +0.200"]
        with qtbot.waitSignal(panel.status_changed) as blocker:
            panel.board.rows.hovered.emit(0, 1, 7, 9)
        assert "ae-0001 0.400" in blocker.args[0]
        assert "vae-0001 0.500" in blocker.args[0]

    def test_run_of_another_size_is_measured_and_pointed_at_in_its_own(self, panel, loaded, pictures, qtbot):
        pictures(run_side=16)
        rows = panel.board.rows
        assert rows.view(1, 0).values.shape == (16, 16)
        assert rows.view(3, 0).values == pytest.approx(np.full((16, 16), 0.1), abs=1e-6)
        with qtbot.waitSignal(panel.status_changed) as blocker:
            panel.board.rows.hovered.emit(1, 0, 15, 15)
        assert blocker.args[0].startswith("x 31 · y 31")

    def test_pages_turn_by_buttons_and_keys(self, panel, loaded, pictures, asked):
        first = pictures()
        assert not panel.board.back.isEnabled()
        panel.board.forth.click()
        second = pictures(after=first.number)
        assert second.indices == (4, 5)
        assert not panel.board.forth.isEnabled()
        panel.board.rows.view(0, 0).setFocus()
        QTest.keyClick(panel.board.rows.view(0, 0), Qt.Key.Key_PageUp)
        assert asked(Reconstruct, second.number).indices == (0, 1, 2, 3)

    def test_worst_first_requests_the_errors_once_and_sorts(self, panel, loaded, pictures, asked, answer, session):
        first = pictures()
        pick(panel.view.order, "worst")
        rank = asked(PerImageErrors)
        assert rank.run == str(session.record("ae-0001").run.path)
        answer("compare-rank", {"run": "a", "split": "test", "mse": [0.1, 0.5, 0.2, 0.9, 0.3, 0.4]})
        newest = pictures(after=first.number)
        assert newest.indices == (3, 1, 5, 4)
        pick(panel.view.order, "best")
        assert pictures(after=newest.number).indices == (0, 2, 4, 5)
        assert asked(PerImageErrors).number == rank.number

    def test_ticking_runs_changes_what_is_requested(self, panel, loaded, pictures, asked):
        first = pictures()
        panel.runs.choose(["vae-0001"])
        request = asked(Reconstruct, first.number)
        assert len(request.runs) == 1
        assert request.runs[0].endswith("vae-0001")

    def test_training_that_tells_of_itself_asks_nothing_anew_until_its_model_is_better(
        self, panel, loaded, pictures, asked, session, qtbot
    ):
        first = pictures()
        facts = {"batch": 1, "batches": 2, "loss": 1.0, "images_per_s": 1.0, "left_s": 1.0}
        session.apply_event(Progress(run="ae-0001", epoch=4, epochs=9, **facts), "ae-0001")
        panel.refresh()
        qtbot.wait(20)
        assert asked(Reconstruct) == first
        session.apply_event(EpochEnded(run="ae-0001", epoch=4, metrics={"val_loss": 0.01}, best=True), "ae-0001")
        assert asked(Reconstruct, first.number).indices == first.indices

    def test_no_runs_shows_the_originals_alone(self, panel, loaded, pictures, asked):
        first = pictures()
        panel.runs.choose([])
        pictures(after=first.number)
        assert [row.title for row in grid_rows(panel.board._shown)] == ["original"]

    def test_holding_f_shows_originals_in_the_place_of_reconstructions(self, panel, loaded, pictures):
        pictures()
        board = panel.board
        QTest.keyPress(board.rows.view(0, 0), Qt.Key.Key_F)
        assert board.rows.view(1, 0).values[0, 0] == pytest.approx(0.3)
        QTest.keyRelease(board.rows.view(0, 0), Qt.Key.Key_F)
        assert board.rows.view(1, 0).values[0, 0] == pytest.approx(0.4)

    def test_without_images_it_says_what_to_do(self, panel, qtbot):
        assert panel.board.empty.isVisible()
        assert "Choose a source in Data" in panel.board.empty.text()

    def test_refused_request_is_a_sentence(self, panel, loaded, asked, session):
        number = asked(Reconstruct).number
        refused = RequestFailed(
            reason="The model cannot be read.", advice="Train it again.", number=number, panel="compare"
        )
        session.explorer.engine.say(refused)
        assert panel.board.empty.text() == "The model cannot be read. Train it again."
        panel.refresh()
        assert asked(Reconstruct, number).indices == (0, 1, 2, 3)

    def test_at_most_four_runs_are_compared(self, panel, make_run, session):
        for number in range(2, 6):
            make_run(f"ae-{number:04d}")
        session.runs.refresh()
        panel.refresh()
        panel.runs.choose(list(session.runs.records))
        assert len(panel.runs.records()) == 4


class TestCloser:
    def test_maximizing_looks_at_one_image_and_back(self, panel, loaded, pictures, asked):
        first = pictures()
        panel.board.rows.maximized.emit(0, 2)
        closer = pictures(after=first.number)
        assert closer.indices == (2,)
        assert panel.board.rows.view(0, 1).accessibleName() == "image, ae-0001"
        assert panel.board.rows.view(1, 2).values[0, 0] == pytest.approx(0.2)
        panel.board.rows.maximized.emit(0, 0)
        assert asked(Reconstruct, closer.number).indices == (0, 1, 2, 3)

    def test_image_that_data_requested_is_shown(self, panel, loaded, asked):
        panel.navigate(ShowImage("train", 5))
        request = asked(Reconstruct)
        assert (request.split, request.indices) == ("train", (5,))

    def test_runs_that_train_requested_are_compared(self, panel, loaded, asked):
        panel.navigate(CompareRuns(("vae-0001",)))
        assert [record.name for record in panel.runs.records()] == ["vae-0001"]

    def test_swipe_and_flicker_show_two_images_in_one_place(self, panel, loaded, pictures, asked, qtbot):
        first = pictures()
        pick(panel.view.layout_, "swipe")
        swiped = pictures(after=first.number)
        swipe = panel.board.swipe
        assert swiped.indices == (0,)
        assert swipe.isVisible()
        assert (swipe.left.currentText(), swipe.right.currentText()) == ("original", "ae-0001")
        assert swipe.view.split == 0.5
        pick(panel.view.layout_, "flicker")
        qtbot.waitUntil(lambda: swipe.view.split == 1.0)
        assert asked(Reconstruct) == swiped
        swipe.right.setCurrentText("vae-0001")
        swipe.right.activated.emit(2)
        assert swipe.view._second[0, 0] == pytest.approx(0.5)


class TestScan:
    def opened(self, panel, session, answer, tmp_path, slices=5, orientation=("R", "L", "A", "P")):
        """Drop a file that the explorer opens; its models have no part in the reply."""
        panel.navigate(OpenFile(str(tmp_path / "head.nii.gz")))
        answer("image", self.content(slices, orientation))

    def content(self, slices=5, orientation=("R", "L", "A", "P")):
        return {
            "name": "head.nii.gz",
            "kind": "nifti",
            "slices": slices,
            "orientation": orientation,
            "notes": ["Window of the file."],
            "stored": [512, 495],
        }

    @pytest.fixture
    def dropped(self, panel, session, answer, loaded, pictures, tmp_path):
        """Drop a file of which the first part of the reply came; return the request."""
        pictures()
        panel.navigate(OpenFile(str(tmp_path / "head.nii.gz")))
        request = session.explorer.engine.sent[-1]
        part = PartialResponse(number=request.number, panel="image", content=self.content())
        session.explorer.engine.say(part)
        return request

    def test_one_request_opens_and_reconstructs(self, panel, session, dropped, tmp_path, answer, qtbot):
        assert isinstance(dropped, OpenScan)
        assert dropped.runs == tuple(each.ref for each in panel.runs.compared())
        qtbot.waitUntil(lambda: panel.gallery._question is None)
        assert panel.scan.isVisible()
        answer("image", self.content() | {"reconstructed": make_reconstructed(tmp_path, dropped.runs, 1)})
        assert list(panel.board.shown().titles) == ["head.nii.gz · slice 3 of 5"]
        assert [made.run for made in panel.board.shown().made] == ["ae-0001", "vae-0001"]
        qtbot.waitUntil(lambda: not panel._soon.isActive() and not panel.gallery._soon.isActive())
        after = session.explorer.engine.sent[session.explorer.engine.sent.index(dropped) + 1 :]
        assert not any(isinstance(each, Reconstruct) for each in after)

    def test_both_parts_may_arrive_together(self, panel, session, dropped, tmp_path, answer, asked, qtbot):
        answer("image", self.content() | {"reconstructed": make_reconstructed(tmp_path, dropped.runs, 1)})
        assert list(panel.board.shown().titles) == ["head.nii.gz · slice 3 of 5"]
        assert [made.run for made in panel.board.shown().made] == ["ae-0001", "vae-0001"]
        qtbot.waitUntil(lambda: not panel._soon.isActive() and not panel.gallery._soon.isActive())
        assert asked(Reconstruct).scan is None

    def test_another_slice_is_requested_anew(self, panel, dropped, tmp_path, answer, asked):
        panel.scan.slider.setValue(3)
        request = asked(Reconstruct, dropped.number)
        assert (request.scan, request.slice) == (dropped.path, 3)
        before = panel.board.shown()
        answer("image", self.content() | {"reconstructed": make_reconstructed(tmp_path, dropped.runs, 1)})
        assert panel.board.shown() is before

    def test_model_that_fails_is_reported_in_place_of_the_images(self, panel, session, dropped, qtbot):
        qtbot.waitUntil(lambda: panel.gallery._question is None)
        failure = RequestFailed(number=dropped.number, panel="image", reason="The run ae-0001 has no model.")
        session.explorer.engine.say(failure)
        assert panel.board.empty.text() == "The run ae-0001 has no model."

    def test_scan_is_opened_and_its_middle_slice_shown(self, panel, session, answer, asked, pictures, tmp_path):
        self.opened(panel, session, answer, tmp_path)
        assert asked(OpenScan).path == str(tmp_path / "head.nii.gz")
        request = pictures()
        assert (request.scan, request.slice) == (str(tmp_path / "head.nii.gz"), 2)
        assert panel.scan.isVisible()
        assert "Image left = patient right (R) · image top = anterior (A)" in panel.scan._facts.text()
        assert "Window of the file." in panel.scan._facts.text()
        run = panel.runs.records()[0]
        fit = f"495 × 512 pixels, shown at {run.config.data.size} × {run.config.data.size} as {run.name} needs."
        assert fit in panel.scan._facts.text()
        assert panel.board.rows.view(0, 0).orientation == "RLAP"
        panel.volume.fill_menu()
        wanted = [f"{record.name} as NIfTI…" for record in panel.runs.records()]
        assert [action.text() for action in panel.volume.menu.actions()] == wanted
        assert panel.volume.isVisible()

    def test_preview_of_a_file_stands_under_its_name(self, panel, session, answer, monkeypatch, tmp_path):
        monkeypatch.setattr(session.selection, "preview", lambda image: np.zeros((8, 8), np.float32))
        self.opened(panel, session, answer, tmp_path)
        assert panel.board._subtitle.text().startswith("head.nii.gz")

    def test_slices_are_gone_through_and_the_newest_wins(self, panel, session, answer, asked, pictures, tmp_path):
        self.opened(panel, session, answer, tmp_path)
        number = pictures().number
        panel.scan.slider.setValue(3)
        number = pictures(after=number).number
        panel.board.forth.click()
        number = pictures(after=number).number
        assert asked(Reconstruct).slice == 4
        assert not panel.board.forth.isEnabled()
        panel.board.back.click()
        assert asked(Reconstruct, number).slice == 3
        assert panel.scan.slider.value() == 3

    def test_image_unlike_the_training_images_is_flagged(self, panel, session, answer, asked, pictures, tmp_path):
        self.opened(panel, session, answer, tmp_path)
        shown = pictures()
        request = asked(JudgeScan)
        assert (request.scan, request.slice) == (str(tmp_path / "head.nii.gz"), 2)
        first = request.runs[0]
        answer("compare-judge", {"notes": {first: "Unlike the training images."}, "flagged": [first]})
        assert panel.scan.judged.text() == f"{panel.runs.compared()[0].name}: Unlike the training images."
        panel.refresh()
        assert panel.scan.judged.text().endswith("Unlike the training images.")
        panel.scan.slider.setValue(3)
        pictures(after=shown.number)
        assert asked(JudgeScan, request.number).slice == 3
        assert panel.scan.judged.text() == ""

    def test_unknown_orientation_is_said(self, panel, session, answer, pictures, tmp_path):
        self.opened(panel, session, answer, tmp_path, slices=1, orientation=None)
        pictures()
        assert "Orientation unknown" in panel.scan._facts.text()
        assert not panel.scan.slider.isVisible()
        assert panel.volume.isVisible()  # a file of one slice is written back, too

    def test_back_to_the_dataset(self, panel, session, answer, asked, pictures, loaded, tmp_path):
        self.opened(panel, session, answer, tmp_path)
        number = pictures().number
        panel.scan.back.click()
        request = asked(Reconstruct, number)
        assert request.scan is None
        assert not panel.scan.isVisible()


def test_strange_preparation_and_strange_images_are_said(make_run):
    record = open_record(make_run("ae-0001").path)
    assert mismatch_warning(record, record.config.data) == []
    other = DataConfig(source="/somewhere/scans", size=64, fit="squash")
    sentences = mismatch_warning(record, other)
    assert "different dataset (Phantoms)" in sentences[0]
    assert "32 px, letterbox" in sentences[1]


def test_figure_has_rows_numbers_and_warnings_and_says_where_it_is(
    panel, loaded, pictures, answer, asked, tmp_path, qtbot
):
    pictures()
    panel.runs.notice.show_notice("ae-0001 was trained on a different dataset.")
    panel.ask_path = lambda *words: (str(tmp_path / "a.pdf"), "")
    panel.export()
    request = asked(ExportFigure)
    assert [(row.title, row.colors) for row in request.rows[:2]] == [("original", "gray"), ("ae-0001", "gray")]
    assert request.rows[3].colors == "signed"
    assert np.load(request.rows[1].images).mean() == pytest.approx(0.4)
    assert request.lines[-1] == "ae-0001 was trained on a different dataset."
    with qtbot.waitSignal(panel.file_saved) as saved:
        answer("compare-figure", {"path": request.path})
    assert saved.args == [request.path]
    assert not Path(request.rows[0].images).exists()


def test_figure_without_images_asks_nothing(panel):
    asked = []
    panel.ask_path = lambda *words: asked.append(words) or ("", "")
    panel.export()
    assert asked == []


def test_memory_puts_runs_and_view_back(panel, loaded, desk, qtbot):
    panel.view.set_values({"split": "train", "order": "best", "layout": "swipe", "columns": 8})
    panel.runs.choose(["vae-0001"])
    kept = panel.save_state()
    twin = ComparePanel(desk)
    qtbot.addWidget(twin)
    twin.restore_state(kept)
    assert twin.save_state() == kept
    twin.restore_state({"runs": 3, "view": []})


def test_script_names_runs_images_and_images(panel, loaded, pictures):
    pictures()
    script = panel.as_python()
    assert "engine.config.DataConfig(size=32)" in script
    assert "splits['test'].read([0, 1, 2, 3])" in script
    assert "ae-0001" in script
    compile(script, "script", "exec")


class TestMeasures:
    @pytest.fixture
    def leaky(self, panel, session, answer, data_content):
        """Scans of which the second and the last test scan are leaked."""
        session.load_data(DataConfig(size=32))
        answer("data", data_content | {"leaked": [1, 5]})
        panel.refresh()
        return session.data

    def told(self, asked, answer, psnr_db, after=0):
        request = asked(EvaluateRun, after)
        parts = {part: make_metrics(psnr_db - at) for at, part in enumerate(("test_clean", "test_leaked", "test"))}
        answer("compare-measure", {"run": request.run, "splits": parts})
        return request

    def test_clean_and_leaked_images_are_shown_apart(self, panel, leaky, asked):
        titles = [panel.view.split.itemText(at) for at in range(panel.view.split.count())]
        assert titles == ["training", "validation", "test", "leaked test", "deduplicated test"]
        first = asked(Reconstruct)
        assert (first.split, first.indices) == ("test", (0, 2, 3, 4))
        pick(panel.view.split, "test_leaked")
        assert asked(Reconstruct, first.number).indices == (1, 5)
        assert panel.gallery.title().startswith("2 leaked test images")

    def test_worst_of_the_clean_images_come_first(self, panel, leaky, pictures, asked, answer):
        first = pictures()
        pick(panel.view.order, "worst")
        assert asked(PerImageErrors).split == "test"
        answer("compare-rank", {"run": "a", "split": "test", "mse": [0.1, 0.9, 0.2, 0.3, 0.5, 0.8]})
        assert asked(Reconstruct, first.number).indices == (4, 3, 2, 0)

    def test_runs_and_the_linear_map_are_measured_one_after_the_other(self, panel, leaky, asked, answer, session):
        paths = [str(session.record(name).run.path) for name in ("vae-0001", "ae-0001")]
        assert panel.runs.table.text(0, PSNR) == "…"
        first = self.told(asked, answer, 20.34)
        second = self.told(asked, answer, 17.8, first.number)
        third = self.told(asked, answer, 18.5, second.number)
        assert [first.run, second.run, third.run] == [*paths, "pca:8"]
        panel.refresh()
        rows = [(panel.runs.table.text(row, 0), panel.runs.table.text(row, PSNR)) for row in range(2)]
        rows.append((panel.runs.lines.text(0, 0), panel.runs.lines.text(0, 1)))
        assert rows == [("vae-0001", "20.3"), ("ae-0001", "17.8"), ("PCA-8", "18.5")]
        assert panel.runs._note.text().endswith("Below the PCA baseline: ae-0001.")
        numbers = [sent for sent in session.explorer.engine.sent if isinstance(sent, EvaluateRun)]
        panel.refresh()
        assert [sent for sent in session.explorer.engine.sent if isinstance(sent, EvaluateRun)] == numbers

    def test_linear_map_is_a_row_of_images(self, panel, leaky, pictures, asked, session):
        first = pictures()
        panel.runs.choose(["ae-0001", "pca:8"])
        request = pictures(after=first.number)
        assert request.runs == (str(session.record("ae-0001").run.path), "pca:8")
        assert [row.title for row in grid_rows(panel.board._shown)][1:3] == ["ae-0001", "PCA-8"]
        script = panel.as_python()
        assert "for components in [8]:" in script
        compile(script, "script", "exec")

    def test_linear_map_stays_ticked_until_the_next_session(self, panel, leaky, desk, qtbot):
        panel.runs.choose(["ae-0001", "pca:8"])
        kept = panel.save_state()
        assert kept["yardsticks"] == ["pca:8"]
        twin = ComparePanel(desk)
        qtbot.addWidget(twin)
        twin.restore_state(kept)
        assert [each.name for each in twin.runs.compared()] == ["ae-0001", "PCA-8"]

    def test_refused_measure_is_a_dash_and_says_why(self, panel, leaky, asked, session):
        number = asked(EvaluateRun).number
        refused = RequestFailed(reason="The model cannot be read.", number=number, panel="compare-measure")
        session.explorer.engine.say(refused)
        panel.refresh()
        assert panel.runs.table.text(0, PSNR) == "—"
        assert asked(EvaluateRun, number).run == str(session.record("ae-0001").run.path)
        index = panel.runs.table.model().index(0, 0)
        assert "The model cannot be read." in index.data(Qt.ItemDataRole.ToolTipRole)

    def test_run_in_training_is_measured_when_it_has_ended(self, panel, leaky, session, asked):
        record = session.record("vae-0001")
        record.busy = True
        session.explorer.engine.sent.clear()
        panel.runs.measures._requested = None
        panel.refresh()
        assert not panel.runs.measures.is_pending(panel.runs.compared()[1])
        assert panel.runs.table.text(0, PSNR) == "—"

    def test_images_without_a_test_set_are_not_measured(self, panel, session, answer, data_content):
        nothing = {"rows": [], "labels": [], "names": []}
        session.load_data(DataConfig(size=32))
        answer("data", data_content | {"splits": data_content["splits"] | {"test": nothing}})
        panel.refresh()
        assert "no test images" in panel.runs._note.text()
        assert not any(isinstance(sent, EvaluateRun) for sent in session.explorer.engine.sent)


class TestNumbersSheet:
    @pytest.fixture
    def sheet(self, panel, session, answer, data_content, qtbot):
        session.load_data(DataConfig(size=32))
        answer("data", data_content | {"leaked": [1, 5]})
        panel.refresh()
        panel.runs.numbers.click()
        found = panel.window().findChild(MetricsDialog)
        yield found
        found.accept()

    def test_fills_while_numbers_are_found(self, sheet, asked, answer):
        assert "2 of the 6 test images are exact copies of a training or validation image" in sheet.leakage.text()
        waiting = [(sheet.table.text(row, 0), sheet.table.text(row, 1)) for row in range(4)]
        assert waiting == [(name, "measuring…") for name in ("ae-0001", "vae-0001", "PCA-8", "mean image")]
        newest = 0
        for _ in range(4):
            newest = TestMeasures().told(asked, answer, 20.34, newest).number
        cells = [sheet.table.text(2, column) for column in range(7)]
        assert cells == ["ae-0001", "deduplicated", "4", "20.3", "1.0", "2.0", "3"]
        assert sheet.table.model().rowCount() == 12

    def test_names_of_models_keep_their_room_beside_all_numbers(self, sheet):
        header = sheet.table.horizontalHeader()
        assert header.sectionResizeMode(0) == QHeaderView.ResizeMode.ResizeToContents

    def test_is_copied_and_written_in_full(self, sheet, asked, answer, tmp_path, qapp):
        TestMeasures().told(asked, answer, 20.345678)
        path = tmp_path / "numbers.csv"
        sheet.ask_path = lambda *words: (str(path), "")
        sheet.export.click()
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines[0] == f"# {DISCLAIMER}"
        assert "20.345678" in lines[2]
        assert ",,\n" in path.read_text(encoding="utf-8")
        sheet.copy.click()
        assert qapp.clipboard().text().splitlines()[0].split("\t")[:3] == ["of", "on", "n"]

    def test_place_that_cannot_be_written_is_a_sentence(self, sheet, tmp_path):
        sheet.ask_path = lambda *words: (str(tmp_path / "nowhere" / "numbers.csv"), "")
        sheet.export.click()
        assert "Could not write" in sheet.notice.text()
