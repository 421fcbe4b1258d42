"""Where a search stands, what became of a trial, which trial is hopeless: pure functions."""

import math
from dataclasses import replace

import pytest

from engine import runs
from engine.messages import EpochEnded, JobEnded, JobStarted, RequestFailed
from engine.search import folder, pruner, space_file, statistics, trial_pool
from engine.search.executor import ProcessExited
from engine.search.storage import Trial

OTHERS = [[0.5, 0.3, 0.2], [0.5, 0.4, 0.3], [0.6, 0.5, 0.4], [0.7, 0.6, 0.5], [0.8, 0.7, 0.6]]


@pytest.fixture
def run(tiny, tmp_path):
    """A run whose record says that it had these validation losses: `run([0.3, 0.2])`."""

    def make(losses, state="finished", name="r"):
        made = runs.create_run(tiny(epochs=max(1, len(losses))), name, tmp_path)
        counts = {"first_epoch": 0, "epochs": 9, "train_images": 1, "validation_images": 1, "parameters": 1}
        made.append(JobStarted(time=10, run=name, path="", backend="tensorflow", device="CPU", **counts))
        for epoch, loss in enumerate(losses, 1):
            made.append(EpochEnded(time=10 + epoch, run=name, epoch=epoch, metrics={"val_loss": loss}, best=True))
        made.append(JobEnded(time=11 + len(losses), run=name, state=state))
        return made

    return make


@pytest.mark.parametrize(
    ("curve", "epoch"),
    [
        ([0.5, 0.4, 0.35], None),
        ([0.9, 0.6], 2),
        ([0.9, 0.5, 0.45], 3),
        ([9.9], None),
        ([0.4, 9.0, 9.0], None),
        ([math.nan, math.inf], 2),
    ],
)
def test_a_trial_is_hopeless_above_the_median_of_the_others_best(curve, epoch):
    assert pruner.find_prune_epoch(curve, OTHERS) == epoch


def test_four_others_are_too_few_to_give_a_trial_up():
    assert pruner.find_prune_epoch([9, 9, 9], OTHERS[:4]) is None
    assert pruner.find_prune_epoch([9, 9, 9], [[0.1], *OTHERS[:4]]) is None


def test_a_finished_trial_is_scored_by_its_best_epoch(run):
    found = trial_pool.finished_result(run([0.3, 0.1, 0.2]))
    assert (found.state, found.score, found.best_epoch, found.epochs) == ("finished", 0.1, 2, 3)
    assert found.seconds == 4


@pytest.mark.parametrize("losses", [[], [math.nan, math.inf], [-math.inf]])
def test_a_trial_without_a_finite_loss_has_failed_and_has_no_score(losses, run):
    found = trial_pool.finished_result(run(losses))
    assert found.state == "failed"
    assert (found.score, found.best_epoch) == (None, None)


def test_losses_that_are_not_finite_are_passed_over(run):
    assert trial_pool.finished_result(run([math.nan, 0.2, -math.inf])).score == 0.2


def test_a_trial_that_failed_keeps_its_reason_and_gets_no_score(run):
    ended = JobEnded(run="r", state="failed", reason="There is not enough memory.", advice="Take less.")
    found = trial_pool.from_job_end(run([0.3]), ended)
    assert (found.state, found.reason) == ("failed", "There is not enough memory. Take less.")
    assert (found.score, found.best_epoch) == (None, None)
    assert trial_pool.from_job_end(run([], name="q"), RequestFailed(reason="No.")).state == "failed"
    assert trial_pool.from_job_end(run([], name="p"), JobEnded(run="p", state="stopped")) is None


def test_a_trial_that_was_given_up_is_scored_up_to_there(run):
    found = trial_pool.pruned_result(run([0.5, 0.4, 0.1]), 2)
    assert (found.state, found.score, found.epochs) == ("stopped", 0.4, 2)


def test_a_death_is_forgiven_once_and_a_fault_is_not(run):
    made = run([])
    assert trial_pool.from_crash(made, ProcessExited(-9, ""), 1) is None
    assert "there may not be enough memory" in trial_pool.from_crash(made, ProcessExited(-9, ""), 2).reason
    assert (
        trial_pool.from_crash(made, ProcessExited(1, "TypeError: no"), 1).reason
        == "Its process broke off: TypeError: no"
    )


def test_breaks_do_not_count_as_time_spent(run):
    made = run([0.3, 0.2], "stopped")
    again = next(event for event in made.events() if isinstance(event, JobStarted))
    made.append(again.model_copy(update={"time": 1000.0, "first_epoch": 2}))
    made.append(JobEnded(time=1005, run="r", state="finished"))
    assert folder.elapsed_s(made) == 3 + 5


def test_a_trial_that_was_stopped_before_it_began_took_no_time(run, tiny, tmp_path):
    begun = run([0.3])
    late = runs.create_run(tiny(), "late", tmp_path)
    late.append(JobEnded(time=1.7e9, run="late", state="stopped"))
    assert folder.elapsed_s(late) == 0
    for event in begun.events():
        late.append(event)
    assert folder.elapsed_s(late) == folder.elapsed_s(begun) == 2


def test_points_left_are_those_of_the_space_alone(study):
    base, table = study
    trials = [Trial(1, "a", next(table.points())), Trial(2, "b", {**next(table.points()), "latent": 77})]
    assert statistics.count_points_left(table, trials) == 80
    assert (
        statistics.count_points_left(space_file.parse({"learning_rate": {"low": 1e-4, "high": 1e-2}}, base), trials)
        is None
    )


def test_the_best_is_finished_and_the_earliest_of_equals():
    rows = [Trial(number, str(number), {}, state="finished", score=score) for number, score in ((1, 0.3), (2, 0.2))]
    rows += [replace(rows[1], number=3), Trial(4, "4", {}, state="stopped", score=0.1), Trial(5, "5", {})]
    assert statistics.find_best_trial(rows).number == 2
    assert statistics.find_best_trial(rows[3:]) is None


def test_a_schedule_that_knows_its_end_cannot_be_resumed(tiny):
    assert folder.can_continue_exactly(tiny())
    assert not folder.can_continue_exactly(tiny(schedule="cosine"))
    assert not folder.can_continue_exactly(tiny(warm_up=0.1))


def test_a_copy_that_was_cut_short_is_no_run(run, tiny, tmp_path, monkeypatch):
    parent = run([0.3, 0.2])

    def cut(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "move_copy", cut)
    with pytest.raises(KeyboardInterrupt):
        folder.continue_from(parent, tmp_path / "s-0002")
    assert [each.name for each in runs.list_runs(tmp_path)] == ["r"]
    monkeypatch.undo()
    folder.continue_from(parent, tmp_path / "s-0002")
    child = folder.create_or_reopen_run(folder.SearchFolder(tmp_path / "_searches" / "s"), 2, tiny(epochs=9))
    assert (child.state(), len(child.history()), child.config.training.epochs) == ("interrupted", 2, 9)
    assert {event.run for event in child.events()} == {"s-0002"}
