"""The reference study in a real engine process, ordered, stopped, killed and finished from its panel."""

import os
import signal

import pytest

from engine import runs

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_children")]
BARE = ("explorer", "job")


def test_study_is_made_stopped_and_finished_from_the_panel(window, wait, tmp_path):
    session, panel = window.desk.session, window.show_panel("report")
    panel.order.out.setText(str(tmp_path / "study"))
    panel.order.shrink.click()
    panel.order.small.change_values({"size": 32, "filters": (4, 8), "latent": 8, "epochs": 2})
    panel.order.start.click()
    wait(lambda: session.job.state == "running")
    study = panel.study()
    wait(lambda: (study.runs / "study-ae" / "events.jsonl").exists())
    panel.progress.stop.click()
    wait(lambda: session.job.study is None)
    assert study.state() == "stopped"
    assert panel.order.start.text() == "Resume"
    panel.order.start.click()
    wait(lambda: study.state() == "finished" and session.job.study is None)
    assert panel.order.notice.text() == ""
    assert panel.contents.list.item(0).text() == "Published numbers and your results"
    panel.contents.choose("figure-11")
    assert panel.contents.figure.isVisible()


def test_study_whose_engine_is_killed_takes_its_run_with_it_and_continues(window, wait, tmp_path):
    session, panel = window.desk.session, window.show_panel("report")
    panel.order.out.setText(str(tmp_path / "study"))
    panel.order.shrink.click()
    panel.order.small.change_values({"size": 32, "filters": (4, 8), "latent": 8, "epochs": 5000})
    panel.order.start.click()
    study = panel.study()
    wait(lambda: any(run.history() for run in runs.list_runs(study.runs)))
    os.kill(session.job.engine.pid, signal.SIGKILL)
    wait(lambda: session.job.study is None)
    assert "Finished runs of the study and completed epochs are saved" in window.notice.box.text()
    run = runs.open_run("study-ae", study.runs)
    wait(lambda: not run.is_busy())
    panel.refresh()
    assert study.state() == "interrupted"
    assert panel.order.start.text() == "Resume"
