"""The Denoise panel: what is asked and when, images, numbers, the lesion, warnings, exports, scans from files."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QUndoStack
from PySide6.QtTest import QTest

from engine import noise
from engine.config import DataConfig
from engine.formatting import format_command
from engine.lesions import Retention
from engine.messages import (
    ApplyFilter,
    Denoise,
    DenoiseCurve,
    DenoiseDraft,
    DenoiseIntervals,
    ExportDenoised,
    ExportVolume,
    NoiseLevelErrors,
    RequestFailed,
)
from gui.lesion_regions import BOXES, mask_of
from gui.loaded_data import scan_title
from gui.panel import DISCLAIMER, LEFT_PX, OpenFile, ReportImage
from gui.panels.denoise import DenoisePanel
from gui.panels.denoise.break_even_card import BreakEvenCard
from gui.panels.denoise.case import Noise
from gui.panels.denoise.case_card import CaseCard
from gui.panels.denoise.methods_card import numbers
from gui.panels.denoise.picture_area import layout_rows
from gui.panels.denoise.results_data import NOISY, DenoisedImage, ErrorCurve, describe_harm, help_text
from gui.pixmaps import Colormap
from gui.selection import ImageRef
from gui.widgets.region.region import Region

SIDE = 32
FILTERED = {"mse": 0.002, "psnr_db": 27.5, "ssim": 0.8}
LESION = Region("ellipse", ((0.25, 0.25), (0.5, 0.5)))


def head():
    """A clean image with a bright lesion where LESION is."""
    image = np.full((SIDE, SIDE), 0.3, np.float32)
    image[mask_of(LESION, (SIDE, SIDE))] = 0.7
    return image


@pytest.fixture
def panel(qtbot, desk, session, make_run):
    for name in ("ae-0001", "vae-0001"):
        make_run(name, model=name.split("-")[0])
    session.open(session.runs.root)
    made = DenoisePanel(desk)
    qtbot.addWidget(made)
    made.resize(1300, 820)
    made.show()
    made.restore_state({"methods": ["ae-0001"]})
    return made


def test_run_that_learned_to_denoise_is_chosen_first(qtbot, desk, session, make_run):
    make_run("denoiser", noise="gaussian")
    make_run("vae-0001", model="vae")
    session.open(session.runs.root)
    panel = DenoisePanel(desk)
    qtbot.addWidget(panel)
    panel.show()
    panel.restore_state({})
    assert panel.methods.ticked() == [str(session.record("denoiser").run.path)]


@pytest.fixture
def write(tmp_path):
    count = iter(range(1000))

    def write(image):
        path = tmp_path / "scratch" / f"picture-{next(count)}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, image)
        return str(path)

    return write


@pytest.fixture
def questions(session):
    """What has been asked about images: "draft" or "full", and the level."""

    def told():
        kinds = {DenoiseDraft: "draft", Denoise: "full"}
        return [(kinds[type(sent)], sent.sigma) for sent in session.explorer.engine.sent if type(sent) in kinds]

    return told


@pytest.fixture
def awaited(session):
    """The question about images that has no answer yet, or None."""

    def find():
        questions = session.explorer
        if questions.engine is None or not questions.pending_kinds() & {Denoise, DenoiseDraft}:
            return None
        return [sent for sent in questions.engine.sent if getattr(sent, "panel", "") == "denoise"][-1]

    return find


@pytest.fixture
def draft(awaited, answer, write):
    """Answer the draft that is waited for: a run keeps `kept` of everything."""

    def reply(kept=0.6, exact=False):
        found = {"denoised": write(kept * head()), "exact": exact}
        answer("denoise", {"runs": {path: found for path in awaited().runs}})

    return reply


@pytest.fixture
def pictures(qtbot, awaited, answer, write, draft):
    """Answer the Denoise that comes, and the draft before it: a run keeps `kept` of the lesion's contrast."""

    def reply(kept=0.4, psnr_db=24.0):
        qtbot.waitUntil(lambda: awaited() is not None)
        if isinstance(awaited(), DenoiseDraft):
            draft()
        qtbot.waitUntil(lambda: isinstance(awaited(), Denoise))
        request = awaited()
        clean = head()
        noisy = noise.add_noise(clean[None, ..., None], request.noise, request.sigma, request.seed)[0, ..., 0]
        made = (0.3 + kept * (clean - 0.3)).astype(np.float32)
        files = {"original": write(clean), "noisy": write(noisy)}
        found = {**files, "denoised": write(made), "mse": 0.004, "psnr_db": psnr_db, "ssim": 0.7}
        content = {"name": "a", **files, "mse": 0.01, "psnr_db": 20.0, "ssim": 0.4}
        answer("denoise", {**content, "runs": {path: found for path in request.runs}})
        return request

    return reply


@pytest.fixture
def seen(panel, loaded, pictures):
    """A panel with its first images."""
    pictures()
    return panel


def path_of(session, name):
    return str(session.record(name).run.path)


def cells(panel, title):
    """The texts of a row of the table."""
    table = panel.methods.table
    rows = [[table.text(row, column) for column in range(4)] for row in range(table.model().rowCount())]
    return next(row for row in rows if row[0] == title)


def slide(panel, value):
    panel.case.noise.sigma.set_value(value)


class TestAsking:
    def test_first_image_is_requested_through_the_ticked_run(self, panel, loaded, asked, session):
        request = asked(Denoise)
        assert request.runs == (path_of(session, "ae-0001"),)
        assert (request.split, request.indices, request.noise, request.sigma) == ("test", (0,), "gaussian", 0.1)

    def test_one_draft_at_a_time_then_the_newest_and_in_the_end_the_full_answer(
        self, seen, questions, draft, pictures, qtbot
    ):
        for value in (0.11, 0.12, 0.13):
            slide(seen, value)
        assert questions() == [("full", 0.1), ("draft", 0.11)]
        draft()
        assert questions()[2:] == [("draft", 0.13)]
        assert seen.experiment.shown[1].sigma == 0.11
        draft()
        assert not seen.experiment.is_current()
        qtbot.waitUntil(lambda: questions()[3:] == [("full", 0.13)])
        pictures()
        assert questions()[4:] == []
        assert seen.experiment.is_current()

    def test_full_answer_waits_until_the_newest_draft_is_there(self, seen, questions, draft, qtbot):
        slide(seen, 0.11)
        with qtbot.waitSignal(seen.experiment._pause.timeout):
            slide(seen, 0.12)
        assert questions()[1:] == [("draft", 0.11)]
        draft()
        assert questions()[2:] == [("draft", 0.12)]
        draft()
        assert questions()[3:] == [("full", 0.12)]

    def test_level_that_moves_on_during_the_full_answer_is_drafted_next(self, seen, questions, draft, pictures, qtbot):
        slide(seen, 0.11)
        draft()
        qtbot.waitUntil(lambda: questions()[2:] == [("full", 0.11)])
        slide(seen, 0.12)
        assert questions()[3:] == []
        pictures()
        assert questions()[3:] == [("draft", 0.12)]

    def test_full_answer_is_not_requested_while_the_slider_may_still_move(self, seen, questions, draft, qtbot):
        seen.experiment._pause.setInterval(3_600_000)
        slide(seen, 0.11)
        draft()
        assert questions()[1:] == [("draft", 0.11)]
        seen.experiment._pause.start(0)
        qtbot.waitUntil(lambda: questions()[2:] == [("full", 0.11)])

    def test_another_image_or_another_run_has_no_draft(self, seen, session, questions, draft, pictures):
        slide(seen, 0.11)
        seen.case.images.step(1)
        slide(seen, 0.1)
        draft()
        assert questions()[2:] == [("full", 0.1)]
        pictures()
        seen.methods.set_checked([path_of(session, "vae-0001")])
        assert questions()[3:] == [("full", 0.1)]
        pictures()

    def test_late_reply_of_another_image_is_not_shown(self, seen, questions, draft):
        slide(seen, 0.11)
        before = seen.experiment.shown
        seen.case.images.step(1)
        draft()
        assert seen.experiment.shown == before
        assert questions()[2:] == [("full", 0.11)]

    def test_without_a_run_nothing_is_drafted(self, seen, questions, pictures):
        seen.methods.set_checked([])
        pictures()
        slide(seen, 0.2)
        assert questions()[-1] == ("full", 0.2)

    def test_refused_draft_is_a_sentence_and_the_next_level_is_requested_in_full(self, seen, session, questions):
        slide(seen, 0.11)
        number = session.explorer.engine.sent[-1].number
        session.explorer.engine.say(RequestFailed(number=number, panel="denoise", reason="The run is gone."))
        assert seen.stage.pictures.empty.text() == "The run is gone."
        slide(seen, 0.12)
        assert questions()[-1] == ("full", 0.12)

    def test_noisy_image_follows_the_slider_before_any_answer(self, seen):
        slide(seen, 0.2)
        wanted = noise.add_noise(head()[None, ..., None], "gaussian", 0.2, 0)[0, ..., 0]
        assert np.array_equal(seen.stage.pictures.board.view("noisy").values, wanted)

    def test_classical_methods_follow_one_by_one_when_the_slider_rests(self, seen, asked, answer, write):
        first = asked(ApplyFilter)
        assert (first.method, first.sigma, first.components) == ("gaussian", 0.1, 8)
        assert cells(seen, "Gaussian")[1] == "…"
        answer("denoise-filter", {"method": "gaussian", "denoised": write(head()), **FILTERED})
        assert asked(ApplyFilter, first.number).method == "median"
        QTest.qWait(80)
        assert cells(seen, "Gaussian")[1:3] == ["27.5", "0.80"]
        assert cells(seen, "Median")[1] == "…"

    def test_what_belongs_to_another_level_is_forgotten(self, seen, asked, answer, write, pictures):
        asked(ApplyFilter)
        answer("denoise-filter", {"method": "gaussian", "denoised": write(head()), **FILTERED})
        before = asked(ApplyFilter).number
        slide(seen, 0.2)
        assert "gaussian" not in seen.experiment.made
        pictures()
        again = asked(ApplyFilter, before)
        assert (again.method, again.sigma) == ("gaussian", 0.2)

    def test_method_that_cannot_be_used_is_passed_over(self, seen, asked, session):
        first = asked(ApplyFilter)
        refused = RequestFailed(number=first.number, panel="denoise-filter", reason="It is not installed.")
        session.explorer.engine.say(refused)
        assert asked(ApplyFilter, first.number).method == "median"
        assert "gaussian" not in seen.experiment.pending_methods()

    def test_curve_is_requested_once_for_an_image_and_its_noise(self, seen, asked, session, pictures, qtbot):
        request = asked(DenoiseCurve)
        assert request.sigmas[0] == 0.0
        assert request.sigmas[-1] == 0.3
        slide(seen, 0.2)
        pictures()
        qtbot.waitUntil(seen.experiment.is_current)
        QTest.qWait(350)
        assert asked(DenoiseCurve).number == request.number
        seen.case.noise.seed.setValue(4)
        pictures()
        assert asked(DenoiseCurve, request.number).seed == 4

    def test_refused_images_are_a_sentence(self, panel, loaded, asked, session):
        request = asked(Denoise)
        session.explorer.engine.say(RequestFailed(number=request.number, panel="denoise", reason="The run is gone."))
        assert panel.stage.pictures.empty.text() == "The run is gone."
        assert panel.stage.pictures.picture() is None

    def test_without_images_it_says_what_to_do(self, panel):
        assert "No dataset loaded" in panel.stage.pictures.empty.text()


class TestDrafts:
    """What a draft shows is marked as one, and no number or warning of it stays."""

    def test_its_image_and_difference_are_shown_and_called_a_draft(self, seen, session, draft):
        slide(seen, 0.2)
        draft()
        board, run = seen.stage.pictures.board, path_of(session, "ae-0001")
        assert np.array_equal(board.view(run).values, np.float32(0.6 * head()))
        assert board.view(f"{run} −").values == pytest.approx(-0.4 * head(), abs=1e-6)
        assert board.view(run).accessibleName().startswith("ae-0001 preview · ")
        made = seen.experiment.made[run]
        assert np.array_equal(made.noisy, noise.add_noise(head()[None, ..., None], "gaussian", 0.2, 0)[0, ..., 0])

    def test_image_that_is_exact_only_waits_for_its_numbers(self, seen, session, draft, qtbot):
        slide(seen, 0.2)
        draft(exact=True)
        view = seen.stage.pictures.board.view(path_of(session, "ae-0001"))
        assert view.accessibleName().endswith(" dB · …")
        qtbot.waitUntil(lambda: cells(seen, "ae-0001")[2:] == ["…", "…"])
        assert not cells(seen, "ae-0001")[1].startswith("≈")

    def test_numbers_are_marked_and_warnings_stay_those_of_the_full_answer(self, seen, draft, pictures, qtbot):
        seen.regions.change(LESION, "drawing")
        qtbot.waitUntil(lambda: cells(seen, "ae-0001")[3].startswith("▼ 40"))
        said = seen.stage.help.notices[0].text()
        slide(seen, 0.2)
        draft()
        qtbot.waitUntil(lambda: cells(seen, "ae-0001")[2:] == ["…", "…"])
        assert cells(seen, "ae-0001")[1].startswith("≈ ")
        assert cells(seen, "Noisy input")[2:] == ["…", "…"]
        assert seen.stage.help.notices[0].text() == said
        assert seen.stage.help.refining.text().startswith("Preview. Warnings refer to σ = 0.100")
        pictures(kept=0.97)
        qtbot.waitUntil(lambda: cells(seen, "ae-0001")[1:] == ["24.0", "0.70", "97 ± 0"])
        assert seen.stage.help.notices[0].isHidden()
        assert seen.stage.help.refining.text() == ""

    def test_nothing_is_exported_of_drafts(self, seen, draft, pictures, tmp_path, session):
        exporter, run = seen.exporter, seen.methods.ticked()[0]
        exports = seen.export, exporter.write_numbers, lambda: exporter.write_result(run, "8-bit")
        exporter.ask_path = lambda *words: (str(tmp_path / f"out{Path(words[2]).suffix}"), "")
        slide(seen, 0.2)
        for export in exports:
            export()
            assert seen.stage.notice.text().startswith("Results are still being computed.")
        draft()
        for export in exports:
            export()
        assert list(tmp_path.glob("out.*")) == []
        assert not any(isinstance(each, ExportDenoised) for each in session.explorer.engine.sent)
        pictures()
        for export in exports:
            export()
        assert sorted(path.name for path in tmp_path.glob("out.*")) == ["out.csv", "out.png"]
        assert session.explorer.engine.sent[-1].path == str(tmp_path / "out.pdf")
        assert seen.stage.notice.text() == ""

    def test_keys_on_the_slider_end_with_the_full_answer(self, seen, questions, draft, pictures):
        QTest.keyClick(seen.case.noise.sigma.slider, Qt.Key.Key_Right)
        level = seen.case.noise.value().sigma
        assert questions()[1:] == [("draft", level)]
        pictures()
        assert questions()[2:] == [("full", level)]
        assert seen.experiment.is_current()


class TestPictures:
    def test_one_method_stands_in_one_row_with_its_difference(self, seen, session):
        run = path_of(session, "ae-0001")
        board = seen.stage.pictures.board
        assert board.shown() == ["original", "noisy", run, f"{run} −"]
        assert board.view(f"{run} −").scale is Colormap.SIGNED
        assert board.view(f"{run} −").values == pytest.approx(0.4 * (head() - 0.3) - (head() - 0.3), abs=1e-6)

    def test_several_methods_stand_over_their_differences(self, seen, session, pictures):
        runs = [path_of(session, name) for name in ("ae-0001", "vae-0001")]
        seen.methods.set_checked(runs)
        request = pictures()
        assert list(request.runs) == runs
        differences = [f"{key} −" for key in ("noisy", *runs)]
        assert seen.stage.pictures.board.shown() == ["original", "noisy", *runs, *differences]

    def test_all_images_share_one_light(self, seen):
        board = seen.stage.pictures.board
        assert {board.view(key).state for key in board.shown()} == {seen.state}

    def test_holding_f_shows_the_original_in_every_place(self, seen, session):
        board, run = seen.stage.pictures.board, path_of(session, "ae-0001")
        view = board.view(run)
        view.setFocus()
        QTest.keyPress(view, Qt.Key.Key_F)
        assert np.array_equal(board.view(run).values, head())
        QTest.keyRelease(view, Qt.Key.Key_F)
        assert not np.array_equal(board.view(run).values, head())

    def test_double_click_swipes_between_the_original_and_a_method_and_back(self, seen, session):
        pictures = seen.stage.pictures
        pictures.board.maximized.emit(path_of(session, "ae-0001"))
        assert pictures.picture() is pictures.swipe
        assert (pictures.swipe.left.currentText(), pictures.swipe.right.currentText()) == ("Original", "ae-0001")
        pictures.swipe.view.maximized.emit()
        assert pictures.picture() is pictures.board

    def test_pointing_tells_all_four_numbers(self, seen, session, qtbot):
        with qtbot.waitSignal(seen.status_changed) as told:
            seen.stage.pictures.board.hovered.emit(path_of(session, "ae-0001"), 12, 12)
        text = told.args[0]
        assert text.startswith("x 12 · y 12 · original 0.700 · noisy ")
        assert text.endswith("ae-0001 0.460 · difference −0.240")

    def test_classical_method_comes_and_goes_with_its_tick(self, seen, asked, answer, write):
        asked(ApplyFilter)
        answer("denoise-filter", {"method": "gaussian", "denoised": write(head()), **FILTERED})
        seen.methods.set_checked([*seen.methods.ticked(), "gaussian"])
        assert "gaussian" in seen.stage.pictures.board.shown()
        seen.methods.set_checked(["gaussian"])
        assert seen.stage.pictures.board.shown() == ["original", "noisy", "gaussian", "gaussian −"]
        seen.methods.set_checked([])
        assert seen.stage.pictures.board.shown() == ["original", "noisy", "noisy −"]

    def test_more_than_four_methods_are_not_ticked(self, seen):
        seen.methods.set_checked(["gaussian", "median", "nlm", "tv", "wavelet"])
        assert len(seen.methods.ticked()) == 4


class TestLesion:
    def test_table_tells_what_is_kept_and_the_warning_how_much_is_removed(self, seen, qtbot):
        seen.regions.change(LESION, "drawing")
        qtbot.waitUntil(lambda: cells(seen, "ae-0001")[3].startswith("▼ 40"))
        notice = seen.stage.help.notices[0]
        wanted = "ae-0001 removes 60% of this lesion's contrast. Do not interpret pathology in this image."
        assert notice.text() == wanted
        assert notice.isVisible()

    @pytest.mark.parametrize(("noisy_db", "roles"), [(20.0, {1: "accent"}), (None, {})])
    def test_no_method_is_best_when_the_input_has_no_noise(self, panel, noisy_db, roles):
        image = np.zeros((8, 8), np.float32)
        made = {
            key: DenoisedImage(key, key, image, image, image, psnr_db, 1.0)
            for key, psnr_db in ((NOISY, noisy_db), ("median", 103.5))
        }
        panel.methods.show_numbers(made, (), {}, 0.8)
        assert {row.key: row.roles for row in panel.methods._rows}["median"] == roles

    def test_share_to_warn_under_is_a_setting_and_is_remembered(self, seen, qtbot):
        seen.regions.change(LESION, "drawing")
        qtbot.waitUntil(lambda: cells(seen, "ae-0001")[3].startswith("▼"))
        seen.lesion.share.setValue(30)
        assert cells(seen, "ae-0001")[3].startswith("40")
        assert seen.stage.help.notices[0].isHidden()
        assert seen.save_state()["warn_below"] == 30

    def test_model_that_keeps_the_lesion_is_not_accused(self, panel, loaded, pictures, qtbot):
        pictures(kept=0.97)
        panel.regions.change(LESION, "drawing")
        qtbot.waitUntil(lambda: cells(panel, "ae-0001")[3].startswith("97"))
        assert panel.stage.help.notices[0].isHidden()

    def test_drawing_can_be_undone_from_the_program(self, seen, desk, qtbot):
        seen.regions.change(LESION, "drawing")
        desk.undo.undo()
        assert seen.regions.region is None
        assert "No lesion marked" in seen.lesion.text.text()
        desk.undo.redo()
        assert (
            seen.lesion.text.text()
            == f"Drawn lesion · {mask_of(LESION, (SIDE, SIDE)).sum()} pixels · background ring 4 px wide"
        )

    def test_every_image_has_its_own_lesion_and_undo_does_not_mix_them(self, seen, desk):
        seen.regions.change(LESION, "drawing")
        seen.case.images.step(1)
        assert seen.regions.region is None
        desk.undo.undo()
        assert seen.regions.region is None
        seen.case.images.step(-1)
        assert seen.regions.region == LESION

    def test_region_that_is_too_small_is_a_sentence(self, seen, qtbot):
        seen.regions.change(Region("ellipse", ((0.5, 0.5), (0.51, 0.51))), "drawing")
        qtbot.waitUntil(lambda: "region" in seen.stage.help.notices[0].text().lower())
        assert seen.lesion.text.text() == seen.stage.help.notices[0].text()

    def test_buttons_begin_and_end_drawing(self, seen):
        seen.lesion.buttons.ellipse.click()
        assert seen.regions.mode == "ellipse"
        assert "Drag across the lesion" in seen.lesion.text.text()
        seen.lesion.buttons.polygon.click()
        assert (seen.regions.mode, seen.lesion.buttons.ellipse.isChecked()) == ("polygon", False)
        seen.lesion.buttons.polygon.click()
        assert seen.regions.mode == ""

    def test_known_lesions_are_offered_and_images_with_one_can_be_picked(
        self, panel, session, answer, data_content, tmp_path, pictures, qtbot
    ):
        rows = ["split,file,x_center,y_center,width,height", "test,20.png,0.5,0.25,0.5,0.25"]
        (tmp_path / BOXES).write_text("\n".join(rows), encoding="utf-8")
        session.load_data(DataConfig(size=32, source=str(tmp_path), fit="squash"))
        answer("data", data_content)
        qtbot.waitUntil(lambda: panel.case.images.case.count() > 0)
        panel.case.images.known.setChecked(True)
        images = panel.case.images
        assert [images.case.itemText(at) for at in range(images.case.count())] == ["test / 20"]
        assert panel.regions.region == Region("ellipse", ((0.25, 0.125), (0.75, 0.375)))
        panel.lesion.buttons.remove.click()
        panel.lesion.buttons.known.click()
        assert panel.regions.region.box == (0.25, 0.125, 0.75, 0.375)
        assert panel.lesion.buttons.known.isVisible()


def curve_arrives(asked, answer, session):
    """Let the explorer tell a run whose error is 0.06 whatever the noise; its path."""
    request, run = asked(DenoiseCurve), path_of(session, "ae-0001")
    noisy = [sigma**2 for sigma in request.sigmas]
    errors = {"mse": [0.0036] * len(noisy), "noisy_mse": noisy}
    answer("denoise-curve", {"sigmas": list(request.sigmas), "noisy_mse": noisy, "runs": {run: errors}})
    return run


class TestHelp:
    def test_curve_is_drawn_with_the_point_where_it_breaks_even(self, seen, asked, answer, session):
        run = curve_arrives(asked, answer, session)
        plot = seen.stage.help.plot
        assert plot.items[run].series.best == pytest.approx(0.06)
        assert seen.stage.help.text.text() == (
            "★ ae-0001: break-even at noise level 0.060. Below it, the noisy input has the higher PSNR."
        )

    def test_it_says_that_one_image_is_one_image_and_names_the_command_for_many(self, seen):
        words = seen.stage.help.scope.text()
        assert "is for one image" in words
        assert format_command("denoise-curve", "RUN", "--data", "SOURCE") in words

    def test_model_that_is_worse_than_no_denoising_is_named(self, panel, loaded, pictures, qtbot):
        pictures(kept=1.0, psnr_db=15.0)
        qtbot.waitUntil(lambda: not panel.stage.help.notices[0].isHidden())
        assert (
            panel.stage.help.notices[0]
            .text()
            .startswith("At σ = 0.100, ae-0001 has a lower PSNR than the noisy input on this image: 15.0")
        )

    def test_words_for_every_case(self):
        sigmas, noisy = (0.0, 0.1, 0.2), [0.0, 0.01, 0.04]

        def curve(mse):
            return ErrorCurve(sigmas, noisy, {"r": NoiseLevelErrors(mse=mse, noisy_mse=noisy)})

        image = np.zeros((8, 8), np.float32)
        made = DenoisedImage("r", "ae", image, image + np.float32(0.1), image, 15.0, 0.5)
        assert help_text("ae", "r", curve([0, 0.001, 0.001])) == (
            "ae: PSNR never below the noisy input at the levels tested (this image; says nothing about lesions)"
        )
        assert "at every level tested (up to 0.2)" in help_text("ae", "r", curve([0.1, 0.1, 0.1]))
        assert describe_harm(made, Noise(), curve([0.0225] * 3)).endswith(
            "Below a noise level of 0.150 it is worse than no denoising on this image. "
            "Above it, check the lesion contrast too."
        )
        assert describe_harm(made, Noise(), curve([0.1] * 3)).endswith(
            "never beats the noisy input at the levels tested (up to 0.2)."
        )
        clean = DenoisedImage("r", "ae", image, image, image, 15.0, 0.5)
        assert describe_harm(clean, Noise(sigma=0.0), None).startswith(
            "No noise was added, so ae can only degrade the image"
        )

    def test_slider_is_marked_on_the_curve_once_there_is_one(self, seen, pictures, asked, answer, session):
        slide(seen, 0.2)
        pictures()
        mark = seen.stage.help.plot.canvas._place
        assert not mark.isVisible()
        curve_arrives(asked, answer, session)
        assert mark.isVisible()
        assert mark.value() == pytest.approx(0.2)


class TestNoise:
    def test_level_is_written_in_intensities_too(self, panel):
        slide(panel, 0.12)
        assert panel.case.noise.grays.text() == "σ = 30.6/255"

    def test_double_click_brings_the_default_back(self, panel):
        slide(panel, 0.2)
        QTest.mouseDClick(panel.case.noise.sigma.slider, Qt.MouseButton.LeftButton)
        assert panel.case.noise.value().sigma == 0.1

    def test_a_drag_is_undone_as_one_and_the_next_by_itself(self, panel, desk):
        picker = panel.case.noise
        for values in ((0.12, 0.15, 0.2), (0.25, 0.28)):
            for value in values:
                slide(panel, value)
            picker.sigma.slider.sliderReleased.emit()
        picker.seed.setValue(7)
        assert desk.undo.count() == 3
        seen = []
        for _ in range(3):
            desk.undo.undo()
            seen.append((picker.value().sigma, picker.value().seed))
        assert seen == [(0.28, 0), (0.2, 0), (0.1, 0)]
        desk.undo.redo()
        assert picker.value().sigma == 0.2
        assert picker.grays.text() == "σ = 51.0/255"

    def test_undone_noise_is_requested_again(self, seen, desk, questions, pictures):
        slide(seen, 0.2)
        pictures()
        desk.undo.undo()
        assert questions()[-1] == ("draft", 0.1)

    def test_what_is_remembered_is_no_step_to_undo(self, panel, desk):
        panel.case.noise.set_value({"kind": "rician", "sigma": 0.05, "seed": 3})
        assert desk.undo.count() == 0

    def test_every_kind_of_the_engine_is_offered(self, panel):
        kind = panel.case.noise.kind
        assert {kind.itemData(at) for at in range(kind.count())} == {*noise.KINDS, "none"}

    def test_salt_and_pepper_has_a_share_of_pixels(self, panel):
        panel.case.noise.set_value({"kind": "salt-and-pepper", "sigma": 0.05})
        assert panel.case.noise.sigma.label.text() == "Fraction"
        assert panel.case.noise.grays.text() == "5.0% of pixels"


class TestScan:
    CONTENT: ClassVar = {
        "name": "head.nii",
        "kind": "nifti",
        "slices": 5,
        "orientation": ["R", "L", "A", "P"],
        "notes": ["Note."],
    }

    def opened(self, panel, answer, write, **changes):
        panel.navigate(OpenFile("/scans/head.nii"))
        answer("image", {**self.CONTENT, **changes})

    def test_scan_takes_the_place_of_the_dataset_at_its_middle_slice(self, seen, answer, write, asked, pictures):
        self.opened(seen, answer, write)
        request = pictures()
        assert (request.scan, request.slice) == ("/scans/head.nii", 2)
        assert seen.stage.pictures.board.view("noisy").orientation == "RLAP"
        assert "NIfTI. Image left = patient right (R)" in seen.case.scan.facts.text()
        assert not seen.case.images.isVisible()
        assert seen.volume.isVisible()
        seen.volume.ask_path = lambda *_: ("/out/head.nii", "")
        seen.volume.fill_menu()
        seen.volume.menu.actions()[0].trigger()
        order = asked(ExportVolume)
        assert (order.scan, order.sigma, order.seed) == ("/scans/head.nii", request.sigma, request.seed)
        assert order.run in request.runs

    def test_slices_are_gone_through_and_the_dataset_comes_back(self, seen, answer, write, asked, pictures):
        before = asked(Denoise).number
        self.opened(seen, answer, write)
        pictures()
        seen.case.scan.slider.setValue(4)
        assert asked(Denoise, before + 1).slice == 4
        pictures()
        seen.case.scan.back.click()
        assert seen.case.images.isVisible()
        assert asked(Denoise).scan is None

    def test_file_is_prepared_at_the_largest_size_of_the_ticked_runs(self, seen, answer, write, pictures, make_run):
        make_run("ae-64", size=64)
        seen.session.runs.refresh()
        self.opened(seen, answer, write, stored=[512, 495])
        assert pictures().data.size == SIDE
        seen.methods.set_checked([path_of(seen.session, name) for name in ("ae-0001", "ae-64")])
        seen.methods.changed.emit()
        assert pictures().data.size == 64
        assert "495 × 512 pixels, shown at 64 × 64 as ae-64 needs" in seen.case.scan.facts.text()
        # A PCA is fitted to the loaded images, which have another size.
        assert "pca" not in seen.experiment.wanted[2].filters


class TestNoisyImage:
    """An image that is noisy already: no noise is added, no error measured; what was removed is."""

    @pytest.fixture
    def noisy(self, panel, loaded, answer, write, awaited, qtbot):
        """A panel with a noisy image, its structure removed by a run, and the noise alone by a filter."""
        kind = panel.case.noise.kind
        kind.setCurrentIndex(kind.findData("none"))
        kind.activated.emit(kind.currentIndex())
        qtbot.waitUntil(lambda: isinstance(awaited(), Denoise) and awaited().sigma == 0)
        image = noise.add_noise(head()[None, ..., None], "gaussian", 0.05, 1)[0, ..., 0]
        files = {"original": write(image), "noisy": write(image)}
        errors = {"mse": 0.0, "psnr_db": None, "ssim": 1.0}
        made = {**files, "denoised": write(np.full_like(image, 0.3)), **errors}
        content = {"name": "a", **files, **errors, "runs": dict.fromkeys(awaited().runs, made)}
        answer("denoise", content)
        qtbot.waitUntil(lambda: panel.methods.table.text(1, 0) != "")
        return panel

    def test_there_is_no_reference_but_an_estimate_and_a_residual(self, noisy, session, qtbot):
        run = path_of(session, "ae-0001")
        assert list(noisy.results.shown()) == ["original", run]
        made = noisy.results.shown()[run]
        np.testing.assert_allclose(made.difference, made.original - made.image)
        assert (made.psnr_db, made.residual.verdict) == (None, "structure")
        qtbot.waitUntil(lambda: "removed" in " ".join(noisy.results.warnings()))
        assert "trained on noise-free images" in noisy.results.warnings()[0]
        text = noisy.stage.help.text.text()
        assert "Estimated noise at 32 × 32 px: σ = 0.0" in text
        assert "no noise-free reference" in text
        assert not noisy.stage.help.plot.isVisibleTo(noisy)
        assert not noisy.case.noise.seed.isVisibleTo(noisy)

    def test_what_each_of_two_methods_removed_is_shown(self, noisy):
        shown = list(noisy.results.shown().values())
        run = shown[-1]
        first, second = layout_rows([*shown, replace(run, key="other")])
        assert [picture.key for picture in first] == ["original", run.key, "other"]
        assert [picture and picture.key for picture in second] == [None, f"{run.key} −", "other −"]
        assert len(layout_rows(shown)) == 1

    def test_no_curve_is_computed_and_the_noise_can_come_back(self, noisy, pictures, session, asked):
        assert not any(isinstance(each, DenoiseCurve) for each in session.explorer.engine.sent)
        noisy.case.noise.set_value({"kind": "gaussian"})
        pictures()
        assert noisy.stage.help.plot.isVisibleTo(noisy)
        assert noisy.methods.table.model().rowCount() > 2
        assert list(noisy.results.shown())[:2] == ["original", "noisy"]


class TestIntervals:
    """The map of the 90% interval in place of the difference: offered, requested, replaced, refused."""

    @pytest.fixture
    def data_content(self, data_content):
        """Return a dataset with ten validation images."""
        rows = {"train": range(8), "validation": range(8, 18), "test": range(18, 24)}
        listed = {
            name: {"rows": list(at), "labels": [0] * len(at), "names": [f"{name}/{row}.png" for row in at]}
            for name, at in rows.items()
        }
        return data_content | {"splits": listed}

    @pytest.fixture
    def maps(self, asked, answer, write, qtbot):
        """Answer the request for intervals that comes: half the width is 0.02 times the number of the run."""

        def reply(after=0):
            request = asked(DenoiseIntervals, after)
            known = {"noise": request.noise, "sigma": request.sigma, "coverage": 0.9, "confidence": [0.88, 0.92]}
            answer(
                "denoise-intervals",
                {
                    "runs": {
                        run: {
                            "half_width": write(np.full((SIDE, SIDE), 0.02 * number, np.float32)),
                            "images": 10,
                            "sentence": f"It covers 90.0%, run {number}.",
                            **known,
                        }
                        for number, run in enumerate(request.runs, start=1)
                    }
                },
            )
            return request

        return reply

    def test_map_stands_in_place_of_the_difference_with_a_bar_and_a_sentence(self, seen, session, maps):
        run, pictures = path_of(session, "ae-0001"), seen.stage.pictures
        assert pictures.interval.isEnabled()
        assert not any(isinstance(sent, DenoiseIntervals) for sent in session.explorer.engine.sent)
        pictures.interval.click()
        assert pictures.board.shown() == ["original", "noisy", run]
        assert "Computing the 90% interval" in pictures.note.text()
        request = maps()
        assert (request.runs, request.noise, request.sigma, request.already_noisy) == ((run,), "gaussian", 0.1, False)
        assert pictures.board.shown() == ["original", "noisy", run, f"{run} ±"]
        assert pictures.board.view(f"{run} ±").scale is Colormap.HEAT
        assert pictures.bar.ends == pytest.approx((0, 0.02))
        assert pictures._legend_title.text() == "interval ±"
        assert pictures.note.text() == "It covers 90.0%, run 1."
        assert pictures.note.isVisibleTo(seen)
        pictures.interval.click()
        assert pictures.board.shown()[-1] == f"{run} −"
        assert pictures.bar.ends == (-seen.state.view.limit, seen.state.view.limit)
        assert not pictures.note.isVisibleTo(seen)

    def test_map_of_another_noise_level_is_requested_and_the_old_one_goes(self, seen, session, maps, pictures, draft):
        run, card = path_of(session, "ae-0001"), seen.stage.pictures
        card.interval.click()
        first = maps()
        slide(seen, 0.2)
        draft()
        assert f"{run} ±" not in card.board.shown()
        assert card.note.text().startswith("Computing")
        assert not seen.intervals._request.is_pending(), "the level of a draft may change further"
        pictures()
        assert maps(after=first.number).sigma == 0.2
        assert f"{run} ±" in card.board.shown()

    def test_each_run_has_its_map_and_a_filter_has_none(self, seen, session, maps, pictures):
        runs = [path_of(session, name) for name in ("ae-0001", "vae-0001")]
        card = seen.stage.pictures
        seen.methods.set_checked(runs)
        pictures()
        card.interval.click()
        maps()
        assert card.board.shown() == ["original", "noisy", *runs, *(f"{run} ±" for run in runs)]
        assert card.bar.ends == pytest.approx((0, 0.04))
        assert card.note.text() == "ae-0001: It covers 90.0%, run 1."
        assert "vae-0001: It covers 90.0%, run 2." in card.note.toolTip()

    def test_without_a_run_the_choice_is_disabled_with_the_reason(self, seen, maps):
        card = seen.stage.pictures
        card.interval.click()
        maps()
        seen.methods.set_checked(["gaussian"])
        assert not card.interval.isEnabled()
        assert not card.interval.isChecked()
        assert card.interval.toolTip() == "Select a run: a baseline filter has no calibrated interval."
        assert not card.note.isVisibleTo(seen)

    def test_failure_is_a_sentence_below_the_images(self, seen, session, asked):
        seen.stage.pictures.interval.click()
        request = asked(DenoiseIntervals)
        failure = RequestFailed(reason="There are too few.", number=request.number, panel=request.panel)
        session.explorer.engine.say(failure)
        assert seen.stage.pictures.note.text() == "There are too few."

    def test_pointing_at_the_map_tells_its_value(self, seen, session, maps, qtbot):
        seen.stage.pictures.interval.click()
        maps()
        with qtbot.waitSignal(seen.status_changed) as told:
            seen.stage.pictures.board.hovered.emit(f"{path_of(session, 'ae-0001')} ±", 12, 12)
        assert told.args[0].endswith("difference −0.240 · 90% interval ±0.020")

    def test_map_follows_the_zoom_of_the_images_and_they_its_own(self, seen, session, maps):
        seen.stage.pictures.interval.click()
        maps()
        heat = seen.stage.pictures.board.view(f"{path_of(session, 'ae-0001')} ±").state
        seen.state.update(zoom=4.0)
        assert heat.view.zoom == 4.0
        heat.update(zoom=2.0, window=0.01)
        assert (seen.state.view.zoom, seen.state.view.window) == (2.0, 1.0)

    def test_switching_off_cancels_the_computation(self, seen, session, asked):
        seen.stage.pictures.interval.click()
        asked(DenoiseIntervals)
        assert DenoiseIntervals in session.explorer.pending_kinds()
        seen.stage.pictures.interval.click()
        assert DenoiseIntervals not in session.explorer.pending_kinds()


def test_source_without_validation_images_has_no_intervals_and_says_why(seen):
    assert not seen.stage.pictures.interval.isEnabled()
    assert "at least 8 validation images" in seen.stage.pictures.interval.toolTip()


def test_report_on_the_image_takes_the_run_and_the_noise(seen, session):
    sent = []
    seen.navigation_requested.connect(lambda *where: sent.append(where))
    seen.methods.result.menu().aboutToShow.emit()
    seen.methods.result.menu().actions()[0].trigger()
    assert sent == [("report", ReportImage("ae-0001", "gaussian", 0.1))]


class TestExports:
    def test_numbers_are_written_in_full(self, seen, tmp_path, qtbot):
        seen.regions.change(LESION, "drawing")
        qtbot.waitUntil(lambda: len(seen.results.keeping.found) == 2)
        seen.exporter.ask_path = lambda *words: (str(tmp_path / "n.csv"), "")
        with qtbot.waitSignal(seen.file_saved) as saved:
            seen.exporter.write_numbers()
        assert saved.args == [str(tmp_path / "n.csv")]
        lines = (tmp_path / "n.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == f"# {DISCLAIMER}"
        assert "gaussian noise, σ = 0.100, seed 0" in lines[1]
        rows = list(csv.DictReader(lines[2:]))
        assert [row["method"] for row in rows] == ["Noisy input", "ae-0001"]
        assert float(rows[1]["kept"]) == pytest.approx(0.4, abs=1e-6)
        assert float(rows[1]["psnr_db"]) == 24.0

    def test_figure_has_warnings_lesion_and_numbers_and_says_where_it_is(self, seen, answer, asked, qtbot):
        seen.regions.change(LESION, "drawing")
        qtbot.waitUntil(lambda: len(seen.results.keeping.found) == 2)
        suggested = []
        seen.exporter.ask_path = lambda *words: suggested.append(Path(words[2]).name) or ("/out/f.pdf", "")
        seen.export()
        request = asked(ExportDenoised)
        assert suggested[0].endswith("-ae-0001-sigma-0.1.pdf")
        assert (request.path, request.sigma, request.region.kind) == ("/out/f.pdf", 0.1, "ellipse")
        assert "lesion 40% (" in request.notes[request.runs[0]]
        assert any("of this lesion" in line or "contrast" in line for line in request.lines)
        with qtbot.waitSignal(seen.file_saved) as saved:
            answer("denoise-figure", {"path": "/out/f.pdf"})
        assert saved.args == ["/out/f.pdf"]

    @pytest.mark.parametrize(("depth", "most"), [("8-bit", 255), ("16-bit", 65535)])
    def test_result_is_saved_as_a_plain_gray_image(self, seen, tmp_path, depth, most):
        run, file = seen.methods.ticked()[0], tmp_path / "result.png"
        seen.exporter.ask_path = lambda *words: (str(file), "")
        seen.exporter.write_result(run, depth)
        with Image.open(file) as image:
            assert image.text["Description"] == DISCLAIMER
            levels = np.asarray(image)
        np.testing.assert_array_equal(levels, np.rint(seen.results.shown()[run].image * most))

    def test_place_that_cannot_be_written_is_a_sentence(self, seen, tmp_path):
        seen.exporter.ask_path = lambda *words: (str(tmp_path / "no" / "f.png"), "")
        for export in (
            seen.exporter.write_numbers,
            lambda: seen.exporter.write_result(seen.methods.ticked()[0], "8-bit"),
        ):
            export()
            assert "Could not write" in seen.stage.notice.text()

    def test_script_makes_the_same_images(self, seen, session):
        seen.regions.change(LESION, "drawing")
        seen.methods.set_checked([path_of(session, "ae-0001"), "median"])
        text = seen.as_python()
        compile(text, "script", "exec")
        assert "noise.add_noise(originals, 'gaussian', 0.1, seed=0)" in text
        assert repr([path_of(session, "ae-0001")]) in text
        assert "lesions.ellipse((side, side), 0.25 * side" in text


def test_memory_puts_noise_methods_and_case_back(seen, desk, qtbot, loaded):
    seen.case.noise.set_value({"kind": "rician", "sigma": 0.2, "seed": 7})
    seen.methods.set_checked(["median"])
    seen.case.images.step(2)
    kept = seen.save_state()
    again = DenoisePanel(desk)
    qtbot.addWidget(again)
    again.restore_state(kept)
    assert again.save_state() == kept
    assert again.case.noise.value() == Noise("rician", 0.2, 7)


def test_case_of_the_last_session_is_found_when_the_images_come_later(panel, session, answer, data_content, qtbot):
    panel.restore_state({"part": "train", "case": "train / 3"})
    session.load_data(DataConfig(size=32))
    answer("data", data_content)
    qtbot.waitUntil(lambda: panel.case.images.case.currentText() == "train / 3")
    assert panel.experiment.wanted[0].split == "train"


def test_nonsense_in_the_memory_is_passed_over(seen):
    seen.restore_state({"noise": {"kind": 4, "sigma": "much"}, "methods": 3, "rim": "wide", "part": None, "case": 2})
    assert seen.case.noise.value().kind == "gaussian"


def test_names_are_short():
    assert scan_title("Testing/glioma_tumor/image(59).jpg") == "glioma_tumor / image(59)"
    assert scan_title("a.png") == "a"
    assert ImageRef("x/y.png", DataConfig()).title == "x / y"


def test_the_longest_set_fits_into_the_column(qtbot, dressed):
    dressed("dark")
    card = CaseCard(QUndoStack())
    qtbot.addWidget(card)
    card.images.part.addItems(["training", "deduplicated test"])
    assert card.minimumSizeHint().width() <= LEFT_PX


def test_card_asks_for_a_run_only_where_none_is_chosen(qtbot):
    card, curve = BreakEvenCard(), ErrorCurve((0.0, 0.1), (0.0, 0.01), {})
    qtbot.addWidget(card)
    card.show_curve(curve, {})
    assert card.text.text() == "Select a run to see its break-even noise level."
    card.show_curve(curve, {"a run whose curve is still computed": "ae-0001"})
    assert card.text.text() == ""


@pytest.mark.parametrize(
    ("interval", "shown"),
    [((0.71, 0.95), "83 ± 12"), ((-12.0, 34.0), "—"), ((float("nan"), float("nan")), "—")],
    ids=["measured", "too-variable", "unknown"],
)
def test_table_shows_a_dash_for_a_retention_that_is_too_variable_to_measure(interval, shown):
    image = np.zeros((4, 4), np.float32)
    made = DenoisedImage("tv", "TV", image, image, image, 24.0, 0.7)
    kept = Retention(0.83, interval, 0.2, 0.17, 0.9)
    assert numbers(made, kept, 0.8, is_working=False) == ("24.0", "0.70", shown)
