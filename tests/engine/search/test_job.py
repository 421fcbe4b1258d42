"""The search job on scripted trials: to its end, failed, killed, pruned, side by side, told what to do."""

import math

import pytest

from engine import config, runs
from engine.errors import EngramError
from engine.messages import EpochEnded, RequestFailed, SearchState, TrialEnded, TrialProposed, TrialStarted
from engine.search import folder, job, search_spec, trial_pool
from engine.search.executor import ProcessExited
from tests.engine.search.conftest import SPACE
from tests.engine.search.fake_executor import Attempt, compute_loss, crash, fail, kill_after
from tests.engine.search.scripted_search import wait_for

ONE_AFTER_THE_OTHER = {"algorithm": "grid", "trials": 99}
NO_MEMORY = "There is not enough memory for this model."


def configs(search):
    return [trial.config for trial in search.trials]


def test_a_search_uses_its_space_up_and_its_trials_are_runs(make_search, tmp_path):
    search = make_search({"trials": 9}).run()
    assert search.ended == "exhausted"
    assert [trial.state for trial in search.trials] == ["finished"] * 4
    assert {(trial.config["learning_rate"], trial.config["latent"]) for trial in search.trials} == {
        (rate, latent) for rate in SPACE["learning_rate"] for latent in SPACE["latent"]
    }
    for trial in search.trials:
        run = runs.open_run(trial.run, tmp_path)
        assert run.state() == "finished"
        assert run.config.training.learning_rate == trial.config["learning_rate"]
        assert trial.score == min(row["val_loss"] for row in run.history()) == compute_loss(run.config, 3)
        assert (trial.best_epoch, trial.epochs) == (3, 3)
        assert [path.name for path in run.checkpoints.iterdir()] == ["epoch-00003"]


def test_a_search_with_as_many_trials_as_wanted_is_finished_and_more_can_be_wanted(make_search, executor):
    assert make_search({"trials": 2}).run().ended == "finished"
    search = make_search({"trials": 3}).run()
    assert search.ended == "finished"
    assert executor.begun == [(1, 0), (2, 0), (3, 0)]
    assert len({trial.key for trial in search.trials}) == 3


def test_the_executor_expects_a_trial_while_one_is_to_come(make_search, executor):
    make_search({"trials": 3}).run()
    assert executor.expected == 2  # behind the last one nothing has to be got ready


def test_every_trial_uses_the_backend_that_was_chosen_for_the_search(make_search, tmp_path, monkeypatch):
    def choose(base, context, is_in_process):
        assert not is_in_process  # each trial has a process of its own
        return config.from_flat({"backend": "torch"}, base), "Backend: PyTorch."

    monkeypatch.setattr(job, "resolve_backend", choose)
    search = make_search({"trials": 1}, backend="auto").run()
    assert runs.open_run(search.trials[0].run, tmp_path).config.training.backend == "torch"


# ---- trials that fail --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempt", "reason"),
    [
        (fail(NO_MEMORY, "Take a smaller batch size.", epochs=2), f"{NO_MEMORY} Take a smaller batch size."),
        (Attempt(0, RequestFailed(reason="Run 'small-0002' is being trained.", advice="")), "is being trained."),
        (crash("TypeError: no", epochs=1), "Its process broke off: TypeError: no"),
        (crash(""), "Its process broke off: exit code 1"),
    ],
)
def test_a_trial_that_fails_keeps_its_reason_has_no_score_and_the_search_continues(
    attempt, reason, make_search, executor
):
    executor.attempts = {2: attempt}
    search = make_search(ONE_AFTER_THE_OTHER).run()
    assert search.ended == "exhausted"
    assert [trial.state for trial in search.trials] == ["finished", "failed", "finished", "finished"]
    bad = search.trials[1]
    assert bad.reason.endswith(reason)
    assert (bad.score, bad.best_epoch, bad.epochs) == (None, None, attempt.epochs)
    (told,) = search.told(TrialEnded, number=2)
    assert (told.state, told.reason, told.score) == ("failed", bad.reason, None)
    assert search.told(SearchState)[-1].failed == 1
    assert search.told(SearchState)[-1].best != 2


def test_the_log_of_a_trial_is_kept_when_it_broke_off_without_a_word(make_search, executor, tmp_path):
    executor.attempts = {1: fail(NO_MEMORY), 2: crash("TypeError: no")}
    make_search(ONE_AFTER_THE_OTHER).run()
    assert [path.name for path in (tmp_path / "_searches" / "small").glob("*.log")] == ["0002.log"]


def test_settings_that_do_not_go_together_are_a_failed_trial_without_a_run(make_search, executor):
    search = make_search(ONE_AFTER_THE_OTHER, space={"size": [34, 32]}, epochs=1).run()
    assert search.ended == "exhausted"
    bad, good = search.trials
    assert (bad.state, bad.score, bad.run) == ("failed", None, "")
    assert "cannot be halved" in bad.reason
    assert good.state == "finished"
    assert executor.begun == [(2, 0)]


def test_a_trial_without_a_finite_loss_has_failed(make_search, executor):
    executor.losses = lambda settings, epoch: math.nan if settings.model.latent == 4 else 0.5
    search = make_search(ONE_AFTER_THE_OTHER, space={"latent": [4, 8]}).run()
    assert [(trial.state, trial.reason, trial.score) for trial in search.trials] == [
        ("failed", trial_pool.NO_NUMBER, None),
        ("finished", "", 0.5),
    ]


def test_failed_trials_are_tried_again_when_that_is_wanted_but_for_those_that_came_to_their_end(make_search, executor):
    executor.losses = lambda settings, epoch: math.inf if settings.model.latent == 4 else 0.5
    executor.attempts = {2: [fail(NO_MEMORY, epochs=1)]}
    make_search(ONE_AFTER_THE_OTHER, space={"latent": [4, 8]}).run()
    assert [trial.state for trial in make_search().run().trials] == ["failed", "failed"]
    search = make_search(retry_failed=True).run()
    assert [(trial.state, trial.reason) for trial in search.trials] == [
        ("failed", trial_pool.NO_NUMBER),
        ("finished", ""),
    ]
    assert executor.begun == [(1, 0), (2, 0), (2, 1)]
    assert [event.number for event in search.told(TrialEnded)] == [2]


# ---- trials that are killed --------------------------------------------------------------------------------------


def test_a_trial_that_is_killed_continues_from_its_last_epoch_as_often_as_it_gets_on(make_search, executor):
    executor.attempts = {1: [kill_after(1)] * 4}
    search = make_search({"trials": 1}, epochs=6).run()
    assert executor.begun == [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4)]
    assert [event.first_epoch for event in search.told(TrialStarted)] == [0, 1, 2, 3, 4]
    assert [(trial.state, trial.epochs) for trial in search.trials] == [("finished", 6)]


def test_a_trial_that_dies_again_and_again_in_one_epoch_fails(make_search, executor):
    executor.attempts = {1: [kill_after(2), *[kill_after(0)] * 9]}
    search = make_search({"trials": 1}, epochs=6).run()
    assert executor.begun == [(1, 0), (1, 2)]
    (trial,) = search.trials
    assert (trial.state, trial.score, trial.epochs) == ("failed", None, 2)
    assert "was terminated 2 times in the same epoch (signal 9)" in trial.reason
    assert "not be enough memory" in trial.reason
    assert search.ended == "finished"


# ---- side by side ------------------------------------------------------------------------------------------------


def test_side_by_side_the_proposals_do_not_depend_on_which_trial_ends_first(make_search, executor, tmp_path):
    found, ends = [], []
    for slow in (1, 2):
        executor.attempts = {slow: Attempt(steps_per_epoch=9), slow + 4: Attempt(steps_per_epoch=5)}
        order = {"trials": 8, "parallel": 2, "algorithm": "bayesian"}
        search = make_search(order, root=tmp_path / str(slow), space={"latent": {"low": 4, "high": 14}}).run()
        assert max(event.running for event in search.told(SearchState)) == 2
        found.append([(trial.config, trial.score) for trial in search.trials])
        ends.append([event.number for event in search.told(TrialEnded)])
    assert found[0] == found[1]
    assert ends[0] != ends[1]


def test_with_another_number_side_by_side_trials_that_were_broken_off_continue(make_search, executor):
    make_search(ONE_AFTER_THE_OTHER, lambda search: _stop_at(search, epoch=2)).run()
    search = make_search({"parallel": 2}).run()  # which shares the threads out anew
    assert executor.begun[:3] == [(1, 0), (1, 2), (2, 0)]
    assert [trial.state for trial in search.trials] == ["finished"] * 4


def _stop_at(search, epoch):
    yield from wait_for(EpochEnded, epoch=epoch)
    search.request("stop")


# ---- pruning -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs_until_stop", [0, 2, None])
def test_a_hopeless_trial_is_pruned_and_scored_up_to_there_however_late_it_hears(
    epochs_until_stop, make_search, executor
):
    def falls_late(settings, epoch):
        return 0.0 if settings.model.latent == 30 and epoch > 2 else compute_loss(settings, epoch)

    executor.losses = falls_late
    executor.attempts = {6: Attempt(epochs_until_stop=epochs_until_stop)}
    space = {"latent": [4, 5, 6, 7, 8, 30, 9]}
    search = make_search({**ONE_AFTER_THE_OTHER, "early_stopping": True}, space=space, epochs=6).run()
    pruned = search.trials[5]
    assert (pruned.state, pruned.reason) == ("stopped", trial_pool.PRUNED.format(epoch=2))
    assert (pruned.epochs, pruned.best_epoch) == (2, 2)
    assert pruned.score == pytest.approx(0.1 + 0.001 + 0.23 + 0.5)
    assert [trial.state for trial in search.trials[:5]] == ["finished"] * 5
    assert len(search.told(EpochEnded, run="small-0006")) == {0: 2, 2: 4, None: 6}[epochs_until_stop]
    assert search.told(SearchState)[-1].best == 4


def test_side_by_side_a_trial_is_judged_by_the_same_others_whichever_ends_first(make_search, executor, tmp_path):
    executor.losses = lambda settings, epoch: settings.model.latent + 1 / epoch
    found = []
    for slow in (7, 8):
        executor.attempts = {slow: Attempt(steps_per_epoch=9)}
        order = {**ONE_AFTER_THE_OTHER, "early_stopping": True, "parallel": 2}
        space = {"latent": [10, 20, 30, 40, 50, 36, 90, 35]}  # trial 7, were it heard, would raise the median above 35
        found.append(make_search(order, root=tmp_path / str(slow), space=space, epochs=4).run().trials)
    for trials in found:
        assert [trial.state for trial in trials] == ["finished"] * 6 + ["stopped"] * 2
        assert [(trial.epochs, trial.score) for trial in trials[6:]] == [(2, 90.5), (2, 35.5)]


def test_without_early_stopping_no_trial_is_pruned(make_search):
    search = make_search(ONE_AFTER_THE_OTHER, space={"latent": [4, 5, 6, 7, 8, 30]}, epochs=6).run()
    assert [(trial.state, trial.epochs) for trial in search.trials] == [("finished", 6)] * 6


# ---- promotion ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("schedule", "first_epoch"), [("constant", 1), ("cosine", 0)])
def test_a_promoted_trial_continues_from_its_parent_s_epochs_where_they_would_be_its_own(
    schedule, first_epoch, make_search, executor
):
    executor.attempts = {4: [kill_after(2 - first_epoch)]}
    order = {"trials": 4, "algorithm": "hyperband"}
    search = make_search(order, space={"latent": [4, 6, 8]}, epochs=3, schedule=schedule).run()
    promoted = search.trials[3]
    best = min(search.trials[:3], key=lambda trial: trial.score)
    assert promoted.place == {"bracket": 0, "rung": 1, "parent": best.number}
    assert (promoted.config["latent"], promoted.epochs) == (best.config["latent"], 3)
    assert executor.begun == [(1, 0), (2, 0), (3, 0), (4, first_epoch), (4, 2)]


# ---- told what to do ---------------------------------------------------------------------------------------------


def test_a_running_search_is_paused_told_what_to_try_extended_and_stopped(make_search, tmp_path):
    def user(search):
        yield from wait_for(EpochEnded)
        search.request("pause")
        yield from wait_for(SearchState, state="pausing")
        yield from wait_for(SearchState, state="paused")
        search.request("enqueue", {"latent": 6, "epochs": 1})
        search.request("space", {"latent": [4, 5], "epochs": [1, 300]})
        assert (yield from wait_for(TrialProposed, number=2)).origin == "hand"
        search.request("continue")
        yield from wait_for(SearchState, state="running")
        search.request("stop-trial", 1)
        assert (yield from wait_for(TrialEnded, number=1)).state == "stopped"
        assert (yield from wait_for(TrialEnded, number=2)).state == "finished"
        assert (yield from wait_for(TrialProposed)).values == {"latent": 4, "epochs": 1}
        search.request("stop")
        yield from wait_for(SearchState, state="stopping")

    search = make_search({"trials": 3, "algorithm": "grid"}, user, space={"latent": [4]}, epochs=300).run()
    assert search.ended == "stopped"
    trials = search.trials
    assert [trial.origin for trial in trials] == ["search", "hand", "search"]
    assert (trials[0].score, trials[0].reason) == (None, "Stopped manually.")
    assert not trials[2].is_done
    with folder.open_search("small", tmp_path).open_storage() as ledger:
        assert search_spec.spec_from_attrs(ledger).space.to_dict() == {"latent": [4, 5], "epochs": [1, 300]}


def test_a_paused_trial_trains_no_epoch(make_search, executor):
    paused = iter([False] * 4 + [True] * 9)
    search = make_search({"trials": 1}, epochs=9).run(is_paused=lambda: next(paused, False))
    told = [event for event in search.events if isinstance(event, EpochEnded | SearchState)]
    held = [place for place, event in enumerate(told) if isinstance(event, SearchState) and event.state == "paused"]
    assert held
    after = told[held[-1] + 1]
    assert isinstance(after, SearchState)
    assert after.state == "running"
    assert search.trials[0].epochs == 9


def test_a_stopped_search_continues_where_it_was(make_search, executor):
    make_search(ONE_AFTER_THE_OTHER, lambda search: _stop_at(search, epoch=2)).run()
    search = make_search().run()
    assert search.ended == "exhausted"
    assert executor.begun == [(1, 0), (1, 2), (2, 0), (3, 0), (4, 0)]
    assert [trial.state for trial in search.trials] == ["finished"] * 4


def test_a_trial_whose_job_has_not_begun_is_ended_at_once(make_search, executor):
    executor.attempts = {1: Attempt(epochs_until_stop=None, steps_before_start=3)}
    search = make_search({"trials": 1}).run(should_stop=lambda: bool(executor.begun))
    assert search.ended == "stopped"
    assert (search.trials[0].state, search.trials[0].epochs) == ("running", 0)  # to be resumed
    assert make_search().run().ended == "finished"


def test_a_trial_that_does_not_obey_is_killed_when_its_time_is_over(make_search, executor, monkeypatch):
    monkeypatch.setattr(job, "GRACE_S", 0)
    executor.attempts = {1: Attempt(epochs_until_stop=None)}
    search = make_search({"trials": 1}, lambda search: _stop_at(search, epoch=2), epochs=300).run()
    assert search.ended == "stopped"
    assert search.trials[0].state == "running"  # to be resumed
    assert search.trials[0].epochs < 10


def test_what_was_requested_of_the_search_before_is_forgotten_and_what_keeps_is_done(make_search, executor):
    make_search({"trials": 1}).run()
    before = make_search()
    for verb, content in (
        ("stop", None),
        ("pause", None),
        ("stop-trial", 1),
        ("enqueue", {"latent": 5}),
        ("trials", 3),
    ):
        before.request(verb, content)
    search = make_search().run()
    assert search.ended == "finished"
    assert [trial.origin for trial in search.trials] == ["search", "hand", "search"]
    assert {"learning_rate": 1e-3, "latent": 5} in configs(search)


def test_what_cannot_be_done_is_a_warning_and_nothing_is_tried_twice(make_search, executor):
    def user(search):
        yield from wait_for(TrialEnded, number=1)
        search.request("enqueue", {"latent": 4, "learning_rate": 1e-2})
        search.request("stop-trial", 1)
        yield from wait_for(TrialEnded, number=4)

    search = make_search(ONE_AFTER_THE_OTHER, user).run()
    assert configs(search)[0] == {"learning_rate": 1e-2, "latent": 4}
    warnings = [event.text for event in search.events if getattr(event, "level", "") == "warning"]
    assert ["has already been tried" in warnings[0], "Trial 1 is not running" in warnings[1]] == [True, True]
    assert [number for number, _ in executor.begun] == [1, 2, 3, 4]


def test_a_search_that_runs_already_is_refused(make_search):
    def user(search):
        yield from wait_for(EpochEnded)
        with pytest.raises(EngramError, match="is running in another process"):
            make_search().run()

    make_search({"trials": 1}, user).run()


def test_a_trial_that_is_ended_before_its_job_begins_is_no_crash(tmp_path):
    class Handle:
        calls = ()

        def kill(self):
            self.calls = ("kill",)

    trial = trial_pool.RunningTrial(1, runs.Run(tmp_path), Handle())
    trial.stop()
    assert trial.handle.calls == ("kill",)
    # As Windows says that a process was ended.
    assert trial.find_result(ProcessExited(1, ""), 0) is None
