"""Real engine processes behind a real window: train, pause, stop, resume, kill, close, go on in the background."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtTest import QTest

from engine import data, demo, noise, runs
from engine.config import DataConfig
from engine.messages import LoadData, OpenScan
from gui import closing
from gui.app import make_window
from gui.engine_process import Ending, EngineProcess
from gui.memory import Memory
from gui.panels.search.drafts import Draft
from gui.questions import Questions
from gui.widgets.region import Region
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
LONG_MS = 120_000
SCANS = DataConfig(size=32, phantom_count=36)
TINY = {"latent": 8, "filters": (4, 8), "batch_size": 8}


@pytest.fixture
def window(qtbot, root, monkeypatch):
    """A window with engines of its own over tiny phantoms."""
    monkeypatch.setenv("ENGRAM_RUNS", str(root))
    monkeypatch.setattr(demo, "install", lambda folder: [])
    memory = Memory()
    memory.put("data", SCANS.model_dump(mode="json"))
    made = make_window(memory)
    made.show()
    made.begin()
    qtbot.waitUntil(lambda: made.desk.session.data is not None, timeout=LONG_MS)
    yield made
    made.desk.session.close()
    job = made.desk.session.job
    job.run = job.study = job.search = None
    made.close()
    made.deleteLater()


def start(window, name, epochs):
    card = window.show_panel("train").new_run
    card.settings.change_values({**TINY, "epochs": epochs})
    card.name.setText(name)
    card.start.click()
    assert card.notice.text() == ""
    return window.desk.session.record(name)


def wait(qtbot, condition):
    qtbot.waitUntil(condition, timeout=LONG_MS)


def alive(pid):
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_run_is_trained_paused_stopped_and_resumed_from_the_panel(window, qtbot):
    session, panel = window.desk.session, window.show_panel("train")
    record = start(window, "mine", 3000)
    wait(qtbot, lambda: record.last_epoch >= 2)
    panel.curves.pause.click()
    wait(qtbot, lambda: session.job.state == "paused")
    assert record.state == "paused"
    panel.curves.pause.click()
    wait(qtbot, lambda: record.state == "running" and record.progress is not None)
    panel.curves.stop.click()
    wait(qtbot, lambda: session.job.run is None)
    assert record.state == "stopped"
    assert record.run.model_path.exists()
    done = record.last_epoch
    panel.refresh()
    assert len(panel.curves.plots["mse"].items["mine train"].series.x) == done
    assert panel.previews.epoch() == done
    session.resume("mine", done + 2)
    wait(qtbot, lambda: record.state == "finished")
    assert record.last_epoch == done + 2
    assert runs.open("mine", session.book.root).state() == "finished"


def test_slider_puts_noise_on_a_scan_and_the_run_takes_it_out(window, qtbot):
    record = start(window, "ae", 2)
    wait(qtbot, lambda: record.state == "finished")
    panel = window.show_panel("denoise")
    wait(qtbot, lambda: panel.experiment.is_current() and str(record.run.path) in panel.experiment.made)
    panel.regions.change(Region("ellipse", ((0.3, 0.3), (0.6, 0.6))), "drawing")
    for value in (0.05, 0.15, 0.2):
        panel.case.noise.sigma.set_value(value)
    wait(qtbot, lambda: panel.experiment.is_current() and panel.experiment.shown[1].sigma == 0.2)
    made = panel.experiment.made[str(record.run.path)]
    noisy = panel.experiment.made["noisy"].image
    assert np.array_equal(noisy, noise.draw(made.original[None, ..., None], "gaussian", 0.2, 0)[0, ..., 0])
    assert panel.stage.pictures.board.view(made.key).values == pytest.approx(made.image)
    wait(qtbot, lambda: not panel.experiment.working() and panel.experiment.curve is not None)
    assert panel.experiment.failures == {}
    wait(qtbot, lambda: panel.results.keeping.found.keys() == panel.results.measured().keys())
    assert len(panel.results.keeping.found) >= 7


def test_slider_shows_drafts_of_a_mirrored_model_and_rests_on_its_full_answer(window, qtbot):
    card = window.show_panel("train").new_run
    card.settings.change_values({"model": "unet", "mirrored": True})
    record = start(window, "unet-0001", 1)
    wait(qtbot, lambda: record.state == "finished")
    panel, run = window.show_panel("denoise"), str(record.run.path)
    wait(qtbot, lambda: panel.experiment.is_current() and run in panel.experiment.made)
    drafts = []
    panel.experiment.drafted.connect(lambda: drafts.append(panel.experiment.made[run]))
    for value in (0.05, 0.15, 0.2):
        panel.case.noise.sigma.set_value(value)
    wait(qtbot, lambda: panel.experiment.is_current() and panel.experiment.shown[1].sigma == 0.2)
    made = panel.experiment.made[run]
    assert {draft.exact for draft in drafts} == {False}
    assert np.array_equal(drafts[-1].noisy, made.noisy)
    assert not np.array_equal(drafts[-1].image, made.image)
    assert np.array_equal(panel.stage.pictures.board.view(run).values, made.image)
    assert made.exact
    assert made.ssim is not None


def test_killed_engine_leaves_the_window_a_sentence_and_a_way_to_resume(window, qtbot):
    session = window.desk.session
    record = start(window, "ae-0003", 3000)
    wait(qtbot, lambda: record.last_epoch >= 1)
    with qtbot.waitSignal(session.engine_lost, timeout=LONG_MS):
        os.kill(session.job.engine.pid, signal.SIGKILL)
    text = window.notice.box.text()
    assert text == f"The engine process ended unexpectedly (signal 9). Epoch {record.last_epoch} of ae-0003 is kept."
    assert record.state == "interrupted"
    done = record.last_epoch
    panel = window.show_panel("train")
    panel.refresh()
    panel.curves.resume.click()
    wait(qtbot, lambda: record.last_epoch > done)
    session.job.stop()
    wait(qtbot, lambda: session.job.run is None)
    assert record.state == "stopped"


def test_kept_in_the_background_a_run_goes_on_without_its_window(window, qtbot, monkeypatch):
    session = window.desk.session
    record = start(window, "later", 80)
    wait(qtbot, lambda: record.last_epoch >= 1)
    monkeypatch.setattr(closing, "ask", lambda parent, it: "background")
    window.close()
    wait(qtbot, lambda: not window.isVisible())
    assert session.job.engine is None or not session.job.engine.is_running()
    assert record.last_epoch < 80
    wait(qtbot, lambda: record.run.state() == "finished")
    assert len(record.run.history()) == 80


def test_closed_window_leaves_no_engine(window, qtbot):
    session = window.desk.session
    wait(qtbot, lambda: session.job.engine is not None)
    engines = [session.job.engine.pid, session.questions.engine.pid]
    assert all(map(alive, engines))
    window.close()
    assert not any(map(alive, engines))


WINDOW = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from engine import config
from gui.app import open_window
app = QApplication(sys.argv)
window = open_window()
session = window.desk.session
def told(run):
    if session.record(run).last_epoch:
        print("engines", session.job.engine.pid, session.questions.engine.pid, flush=True)
session.run_changed.connect(told)
tiny = {"phantom_count": 36, "size": 32, "latent": 8, "filters": (4, 8), "batch_size": 8, "epochs": 3000}
QTimer.singleShot(0, lambda: session.start(config.build(tiny), "orphan"))
app.exec()
"""


def test_killed_window_leaves_no_engine(qtbot, root, tmp_path):
    environment = {**os.environ, "ENGRAM_RUNS": str(root), "XDG_CONFIG_HOME": str(tmp_path / "settings")}
    process = subprocess.Popen([sys.executable, "-c", WINDOW], cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    try:
        words = process.stdout.readline().decode().split()
        engines = [int(word) for word in words[1:]]
        assert words[0] == "engines"
        assert all(map(alive, engines))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    wait(qtbot, lambda: not any(map(alive, engines)))
    wait(qtbot, lambda: runs.open("orphan", root).state() == "interrupted")


@pytest.fixture
def explorer(qtbot, tmp_path):
    """Questions to a real explorer, with everything it says."""
    made = Questions(tmp_path)
    made.warm_up("tensorflow")
    made.heard = []
    for each in (made.answered, made.refused):
        each.connect(made.heard.append)
    yield made
    made.engine.finish()
    made.deleteLater()


def test_newest_question_wins_and_the_overtaken_are_given_up(explorer, qtbot):
    for size in (512, 256, 32):
        newest = explorer.ask(LoadData, "data", config=DataConfig(size=size, phantom_count=400 if size > 32 else 36))
    wait(qtbot, lambda: not explorer.is_waiting("data"))
    assert [(event.number, event.content["counts"]["no_tumor"]["train"] > 0) for event in explorer.heard] == [
        (newest, True)
    ]


def test_cancelled_loading_frees_the_explorer(explorer, qtbot):
    progress = []
    explorer.progressed.connect(progress.append)
    explorer.ask(LoadData, "data", config=DataConfig(size=512, phantom_count=20_000, phantom_seed=9))
    wait(qtbot, lambda: bool(progress))
    explorer.cancel("data")
    explorer.ask(LoadData, "data", config=SCANS)
    wait(qtbot, lambda: len(explorer.heard) == 1)
    assert explorer.heard[0].content["source"] == "phantom"


def test_scan_that_cannot_be_opened_is_refused_with_a_sentence(explorer, qtbot, tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("no scan")
    explorer.ask(OpenScan, "scan", path=str(file))
    wait(qtbot, lambda: bool(explorer.heard))
    assert "notes.txt" in explorer.heard[0].reason
    assert explorer.engine.is_running()


def test_run_is_reconstructed_as_the_panel_shows_it(window, qtbot):
    session = window.desk.session
    record = start(window, "seen", 1)
    wait(qtbot, lambda: record.state == "finished")
    panel = window.show_panel("compare")
    panel.runs.choose(["seen"])
    wait(qtbot, lambda: panel.board._shown is not None and len(panel.board._shown.made) == 1)
    shown = panel.board._shown
    images = data.load(config=SCANS).test.read(list(panel.gallery.pages.indices))
    assert shown.originals == pytest.approx(images[..., 0], abs=1e-6)
    made = shown.made[0]
    assert made.mse == pytest.approx(np.mean((made.images - images[..., 0]) ** 2, axis=(1, 2)), rel=1e-4)
    assert session.questions.is_waiting("compare") is False


def test_copied_script_of_compare_prints_the_same_numbers(window, qtbot, run_python):
    record = start(window, "seen", 1)
    wait(qtbot, lambda: record.state == "finished")
    panel = window.show_panel("compare")
    panel.runs.choose(["seen"])
    wait(qtbot, lambda: panel.board._shown is not None and len(panel.board._shown.made) == 1)
    printed = run_python(panel.python())
    assert "seen" in printed
    assert f"{panel.board._shown.made[0].psnr_db[0]:.3f}"[:5] in printed


def test_real_scans_are_dropped_loaded_and_shown(window, qtbot, real_data):
    window.wish("data", ("folder", str(real_data)))
    session, panel = window.desk.session, window.panels["data"]
    wait(qtbot, lambda: session.data.config.source == str(real_data) or bool(panel.source.notice.text()))
    assert panel.source.notice.text() == ""
    assert session.data.classes == ("glioma_tumor", "meningioma_tumor", "no_tumor", "pituitary_tumor")
    assert len(panel.scans.grid.shown()) == len(session.data.thumbnails) > 2500
    panel.scans.classes[3].click()
    panel.scans.splits[2].click()
    assert len(panel.scans.grid.shown()) == session.data.counts["pituitary_tumor"]["test"]


def test_engine_that_says_nonsense_is_passed_over(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("gui.engine_process.sys.executable", str(_fake_python(tmp_path, "echo nonsense; exit 3")))
    engine = EngineProcess("job", tmp_path, "tensorflow")
    heard = []
    engine.event_received.connect(heard.append)
    with qtbot.waitSignal(engine.ended) as blocker:
        engine.start()
    assert heard == []
    assert blocker.args == [Ending(3, False, False, "")]
    assert blocker.args[0].sentence == "The engine process ended unexpectedly (exit code 3)."
    engine.deleteLater()


def test_last_words_of_an_engine_are_told(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "gui.engine_process.sys.executable", str(_fake_python(tmp_path, "echo KeyError: x >&2; exit 1"))
    )
    engine = EngineProcess("job", tmp_path, "tensorflow")
    with qtbot.waitSignal(engine.ended) as blocker:
        engine.start()
    assert blocker.args[0].sentence.endswith("(exit code 1). It said: KeyError: x")
    engine.deleteLater()


def test_python_that_is_not_there_is_an_ending_not_a_hang(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("gui.engine_process.sys.executable", str(tmp_path / "no-python"))
    engine = EngineProcess("job", tmp_path, "tensorflow")
    with qtbot.waitSignal(engine.ended) as blocker:
        engine.start()
    assert blocker.args[0].code == 127
    engine.deleteLater()


def _fake_python(folder, script):
    file = folder / "python"
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


def test_study_is_made_stopped_and_finished_from_the_panel(window, qtbot, tmp_path):
    session, panel = window.desk.session, window.show_panel("report")
    panel.order.out.setText(str(tmp_path / "study"))
    panel.order.shrink.click()
    panel.order.small.change_values({"size": 32, "filters": (4, 8), "latent": 8, "epochs": 2})
    panel.order.start.click()
    wait(qtbot, lambda: session.job.state == "running")
    study = panel.study()
    wait(qtbot, lambda: (study.runs / "seed-ae" / "events.jsonl").exists())
    panel.progress.stop.click()
    wait(qtbot, lambda: session.job.study is None)
    assert study.state() == "stopped"
    assert panel.order.start.text() == "Go on"
    panel.order.start.click()
    wait(qtbot, lambda: study.state() == "finished" and session.job.study is None)
    assert panel.order.notice.text() == ""
    assert panel.contents.list.item(0).text() == "The study's numbers and ours"
    panel.contents.choose("figure-11")
    assert panel.contents.figure.isVisible()


def test_study_whose_engine_is_killed_takes_its_run_with_it_and_goes_on(window, qtbot, tmp_path):
    session, panel = window.desk.session, window.show_panel("report")
    panel.order.out.setText(str(tmp_path / "study"))
    panel.order.shrink.click()
    panel.order.small.change_values({"size": 32, "filters": (4, 8), "latent": 8, "epochs": 5000})
    panel.order.start.click()
    study = panel.study()
    wait(qtbot, lambda: any(run.history() for run in runs.find_all(study.runs)))
    os.kill(session.job.engine.pid, signal.SIGKILL)
    wait(qtbot, lambda: session.job.study is None)
    assert "What was finished of the study is kept" in window.notice.box.text()
    run = runs.open("seed-ae", study.runs)
    wait(qtbot, lambda: not run.is_busy())
    panel.look()
    assert study.state() == "interrupted"
    assert panel.order.start.text() == "Go on"


def test_search_is_begun_held_stopped_and_finished_from_the_panel(window, qtbot, root):
    session, panel = window.desk.session, window.show_panel("search")
    order = panel.order
    order.show_fixed("model:ae")
    order.editor.set_drafts((Draft("latent", text="4, 8"), Draft("filters", text="4, 8"), Draft("epochs", text="20")))
    order.form.set_values({"trials": 2, "algorithm": "grid"})
    order.name.setText("mine")
    order.start.click()
    assert order.notice.text() == ""
    wait(qtbot, lambda: panel.watch.found is not None and panel.watch.found.waiting == 1)
    wait(qtbot, lambda: (record := session.record("mine-0001")) is not None and bool(record.epochs))
    panel.plot.pause.click()
    wait(qtbot, lambda: session.job.state == "paused")
    panel.plot.pause.click()
    panel.plot.stop.click()
    wait(qtbot, lambda: session.job.search is None)
    wait(qtbot, lambda: panel.plot.go_on.isVisible())
    assert "1 interrupted" in panel.plot.facts.text()
    panel.doing.wish("enqueue", {"latent": 6})
    panel.plot.go_on.click()
    wait(qtbot, lambda: session.job.search is None and not panel.watch.found.can_go_on)
    assert [trial.state for trial in panel.watch.found.trials] == ["finished", "finished"]
    assert panel.watch.found.trials[1].config == {"latent": 6}
    assert panel.plot.facts.text() == "2 done · 0 to come of 2 · 1 of 2 points left"
    assert panel.plot.axes.model.lines.keys == ("1", "2")
    wait(qtbot, lambda: panel.trial.pictures.isVisible())
    assert panel.trial.pictures.captions[0].text().endswith(" dB")


def order_of_one(window, **settings):
    """The form of a search for one small trial of two."""
    order = window.show_panel("search").order
    order.show_fixed("model:ae")
    order.editor.set_drafts((Draft("latent", text="4, 6"), Draft("filters", text="4, 8"), Draft("epochs", text="1")))
    order.form.set_values({"trials": 1, **settings})
    order.name.setText("mine")
    return order


def test_search_on_a_cluster_is_finished_from_the_panel(window, qtbot):
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    session, panel = window.desk.session, window.show_panel("search")
    order_of_one(window, cluster="local").start.click()
    wait(qtbot, lambda: panel.watch.found is not None and not panel.watch.found.can_go_on)
    wait(qtbot, lambda: session.job.search is None)
    assert [trial.state for trial in panel.watch.found.trials] == ["finished"]


def test_sweep_without_a_login_is_refused_with_the_way_that_needs_none(window, qtbot):
    order = order_of_one(window, tuner="wandb")
    assert "needs W&B's server and a login" in order.caution.text()
    order.start.click()
    panel = window.show_panel("search")
    wait(qtbot, lambda: panel.plot.notice.text() != "")
    wait(qtbot, lambda: window.desk.session.job.search is None)
    assert "A W&B sweep needs a login, and there is none on this machine." in panel.plot.notice.text()
    assert "KerasTuner" in panel.plot.notice.text()


def test_layers_of_a_run_are_walked_through_with_keys(window, qtbot):
    session = window.desk.session
    record = start(window, "mine", 1)
    wait(qtbot, lambda: record.state == "finished")
    panel = window.show_panel("layers")
    wait(qtbot, lambda: panel.showing.seen is not None)
    first = panel.showing.seen
    assert first.values.shape == (16, 16, 4)
    assert panel.cards.strip.words.text()
    QTest.keyClicks(panel.cards.mosaic.mosaic, ".")
    assert panel.choice.layer != first.look.layer
    wait(qtbot, lambda: panel.showing.seen.look.layer == panel.choice.layer)
    assert panel.showing.seen.values.shape == (8, 8, 8)
    panel.more.choose(panel.more.kernels)
    wait(qtbot, lambda: panel.more.kernels.mosaic.channels is not None)
    assert panel.more.kernels.mosaic.channels.values.shape == (3, 3, 4)
    panel.cards.regions.change(Region("ellipse", ((0.3, 0.3), (0.6, 0.6))), "drawing")
    panel.more.choose(panel.more.lesion)
    panel.more.lesion.go.click()
    wait(qtbot, lambda: bool(panel.more.lesion.curve.stages))
    assert panel.more.lesion.words.text()
    wait(qtbot, lambda: "over" in panel.cards.channel.source.text() and not panel.counting.state(panel.choice.run))
    assert session.questions.engine.is_running()


def test_map_of_scans_is_hovered_lassoed_and_drawn_from(window, qtbot):
    record = start(window, "mapped", 2)
    wait(qtbot, lambda: record.state == "finished")
    panel = window.show_panel("latent")
    wait(qtbot, lambda: panel.exploration.scene is not None)
    scene, plot = panel.exploration.scene, panel.map.plot
    assert len(plot.scatter.points) == len(scene.mapped.names) == 36
    image, lines = plot.preview(0)
    assert image.width() == SCANS.size
    assert lines[0] == scene.name(scene.mapped.place(0))
    panel.exploration.choose(("test", 0))
    wait(qtbot, lambda: panel.scan.notice.text() != "" and "made" in panel.scan.pair.shown())
    assert len(panel.scan.boards["latent"].shown()) == len(panel.scan.boards["pixel"].shown()) == 4
    plot.lassoed.emit([0, 1, 2])
    wait(qtbot, lambda: "decoded mean latent" in panel.tools.group.board.shown())
    panel.exploration.choose(("test", 1))
    for name in ("between", "walk", "samples"):
        panel.tools.turn_to(name)
        wait(qtbot, lambda: panel.tools.page().message() == "")
    panel.tools.turn_to("spread")
    assert "has no posterior" in panel.tools.page().message()
