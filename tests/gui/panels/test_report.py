"""The Report panel: a study asked for, watched, stopped, read, exported."""

import json
import os
import zipfile

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QGuiApplication

from engine.config import DataConfig, StudyConfig
from engine.messages import (
    Continue,
    Log,
    Pause,
    Paused,
    RequestFailed,
    RunStudy,
    Stop,
    StudyEnded,
    StudyProgress,
    WriteReport,
)
from gui.opened_files import OpenedScan
from gui.panel import ReportImage, ShowStudy
from gui.panels.report import ReportPanel
from gui.panels.report.contents_card import items
from gui.selection import ImageRef
from gui.widgets.region.region import Region


@pytest.fixture
def panel(qtbot, desk):
    made = ReportPanel(desk)
    qtbot.addWidget(made)
    made.resize(1300, 800)
    made.show()
    return made


@pytest.fixture
def folder(tmp_path):
    """A finished study as an engine leaves it."""
    made = tmp_path / "finished"
    for part in ("figures", "tables"):
        (made / part).mkdir(parents=True)
    Image.fromarray(np.full((300, 600), 90, np.uint8)).save(made / "figures" / "figure-05.png")
    (made / "figures" / "figure-05.pdf").write_bytes(b"%PDF-1.4")
    (made / "tables" / "numbers.csv").write_text("Number\n")
    (made / "study.html").write_text("<html></html>")
    write(made)
    return made


def write(folder, **changes):
    why = "A sentence that is long enough to be wrapped in its column."
    run = {"name": "study-ae", "model": "ae", "state": "finished", "epochs_done": 3, "epochs": 40, "best_epoch": 2}
    run |= {"best_loss": 0.004727, "learning_rate": 5e-4, "batch_size": 16, "latent": 512}
    figure = {"kind": "figure", "key": "figure-05", "title": "Figure 5. Loss", "caption": "Loss per scan."}
    figure["files"] = {"png": "figures/figure-05.png", "pdf": "figures/figure-05.pdf"}
    table = {"kind": "table", "key": "numbers", "title": "The numbers", "head": ["Number", "Here", "Why"], "left": 1}
    table |= {"rows": [["AE", "0.0047", why]], "files": {"csv": "tables/numbers.csv"}}
    content = {"state": "finished", "planned": 2, "runs": [run], "contents": [figure, table]} | changes
    (folder / "study.json").write_text(json.dumps(content))


def titles(panel):
    return [panel.contents.list.item(row).text() for row in range(panel.contents.list.count())]


def sent(session, kind):
    return [message for message in session.job.engine.sent if isinstance(message, kind)]


def test_quick_study_beside_the_runs_is_one_click_away(panel, session, root):
    panel.order.start.click()
    assert sent(session, RunStudy) == [
        RunStudy(out=str(root.parent / "study"), config=StudyConfig(quick=True), settings={"source": "phantom"})
    ]
    assert session.job.state == "starting"
    assert not panel.order.start.isEnabled()
    assert panel.progress.stop.isVisible()


def test_form_has_no_gaps_while_there_is_no_list_of_contents(panel):
    assert panel.order.height() <= panel.order.sizeHint().height() + 1


def test_order_has_the_images_of_the_session_without_their_preparation(panel, session):
    session.requested_data = DataConfig(source="phantom", phantom_count=99, size=64, fit="letterbox", split_seed=4)
    assert panel.order.command().settings == {"source": "phantom", "phantom_count": 99, "split_seed": 4}


def test_trials_are_requested_when_it_is_not_quick(panel):
    assert not panel.order.form.rows["trials_ae"].editor.isVisible()
    panel.order.form.change_values({"quick": False})
    assert panel.order.form.rows["trials_ae"].editor.isVisible()
    panel.order.form.change_values({"trials_ae": 3})
    assert panel.order.command().config == StudyConfig(trials_ae=3)
    panel.order.form.change_values({"trials_ae": 100})
    assert not panel.order.start.isEnabled()
    assert "from 1 to 81" in panel.order.form.rows["trials_ae"].problem.text()


def test_shrunk_study_says_its_settings_and_what_they_cost(panel):
    assert not panel.order.small.isVisible()
    panel.order.shrink.click()
    assert panel.order.small.isVisible()
    assert "cannot be compared" in panel.order.data.text()
    assert panel.order.command().settings["size"] == 64
    panel.order.small.change_values({"size": 50})
    assert not panel.order.start.isEnabled()


def test_progress_fills_the_bar_of_its_stage(panel, session):
    panel.order.start.click()
    session.job.engine.say(StudyProgress(stage="training", text="study-ae · run 1 of 2", share=0.25))
    lines = panel.progress.lines
    assert lines["training"].bar.value() == 250
    assert lines["training"].text.text() == "study-ae · run 1 of 2"
    session.job.engine.say(StudyProgress(stage="training", text="epoch 3 done"))
    assert lines["training"].bar.value() == 250
    session.job.engine.say(StudyProgress(stage="measuring", text="Measuring test", share=0.5))
    assert (lines["training"].bar.value(), lines["measuring"].bar.value()) == (1000, 500)
    assert lines["training"].text.text() == "done"
    assert session.job.state == "running"


def test_bars_of_one_study_are_not_left_standing_for_another(panel):
    panel.progress.show_state("finished", "", True)
    assert panel.progress.lines["drawing"].text.text() == "done"
    panel.progress.show_state("running", "", False)  # another program makes it
    assert [(line.bar.value(), line.text.text()) for line in panel.progress.lines.values()] == [(0, "")] * 3


def test_stop_asks_the_engine_and_the_end_frees_the_button(panel, session, root):
    panel.order.start.click()
    engine = session.job.engine
    engine.say(StudyProgress(stage="training", text="study-ae", share=0.1))
    panel.progress.stop.click()
    assert engine.sent[-1] == Stop()
    assert panel.progress.stop.text() == "Stopping…"
    engine.say(StudyEnded(out=str(root.parent / "study"), state="stopped"))
    assert session.job.study is None
    assert panel.order.start.isEnabled()
    assert not panel.progress.stop.isVisible()


def test_study_is_paused_and_continues(panel, session):
    panel.order.start.click()
    engine = session.job.engine
    engine.say(StudyProgress(stage="training", text="ae-0001", share=0.1))
    assert (panel.progress.pause.text(), panel.progress.pause.isVisible()) == ("Pause", True)
    panel.progress.pause.click()
    assert engine.sent[-1] == Pause()
    engine.say(Paused(run="ae"))
    assert session.job.state == "paused"
    assert "paused" in panel.progress._subtitle.text()
    assert panel.progress.pause.text() == "Continue"
    panel.progress.pause.click()
    assert engine.sent[-1] == Continue()
    assert session.job.state == "running"
    assert panel.progress.pause.text() == "Pause"


def test_failure_and_warning_are_sentences_in_the_panel(panel, session):
    panel.order.start.click()
    engine = session.job.engine
    engine.say(Log(text="The engine process that trained a ended.", level="warning"))
    assert "trained a ended" in panel.order.notice.text()
    engine.say(StudyEnded(out="x", state="failed", reason="There is no such folder.", advice="Choose another."))
    assert panel.order.notice.text() == "There is no such folder. Choose another."


def test_refused_study_says_why(panel, session):
    panel.order.start.click()
    session.job.engine.say(RequestFailed(reason="Size 33 cannot be halved.", advice="Use 32."))
    assert panel.order.notice.text() == "Size 33 cannot be halved. Use 32."
    assert panel.order.start.isEnabled()


def test_finished_study_shows_its_numbers_first_then_runs_and_figures(panel, folder):
    panel.order.out.setText(str(folder))
    assert titles(panel) == ["The numbers", "Runs", "Figure 5. Loss"]
    assert panel.contents.table.texts()[0][:2] == ["AE", "0.0047"]
    panel.contents.choose("runs")
    assert panel.contents.table.texts() == [
        ["study-ae", "AE", "finished", "3 of 40", "2", "0.004727", "0.0005", "16", "512"]
    ]
    assert "1 of 2 runs finished" in panel.progress._subtitle.text()
    assert panel.progress.open.isEnabled()


def test_figure_is_shown_with_its_caption_and_zooms(panel, folder):
    panel.order.out.setText(str(folder))
    panel.contents.choose("figure-05")
    view = panel.contents.figure
    assert view.isVisible()
    assert panel.contents.caption.text() == "Loss per scan."
    before = view.scale_now()
    panel.contents.larger.click()
    assert view.scale_now() > before
    panel.contents.fit.click()
    assert view.scale_now() == pytest.approx(before)


def test_study_that_continues_elsewhere_is_read_as_it_grows(panel, folder):
    panel.order.out.setText(str(folder))
    panel.contents.choose("runs")
    write(folder, runs=[], state="stopped")
    os.utime(folder / "study.json", ns=(1, 10**18))
    panel.refresh()
    assert titles(panel) == ["The numbers", "Figure 5. Loss"]
    assert panel.order.start.text() == "Resume"


def test_study_that_changes_within_a_tick_of_the_clock_is_read_anew(panel, folder):
    panel.order.out.setText(str(folder))
    written = (folder / "study.json").stat().st_mtime_ns
    write(folder, contents=[])
    os.utime(folder / "study.json", ns=(written, written))
    panel.refresh()
    assert titles(panel) == ["Runs"]


def test_study_whose_process_died_can_be_resumed(panel, folder):
    write(folder, state="running")
    panel.order.out.setText(str(folder))
    assert "interrupted" in panel.progress._subtitle.text()
    assert panel.order.start.text() == "Resume"


@pytest.mark.parametrize("content", ["{", "[1]", '{"contents": [3, {"key": 1}], "runs": ["x"]}'])
def test_record_that_makes_no_sense_shows_nothing_and_breaks_nothing(panel, folder, content):
    (folder / "study.json").write_text(content)
    panel.order.out.setText(str(folder))
    assert titles(panel) == []
    assert panel.contents.empty.isVisible()


def test_damaged_record_and_lost_figure_are_sentences(panel, folder):
    (folder / "figures" / "figure-05.png").write_bytes(b"no picture")
    panel.order.out.setText(str(folder))
    panel.contents.choose("figure-05")
    assert "could not be read" in panel.contents.empty.text()
    (folder / "study.json").write_text("{")
    panel.refresh()
    assert "study.json cannot be read" in panel.order.notice.text()


def test_table_with_rows_of_another_length_is_passed_over():
    told = {"kind": "table", "key": "a", "title": "A", "head": ["x"], "rows": [["1", "2"]]}
    assert items({"contents": [told]}, None) == []


def test_page_is_opened_where_pages_are_read(panel, folder):
    opened = []
    panel.open_url = opened.append
    panel.order.out.setText(str(folder))
    panel.progress.open.click()
    assert opened == [QUrl.fromLocalFile(str(folder / "study.html"))]


def test_shown_figure_is_saved_in_the_kind_that_is_requested(panel, folder, tmp_path):
    panel.order.out.setText(str(folder))
    panel.contents.choose("figure-05")
    panel.exporter.ask_path = lambda *words: (str(tmp_path / "mine.pdf"), "")
    panel.contents.save.click()
    assert (tmp_path / "mine.pdf").read_bytes().startswith(b"%PDF")
    panel.exporter.ask_path = lambda *words: (str(tmp_path / "mine"), "PNG image (*.png)")
    panel.contents.save.click()
    assert (tmp_path / "mine").read_bytes().startswith(b"\x89PNG")


def test_everything_is_exported_into_one_archive_without_the_runs(panel, folder, tmp_path):
    (folder / "runs" / "study-ae").mkdir(parents=True)
    os.utime(folder / "study.html", (0, 0))  # zip has no times before 1980
    panel.order.out.setText(str(folder))
    panel.exporter.ask_path = lambda *words: (str(tmp_path / "all.zip"), "")
    panel.contents.export.click()
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.namelist() == [
            "finished/study.html",
            "finished/study.json",
            "finished/tables/numbers.csv",
            "finished/figures/figure-05.pdf",
            "finished/figures/figure-05.png",
        ]


def test_export_that_cannot_be_written_or_has_nothing_is_a_sentence(panel, folder, tmp_path):
    panel.export()
    assert "Nothing to export" in panel.order.notice.text()
    panel.order.out.setText(str(folder))
    panel.exporter.ask_path = lambda *words: (str(tmp_path / "none" / "all.zip"), "")
    panel.export()
    assert "Could not write" in panel.order.notice.text()


def test_panel_is_put_back_as_it_was(qtbot, panel, desk, folder):
    panel.order.out.setText(str(folder))
    panel.order.form.change_values({"quick": False, "trials_vae": 5})
    panel.contents.choose("figure-05")
    kept = json.loads(json.dumps(panel.save_state()))
    other = ReportPanel(desk)
    qtbot.addWidget(other)
    other.restore_state(kept)
    assert other.order.command() == panel.order.command()
    assert other.contents.shown().key == "figure-05"
    other.restore_state({"form": 3, "out": [], "shown": 7})


def test_script_makes_the_same_study(panel, folder):
    panel.order.out.setText(str(folder))
    text = panel.as_python()
    assert "StudyConfig(quick=True)" in text
    assert f"out={str(folder)!r}" in text
    assert "'source': 'phantom'" in text
    compile(text, "script", "exec")
    panel.order.form.change_values({"quick": False, "trials_ae": 0})
    assert panel.as_python() == ""


def test_other_panels_request_a_study(panel, folder):
    panel.navigate(ShowStudy(str(folder)))
    assert panel.study().path == folder


def test_report_on_runs_is_written_with_progress(panel, session, make_run, asked, answer, tmp_path):
    for name in ("ae-0001", "ae-0002"):
        make_run(name)
    session.runs.refresh()
    own = panel.own
    own.refresh()
    assert [own.runs.item(row).text() for row in range(own.runs.count())] == ["ae-0002", "ae-0001"]
    own.runs.item(1).setCheckState(Qt.CheckState.Checked)
    own.ask_path = lambda *_: (str(tmp_path / "two"), "Web page (*.html)")
    own.write.click()
    sent = asked(WriteReport)
    assert sent.path == str(tmp_path / "two.html")
    assert [os.path.basename(run) for run in sent.runs] == ["ae-0002", "ae-0001"]
    assert not own.write.isEnabled()
    answer("report", {"path": sent.path})
    assert own.box.text() == f"Saved to {sent.path}"
    assert own.write.isEnabled()
    script = panel.as_python()
    assert repr(sent.runs) in script
    own.copy.click()
    assert QGuiApplication.clipboard().text() == script
    panel.order.copy.click()
    assert "run_study" in QGuiApplication.clipboard().text()
    for row in range(2):
        own.runs.item(row).setCheckState(Qt.CheckState.Unchecked)
    assert not own.write.isEnabled()
    assert not own.copy.isEnabled()
    assert "run_study" in panel.as_python()


def test_report_on_the_current_image_has_its_slice_and_lesion(panel, session, make_run, asked, tmp_path):
    make_run("ae-0001")
    session.runs.refresh()
    own = panel.own
    own.choose("image")
    assert "Open an image first" in own.image.text()
    assert not own.write.isEnabled()
    opened = OpenedScan("/data/head.nii.gz", "head.nii.gz", "nifti", 12, "RLAP", (), 6)
    image = ImageRef(opened.name, session.requested_data, opened=opened)
    session.selection.lesions.put(image.key, Region("ellipse", ((0.25, 0.25), (0.5, 0.75))))
    session.selection.set_image(image)
    make_run("denoiser")
    session.runs.refresh()
    panel.navigate(ReportImage("ae-0001", "rician", 0.05))
    own.ask_path = lambda *_: (str(tmp_path / "case.pdf"), "PDF (*.pdf)")
    own.write.click()
    sent = asked(WriteReport)
    assert (sent.scan, sent.slice, sent.roi) == ("/data/head.nii.gz", 6, "8,8,8,16")
    assert [path.rpartition("/")[2] for path in sent.runs] == ["ae-0001"]
    assert (sent.settings.noise, sent.settings.sigma) == ("rician", 0.05)
