"""The study with its searches, in real processes: a search taken over, killed, gone on with, not measured again."""

import contextlib
import io
import json
import signal
import subprocess
import sys

import pytest

from engine import cli, runs
from engine.config import StudyConfig
from engine.messages import JobEnded, JobStarted, MakeStudy, StudyProgress, read_event
from engine.search import folder
from engine.studies import Study
from engine.study import job
from engine.study.findings import Inquiry
from tests.engine.conftest import ROOT

SETTINGS = {"size": 32, "filters": (4, 8), "phantom_count": 60, "epochs": 30, "batch_size": 16}
WORDS = ["--size", "32", "--filters", "4,8", "--phantom-count", "60", "--epochs", "30", "--batch-size", "16"]
JOB = """
import sys
from engine.messages import read_command
from engine.study import job

def hear(event):
    sys.stdout.write(event.line())
    sys.stdout.flush()

job.make(read_command(sys.argv[1]), emit=hear)
"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def command(out, *more):
    counts = ["--trials-ae", "2", "--trials-vae", "1"]
    return ["study", "--out", str(out), *counts, *WORDS, "--json", *more]


def order(out):
    return MakeStudy(out=str(out), config=StudyConfig(trials_ae=2, trials_vae=1), settings=SETTINGS)


def called(*words):
    """A command's JSON."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert cli.main([*words]) == 0
    return json.loads(said.getvalue())


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A study that took a search of one trial over and was killed in the middle of its own second one."""
    out = tmp_path_factory.mktemp("studies") / "study"
    begun = ["search", "--preset", "seed-ae", "--name", "ae", "--runs", str(out / "runs"), "--trials", "1"]
    subprocess.run([sys.executable, "-m", "engine", *begun, *WORDS, "--seed", "7"], cwd=ROOT, check=True)
    words = [sys.executable, "-c", JOB, order(out).line()]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        for line in process.stdout:
            event = read_event(line)
            if isinstance(event, StudyProgress) and "ae-0002" in event.text and "epoch 1 done" in event.text:
                break
        process.kill()
    assert process.returncode == -signal.SIGKILL
    return out


@pytest.fixture(scope="module")
def made(killed):
    """The same study gone on with: its folder and its JSON."""
    return Study(killed), called(*command(killed))


def starts(study, name):
    return [event.first_epoch for event in runs.open(name, study.runs).events() if isinstance(event, JobStarted)]


def test_search_from_before_is_taken_over_and_a_killed_trial_goes_on_inside(made):
    study, said = made
    assert said["state"] == "finished"
    assert [(run["name"], run["state"]) for run in said["runs"]] == [
        ("ae-0001", "finished"),
        ("ae-0002", "finished"),
        ("vae-0001", "finished"),
    ]
    assert starts(study, "ae-0001") == [0]
    first, then = starts(study, "ae-0002")
    assert first == 0 < then
    with folder.open("ae", study.runs).ledger() as ledger:
        assert folder.plan_of(ledger).settings.seed == 7
        scores = {trial.run: trial.score for trial in ledger.trials()}
    assert {run["name"]: run["best_loss"] for run in said["runs"] if run["model"] == "ae"} == scores
    assert said["planned"] == 3


def test_numbers_and_page_say_that_it_was_searched(made):
    study, said = made
    row = next(each for each in said["numbers"] if each["title"] == "AE, trials")
    assert (row["paper"], row["here"]) == ("17", "2")
    assert "Bayesian search of a space of 9 points" in row["why"]
    table = next(each for each in said["contents"] if each["key"] == "table-1")
    here = {line[0]: line[2] for line in table["rows"]}
    assert here["Latent size"] == "as the study"
    assert here["Epochs"] == "30, not searched"
    assert "there are too few trials for one" in study.page.read_text(encoding="utf-8")


def test_finished_study_measures_and_draws_nothing_again(made, monkeypatch):
    study, said = made
    drawn = study.page.stat().st_mtime_ns
    monkeypatch.setattr(Inquiry, "measure", None)
    again = called(*command(study.path))
    assert again["state"] == "finished"
    assert study.page.stat().st_mtime_ns == drawn
    assert {**again, "elapsed_s": 0} == {**said, "elapsed_s": 0}


def test_lost_figure_is_drawn_anew_from_what_is_known(made, monkeypatch):
    study, said = made
    (study.figures / "figure-05.png").unlink()
    for part in ("_splits", "_sweep", "_linear", "_audit"):
        monkeypatch.setattr(Inquiry, part, None)
    again = called(*command(study.path))
    assert (study.figures / "figure-05.png").is_file()
    assert again["numbers"] == said["numbers"]


def test_study_holds_while_it_is_paused(made):
    study, _ = made
    study.page.unlink()
    told, asked = [], []

    def is_paused():
        asked.append(None)
        return len(asked) < 30

    job.make(order(study.path), emit=told.append, is_paused=is_paused)
    kinds = [event.event for event in told if not isinstance(event, StudyProgress)]
    assert kinds.index("paused") < kinds.index("continued") < kinds.index("study-ended")
    assert len(asked) >= 30


def test_other_settings_in_the_same_folder_are_refused_and_nothing_is_lost(made, capsys):
    study = made[0]
    before = study.read()
    assert cli.main([*command(study.path), "--latent", "16"]) == 2
    assert "'latent' varies in the search ae" in capsys.readouterr().err
    assert cli.main([*command(study.path), "--size", "64"]) == 2
    assert "its search ae differs. This search was begun with size = 32" in capsys.readouterr().err
    assert study.read() == before


def test_failed_trial_is_tried_again_at_the_next_call(made):
    """From its last complete epoch; the numbers of what did not change are not measured again."""
    study, _ = made
    run = runs.open("ae-0002", study.runs)
    events = (run.path / "events.jsonl").read_text().splitlines()
    kept = [line for line in events if "job-ended" not in line and '"epoch":30' not in line]
    ending = JobEnded(run=run.name, state="failed", epoch=29, reason="The disk was full.").line()
    (run.path / "events.jsonl").write_text("\n".join([*kept, ending]))
    with folder.open("ae", study.runs).ledger() as ledger:
        ledger.note(2, state="failed", reason="The disk was full.", score=None)
    again = called(*command(study.path))
    assert [run["state"] for run in again["runs"]] == ["finished"] * 3
    assert len(starts(study, "ae-0002")) == 3
