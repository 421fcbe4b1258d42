"""The two runs of a quick study; the processes that train them are played."""

import queue

import pytest

from engine import config, runs
from engine.errors import StudyError, TrainingError
from engine.messages import EpochEnded, JobEnded, JobStarted, Log, Progress, Stop, StudyProgress, never_stop
from engine.reproduction import preset_runs
from engine.reproduction.preset_runs import PresetRuns
from engine.search.executor import ProcessExited
from engine.search.job import StopAndPause
from tests.trained_runs import TINY

NEVER = StopAndPause(never_stop, never_stop)
BASES = {"ae": config.from_flat(TINY), "vae": config.from_flat({**TINY, "model": "vae"})}


@pytest.fixture
def presets(study):
    return PresetRuns(study, BASES)


@pytest.fixture
def played(monkeypatch):
    """Train nothing: finish each run with one epoch, or do what `played.act[name]` says; note the names."""

    class Played:
        names, act = [], {}

    def train(run, emit, wishes, log):
        Played.names.append(run.name)
        Played.act.get(run.name, finish)(run, emit)

    monkeypatch.setattr(preset_runs, "train_in_process", train)
    Played.names, Played.act = [], {}
    return Played


def finish(run, emit):
    for event in (
        Progress(run=run.name, epoch=1, epochs=2, batch=1, batches=2, loss=1, images_per_s=1, left_s=200),
        EpochEnded(run=run.name, epoch=1, metrics={"val_loss": 0.25}, best=True),
        JobEnded(run=run.name, state="finished", epoch=1),
    ):
        if not isinstance(event, Progress):
            run.append(event)
        emit(event)


def test_both_runs_are_made_trained_and_told(presets, played):
    told = []
    assert presets.train(told.append, NEVER)
    assert played.names == [trial.run.name for trial in presets.trials()] == ["study-ae", "study-vae"]
    assert [trial.state for trial in presets.trials()] == ["finished"] * 2
    said = [event.text for event in told if isinstance(event, Log)]
    assert said[1] == "study-vae (2 of 2) finished, validation loss 0.25 nats in epoch 1."
    shares = [event.share for event in told if isinstance(event, StudyProgress) and event.share is not None]
    assert shares == [0.125, 0.625]
    assert any("study-ae · run 1 of 2 · epoch 1 of 2 · 3 min left" in getattr(event, "text", "") for event in told)


def test_finished_run_with_the_same_settings_is_taken_whatever_its_name(study, presets, played):
    kept = runs.create_run(BASES["ae"], "by-hand", study.runs)
    kept.append(JobEnded(run="by-hand", state="finished", epoch=1))
    presets.train(lambda event: None, NEVER)
    assert played.names == ["study-vae"]
    assert presets.trials()[0].run.path == kept.path


@pytest.mark.parametrize("state", ["stopped", "failed", None])
def test_run_that_did_not_come_to_its_end_is_resumed(study, presets, played, state):
    for name, model in (("study-ae", "ae"), ("study-vae", "vae")):
        run = runs.create_run(BASES[model], name, study.runs)
        run.append(EpochEnded(run=name, epoch=1, metrics={"val_loss": 0.5}, best=True))
        if state:
            run.append(JobEnded(run=name, state=state, epoch=1))
    presets.train(lambda event: None, NEVER)
    assert played.names == ["study-ae", "study-vae"]


def test_name_that_is_taken_by_other_settings_is_a_sentence(study, presets, played):
    runs.create_run(config.from_flat({**TINY, "epochs": 7}), "study-ae", study.runs)
    with pytest.raises(StudyError, match="contains a study with other settings: its run study-ae differs"):
        presets.check()


def test_runs_of_a_study_from_before_the_presets_were_renamed_are_resumed(study, presets, played):
    for name, model in (("seed-ae", "ae"), ("seed-vae", "vae")):
        runs.create_run(BASES[model], name, study.runs)
    presets.train(lambda event: None, NEVER)
    assert played.names == ["seed-ae", "seed-vae"]


def test_former_name_that_is_taken_by_other_settings_is_a_sentence(study, presets, played):
    runs.create_run(config.from_flat({**TINY, "epochs": 7}), "seed-ae", study.runs)
    with pytest.raises(StudyError, match="contains a study with other settings: its run seed-ae differs"):
        presets.check()


def test_stop_keeps_what_is_there_and_begins_nothing_more(study, presets, played):
    assert not presets.train(lambda event: None, StopAndPause(lambda: bool(played.names), never_stop))
    assert played.names == ["study-ae"]
    assert not (study.runs / "study-vae").exists()


def test_process_that_dies_is_reported_and_does_not_keep_the_other_run_back(presets, played):
    def die(run, emit):
        raise TrainingError("The process died.", "Start again.")

    played.act["study-ae"] = die
    told = []
    presets.train(told.append, NEVER)
    assert played.names == ["study-ae", "study-vae"]
    first = next(event for event in told if isinstance(event, Log))
    assert (first.text, first.level) == ("The process died. Start again.", "warning")


def test_run_that_cannot_be_read_is_passed_over(study, presets, played, write_run):
    broken = write_run("x", [1.0])
    (broken.path / "config.json").write_text("{")
    presets.train(lambda event: None, NEVER)
    assert played.names == ["study-ae", "study-vae"]


def test_runs_from_before_patients_were_known_are_continued(study):
    for name, settings in (("study-ae", BASES["ae"]), ("study-vae", BASES["vae"])):
        run = runs.create_run(settings, name, study.runs)
        content = run.read_json("config.json")
        del content["data"]["split_by"]
        run.write_json("config.json", content)
    presets = PresetRuns(study, BASES)
    presets.check()
    assert [trial.run.config.data.split_by for trial in presets.trials()] == ["image", "image"]


class PlayedProcess:
    """A process that says what it is given when it is ended in either way."""

    def __init__(self, inbox, has_started):
        self.inbox, self.calls = inbox, []
        if has_started:
            inbox.put((1, JobStarted.model_construct(run="r")))

    def send(self, message):
        self.calls.append("stop" if isinstance(message, Stop) else "")
        self.inbox.put((1, JobEnded(run="r", state="stopped")))
        self.inbox.put((1, ProcessExited(0, "")))

    def kill(self):
        self.calls.append("kill")
        self.inbox.put((1, ProcessExited(-9, "")))


@pytest.mark.parametrize(("has_started", "call"), [(True, "stop"), (False, "kill")])
def test_a_process_whose_job_has_not_begun_is_ended_at_once(has_started, call):
    inbox, told = queue.Queue(), []
    process = PlayedProcess(inbox, has_started)
    control = StopAndPause(lambda: bool(told) or not has_started, never_stop)
    ended, _ = preset_runs._relay(process, "r", inbox, told.append, control)
    assert process.calls == [call]
    assert (type(ended), ended.state) == (JobEnded, "stopped")
