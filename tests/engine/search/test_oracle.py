"""KerasTuner asked and told: never the same twice, never fooled by a failure, the same again from the ledger."""

from dataclasses import replace

import pytest

from engine import config
from engine.search import samplers, space, space_file
from engine.search.samplers import IDLE
from engine.search.storage import Trial
from tests.engine.search.conftest import loss

ALGORITHMS = ("bayesian", "random", "grid")
ENDLESS = {
    "learning_rate": {"low": 1e-5, "high": 1e-1, "log": True},
    "latent": {"low": 8, "high": 4096},
    "model": ["ae", "vae"],
    "beta": {"low": 0.1, "high": 10, "log": True},
    "filters": [[4, 8], [8, 16]],
}


def configs(rows):
    return [row.config for row in rows]


@pytest.mark.parametrize("algorithm", ["random", "grid"])  # Bayesian with failures, below
def test_a_space_is_used_up_without_a_repetition(algorithm, play, study):
    rows = play(study, algorithm)
    assert len(rows) == len({row.key for row in rows}) == 81


def test_bayesian_uses_a_space_up_without_a_repetition(play, study):
    base, points = study
    rows = play((base, points.drop_dimension("latent")), "bayesian")
    assert len(rows) == len({row.key for row in rows}) == 27


@pytest.mark.parametrize("algorithm", ["bayesian", "random"])
def test_ranges_and_conditions_do_not_repeat_either(algorithm, play):
    base = config.RunConfig()
    rows = play((base, space_file.parse(ENDLESS, base)), algorithm, 25)
    assert len({row.key for row in rows}) == 25
    assert {row.config["model"] for row in rows} == {"ae", "vae"}


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "hyperband"])
def test_an_oracle_made_anew_from_the_trials_asks_the_same(algorithm, play, study):
    assert configs(play(study, algorithm, 18, again=True)) == configs(play(study, algorithm, 18))


def test_the_seed_decides_and_0_is_a_seed(play, study):
    first = configs(play(study, "random", 9))
    assert first == configs(play(study, "random", 9))
    assert first != configs(play(study, "random", 9, seed=1))


def test_bayesian_finds_the_minimum_sooner_than_chance(play, study):
    best = loss({"epochs": 40, "batch_size": 16})
    found = [
        [next(row.number for row in play(study, algorithm, most, seed) if row.score == best) for seed in range(4)]
        for algorithm, most in (("bayesian", 29), ("random", 81))
    ]
    assert max(found[0]) < 30 < sum(found[1]) / 4, found


def test_failed_trials_do_not_count_as_good_and_do_not_stop_the_search(play, study):
    rows = play(study, "bayesian", fails=lambda number: number % 2 == 0 or 20 < number < 30)
    assert len(rows) == len({row.key for row in rows}) == 81
    tried = play(study, "bayesian", 40, fails=lambda number: rows[number - 1].config["batch_size"] == 16)
    assert len({row.key for row in tried}) == 40


def test_no_number_that_is_not_finite_reaches_the_regression(oracles, study):
    base, points = study
    oracle = oracles.Oracle(points, base, "bayesian", 0)
    for number in range(1, 20):
        row = Trial(number, "", oracle.ask().values)
        oracle.register(row)
        score = {3: float("inf"), 4: float("nan"), 5: None}.get(number, loss(row.config))
        oracle.tell(replace(row, state="finished", score=score))
    assert {oracle.trials[f"{number - 1:010d}"].status for number in (3, 4, 5)} == {"FAILED"}
    assert oracle.get_best_trials()[0].score == min(
        row.score for row in oracle.rows.values() if row.score is not None and row.score < 10
    )


def test_trials_that_run_side_by_side_do_not_crowd(oracles, study):
    base, points = study
    oracle = oracles.Oracle(points, base, "bayesian", 0)
    asked = []
    for number in range(1, 17):
        row = Trial(number, "", oracle.ask().values)
        oracle.register(row)
        asked.append(row.config)
        if number <= 12:
            oracle.tell(replace(row, state="finished", score=loss(row.config)))
    assert all(asked.count(each) == 1 for each in asked)


def test_hyperband_promotes_the_best_third_and_waits_for_it(oracles, study):
    base, points = study
    oracle = oracles.Oracle(points.drop_dimension("epochs"), config.from_flat({"epochs": 9}, base), "hyperband", 0)
    asked = []
    for number in range(1, 10):
        asked.append(Trial(number, "", oracle.ask().values, place={"bracket": 0, "rung": 0}))
        oracle.register(asked[-1])
    assert {row.config["epochs"] for row in asked} == {1}
    assert oracle.ask() is IDLE
    for row in asked:
        oracle.tell(replace(row, state="finished", score=loss(row.config)))
    promoted = []
    for number in range(10, 13):
        proposal = oracle.ask()
        promoted.append(proposal.bracket["parent"])
        oracle.register(Trial(number, "", proposal.values, place=proposal.bracket))
        assert proposal.values["epochs"] == 3
    assert promoted == [row.number for row in sorted(asked, key=lambda row: (loss(row.config), row.number))][:3]


def test_hyperband_ends_when_the_space_is_used_up(play, study):
    base, points = study
    rows = play((config.from_flat({"epochs": 4}, base), points.drop_dimension("epochs")), "hyperband")
    fresh = [row for row in rows if "parent" not in row.place]
    assert len(fresh) == 27
    assert len(rows) > 27
    assert len({space.config_key({**row.config, "epochs": 1}, base) for row in fresh}) == 27


def test_the_plan_of_hyperband_is_the_paper_s():
    plan = samplers.brackets(81)
    assert [(rung.count, rung.epochs) for rung in plan[0]] == [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)]
    assert [bracket[0].count for bracket in plan] == [81, 34, 15, 8, 5]
