"""The study with its searches, in real processes: a search taken over, killed, resumed, not measured again."""

import contextlib
import io
import json
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from engine import cli, runs
from engine.config import StudyConfig
from engine.figures import base
from engine.messages import JobEnded, JobStarted, RunStudy, StudyProgress, discard_event, read_event
from engine.reproduction import figures as study_figures
from engine.reproduction import job
from engine.reproduction.evaluator import StudyEvaluator
from engine.search import folder, trial_pool
from engine.search.executor import LocalExecutor, ProcessExited
from engine.study_folder import StudyFolder
from engine.training import job as training_job
from tests.engine.conftest import ROOT

SETTINGS = {"size": 32, "filters": (4, 8), "phantom_count": 36, "epochs": 6, "batch_size": 16}
WORDS = ["--size", "32", "--filters", "4,8", "--phantom-count", "36", "--epochs", "6", "--batch-size", "16"]
FIGURE_DPI = 40

# A study whose trial waits after its second epoch until the study is gone.
JOB = """
import subprocess, sys, types
from engine.messages import read_command
from engine import child_process
from engine.reproduction import job

TRIAL = '''
import threading
from engine.training import job
from engine.search import trial_worker

resume = job.resume

def resume_and_wait(run, *, emit, should_stop):
    def hear(event):
        emit(event)
        if event.event == "epoch-ended" and event.epoch == 2:
            threading.Event().wait()
    return resume(run, emit=hear, should_stop=should_stop)

job.resume = resume_and_wait
trial_worker.main()
'''

def start(words, **more):
    if words[1:4] == ["-P", "-m", "engine.search.trial_worker"]:
        words = [words[0], "-c", TRIAL, *words[4:]]
    return subprocess.Popen(words, **more)

def hear(event):
    sys.stdout.write(event.to_json_line())
    sys.stdout.flush()

child_process.subprocess = types.SimpleNamespace(**vars(subprocess) | {"Popen": start})
job.run_study(read_command(sys.argv[1]), emit=hear)
"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.usefixtures("forked_children")]


def command(out, *more):
    counts = ["--trials-ae", "2", "--trials-vae", "1"]
    return ["study", "--out", str(out), *counts, *WORDS, "--json", *more]


def order(out):
    return RunStudy(out=str(out), config=StudyConfig(trials_ae=2, trials_vae=1), settings=SETTINGS)


def called(*words):
    """A command's JSON."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert cli.main([*words]) == 0
    return json.loads(said.getvalue())


class ThisProcess:
    """A place that runs trials one after the other in this process, where processes are not the subject."""

    def __init__(self, folder, keeps_spare):
        pass

    def submit(self, task, inbox):
        training_job.resume(task.run, emit=lambda event: inbox.put((task.number, event)))
        inbox.put((task.number, ProcessExited(0, "")))
        return SimpleNamespace(send=discard_event, kill=lambda: None, close=lambda: None)

    def prewarm(self, backend):
        pass

    def check(self):
        pass

    def close(self):
        pass


@pytest.fixture(scope="module", autouse=True)
def coarse_figures():
    """Draw figures with few pixels."""
    png = base.png

    def draw(figure):
        figure.set_dpi(FIGURE_DPI)
        return png(figure)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "png", draw)
        yield


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Return a study that took over a search of one trial and was killed in the middle of its own second one."""
    out = tmp_path_factory.mktemp("studies") / "study"
    searched = ["search", "--preset", "study-ae", "--name", "ae", "--runs", str(out / "runs"), "--trials", "1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial_pool, "LocalExecutor", ThisProcess)
        assert cli.main([*searched, *WORDS, "--seed", "7"]) == 0
    words = [sys.executable, "-c", JOB, order(out).to_json_line()]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        for line in process.stdout:
            event = read_event(line)
            if isinstance(event, StudyProgress) and "ae-0002" in event.text and "epoch 2 done" in event.text:
                break
        process.kill()
        process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    return out


@pytest.fixture(scope="module")
def made(killed):
    """Return the same study after it was resumed, and its JSON; the killed trial resumes in a process of its own."""

    def place(folder, keeps_spare):
        return LocalExecutor(folder, keeps_spare) if folder.name == "ae" else ThisProcess(folder, keeps_spare)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial_pool, "LocalExecutor", place)
        return StudyFolder(killed), called(*command(killed))


@pytest.fixture
def one_figure(monkeypatch):
    """Draw only the first figure, for tests that look at none."""
    drawings = study_figures.figure_builders
    monkeypatch.setattr(study_figures, "figure_builders", lambda: drawings()[:1])


def starts(study, name):
    return [event.first_epoch for event in runs.open_run(name, study.runs).events() if isinstance(event, JobStarted)]


def test_search_from_before_is_taken_over_and_a_killed_trial_continues_inside(made):
    study, said = made
    assert said["state"] == "finished"
    assert [(run["name"], run["state"]) for run in said["runs"]] == [
        ("ae-0001", "finished"),
        ("ae-0002", "finished"),
        ("vae-0001", "finished"),
    ]
    assert starts(study, "ae-0001") == [0]
    assert starts(study, "ae-0002") == [0, 2]
    with folder.open_search("ae", study.runs).open_storage() as ledger:
        assert folder.spec_from_attrs(ledger).settings.seed == 7
        scores = {trial.run: trial.score for trial in ledger.trials()}
    assert {run["name"]: run["best_loss"] for run in said["runs"] if run["model"] == "ae"} == scores
    assert said["planned"] == 3


def test_numbers_and_page_say_that_it_was_searched(made):
    study, said = made
    row = next(each for each in said["numbers"] if each["title"] == "AE, trials")
    assert (row["paper"], row["here"]) == ("17", "2")
    assert "Bayesian search of a search space of 9 configurations" in row["why"]
    table = next(each for each in said["contents"] if each["key"] == "table-1")
    here = {line[0]: line[2] for line in table["rows"]}
    assert here["Latent size"] == "as in the reference study"
    assert here["Epochs"] == "6, not searched"
    assert "there are too few trials" in study.page.read_text(encoding="utf-8")


def test_finished_study_measures_and_draws_nothing_again(made, monkeypatch):
    study, said = made
    drawn = study.page.stat().st_mtime_ns
    monkeypatch.setattr(StudyEvaluator, "measure", None)
    again = called(*command(study.path))
    assert again["state"] == "finished"
    assert study.page.stat().st_mtime_ns == drawn
    assert {**again, "elapsed_s": 0} == {**said, "elapsed_s": 0}


def test_lost_figure_is_drawn_again_from_what_is_known(made, monkeypatch):
    study, said = made
    (study.figures / "figure-05.png").unlink()
    for part in ("_splits", "_sweep", "_linear", "_audit"):
        monkeypatch.setattr(StudyEvaluator, part, None)
    again = called(*command(study.path))
    assert (study.figures / "figure-05.png").is_file()
    assert again["numbers"] == said["numbers"]


def test_study_holds_while_it_is_paused(made, one_figure):
    study, _ = made
    study.page.unlink()
    told, asked = [], []

    def is_paused():
        asked.append(None)
        return len(asked) < 30

    job.run_study(order(study.path), emit=told.append, is_paused=is_paused)
    kinds = [event.event for event in told if not isinstance(event, StudyProgress)]
    assert kinds.index("paused") < kinds.index("continued") < kinds.index("study-ended")
    assert len(asked) >= 30


def test_other_settings_in_the_same_folder_are_refused_and_nothing_is_lost(made, capsys):
    study = made[0]
    before = study.read()
    assert cli.main([*command(study.path), "--latent", "16"]) == 2
    assert "'latent' varies in the search ae" in capsys.readouterr().err
    assert cli.main([*command(study.path), "--size", "64"]) == 2
    assert "its search ae differs. This search was started with size = 32" in capsys.readouterr().err
    assert study.read() == before


def test_failed_trial_is_tried_again_at_the_next_call(made, one_figure, monkeypatch):
    """From its last complete epoch; the numbers of what did not change are not measured again."""
    study, _ = made
    monkeypatch.setattr(trial_pool, "LocalExecutor", ThisProcess)
    run = runs.open_run("ae-0002", study.runs)
    events = (run.path / "events.jsonl").read_text().splitlines()
    kept = [line for line in events if "job-ended" not in line and '"epoch":6' not in line]
    ending = JobEnded(run=run.name, state="failed", epoch=5, reason="The disk was full.").to_json_line()
    (run.path / "events.jsonl").write_text("\n".join([*kept, ending]))
    with folder.open_search("ae", study.runs).open_storage() as ledger:
        ledger.update_trial(2, state="failed", reason="The disk was full.", score=None)
    again = called(*command(study.path))
    assert [run["state"] for run in again["runs"]] == ["finished"] * 3
    assert len(starts(study, "ae-0002")) == 3
