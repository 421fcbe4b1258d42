"""Runs in real engine processes: trained, paused, stopped, resumed, killed, continued in the background, orphaned."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from engine import runs
from gui import main_window
from gui.engine_process import EngineProcess, ProcessExit
from tests.conftest import PYTHON, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_children")]
BARE = ("explorer",)


def alive(pid):
    """Whether a process runs; one that has ended and waits to be collected does not."""
    if not Path("/proc").is_dir():
        return subprocess.run(["kill", "-0", str(pid)], capture_output=True, check=False).returncode == 0
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_run_is_trained_paused_stopped_and_resumed_from_the_panel(window, start, wait):
    session, panel = window.desk.session, window.show_panel("train")
    record = start("mine", 3000)
    wait(lambda: record.last_epoch >= 2)
    panel.curves.pause.click()
    wait(lambda: session.job.state == "paused")
    assert record.state == "paused"
    panel.curves.pause.click()
    wait(lambda: record.state == "running" and record.progress is not None)
    panel.curves.stop.click()
    wait(lambda: session.job.run is None)
    assert record.state == "stopped"
    assert record.run.model_path.exists()
    done = record.last_epoch
    panel.refresh()
    assert len(panel.curves.plots["mse"].items["mine training"].series.x) == done
    assert panel.previews.epoch() == done
    session.resume("mine", done + 2)
    wait(lambda: record.state == "finished")
    assert record.last_epoch == done + 2
    assert runs.open_run("mine", session.runs.root).state() == "finished"


def test_killed_engine_leaves_the_window_a_sentence_and_a_way_to_resume(real_job, window, start, wait, qtbot):
    session = window.desk.session
    record = start("ae-0003", 3000)
    wait(lambda: record.last_epoch >= 1)
    with qtbot.waitSignal(session.engine_crashed):
        os.kill(session.job.engine.pid, signal.SIGKILL)
    wait(lambda: not record.run.is_busy())
    text = window.notice.box.text()
    assert text == (
        f"The engine crashed (signal 9, often out of memory). ae-0003 is saved up to epoch {record.last_epoch}."
    )
    assert record.state == "interrupted"
    done = record.last_epoch
    panel = window.show_panel("train")
    panel.refresh()
    panel.curves.resume.click()
    wait(lambda: record.last_epoch > done)
    session.job.stop()
    wait(lambda: session.job.run is None)
    assert record.state == "stopped"


def test_kept_in_the_background_a_run_continues_without_its_window(window, start, wait, engines, monkeypatch):
    session = window.desk.session
    record = start("later", 12)
    wait(lambda: record.last_epoch >= 1)
    session.job.pause()
    wait(lambda: session.job.state == "paused")
    assert record.last_epoch < 12
    processes = [session.job.engine.pid, session.explorer.engine.pid]
    assert all(map(alive, processes))
    engines.is_kept = False
    monkeypatch.setattr(main_window, "ask_about_run", lambda parent, it: "background")
    window.close()
    wait(lambda: not window.isVisible())
    assert not any(map(alive, processes))
    wait(lambda: record.run.state() == "finished")
    assert len(record.run.history()) == 12


def test_closed_window_leaves_no_engine_not_even_one_that_is_starting(real_children, window, engines):
    session = window.desk.session
    session.job.warm_up("tensorflow")
    processes = [session.job.engine.pid, session.explorer.engine.pid]
    assert all(map(alive, processes))
    engines.is_kept = False
    window.close()
    assert not any(map(alive, processes))


WINDOW = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from engine import config, demo_runs
from gui import engine_process
from gui.app import open_window
from gui.preferences import SettingsStore
demo_runs.install = lambda folder: []
engine_process.EXPLORER_BACKEND = "none"  # an explorer that stands without importing a framework
tiny = {"phantom_count": 36, "size": 32, "latent": 8, "filters": (4, 8), "batch_size": 8, "epochs": 3000}
tiny = config.from_flat(tiny)
SettingsStore().set("data", tiny.data.model_dump(mode="json"))
app = QApplication(sys.argv)
window = open_window()
session = window.desk.session
def show_processes(run):
    if session.record(run).last_epoch:
        print("engines", session.job.engine.pid, session.explorer.engine.pid, flush=True)
session.run_changed.connect(show_processes)
QTimer.singleShot(0, lambda: session.start(tiny, "orphan"))
app.exec()
"""


def test_killed_window_leaves_no_engine(wait, root, tmp_path):
    environment = {**os.environ, "ENGRAM_RUNS": str(root), "XDG_CONFIG_HOME": str(tmp_path / "settings")}
    process = subprocess.Popen([PYTHON, "-c", WINDOW], cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    try:
        words = process.stdout.readline().decode().split()
        engines = [int(word) for word in words[1:]]
        assert words[0] == "engines"
        assert all(map(alive, engines))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    wait(lambda: not any(map(alive, engines)))
    wait(lambda: runs.open_run("orphan", root).state() == "interrupted")


def test_engine_that_says_nonsense_is_passed_over(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", str(_fake_python(tmp_path, "echo nonsense; exit 3")))
    engine = EngineProcess("job", tmp_path, "tensorflow")
    heard = []
    engine.event_received.connect(heard.append)
    with qtbot.waitSignal(engine.ended) as blocker:
        engine.start()
    assert heard == []
    assert blocker.args == [ProcessExit(3, False, False, "")]
    assert blocker.args[0].sentence == "The engine stopped unexpectedly (exit code 3)."
    engine.deleteLater()


def test_last_words_of_an_engine_are_reported(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", str(_fake_python(tmp_path, "echo KeyError: x >&2; exit 1")))
    engine = EngineProcess("job", tmp_path, "tensorflow")
    with qtbot.waitSignal(engine.ended) as blocker:
        engine.start()
    assert blocker.args[0].sentence.endswith("(exit code 1). Last message: KeyError: x")
    engine.deleteLater()


def test_python_that_is_not_there_is_an_ending_not_a_hang(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
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
