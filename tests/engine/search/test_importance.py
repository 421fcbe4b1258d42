"""How much each setting mattered: found where it is planted, open where there is nothing, honest about how sure."""

import numpy as np
import pytest

from engine import config
from engine.messages import ComputeImportances, read_command
from engine.search import space_file
from engine.search.statistics import _fits, compute_importances, hyperparameter_importances

SPACE = space_file.parse(
    {
        "learning_rate": {"low": 1e-5, "high": 1e-2, "log": True},
        "latent": [64, 128, 256, 512],
        "batch_size": [16, 32, 64],
        "activation": ["relu", "elu", "gelu"],
    },
    config.RunConfig(),
)
ACTIVATIONS = {"relu": 0.0, "elu": 0.1, "gelu": 0.2}


def trials(count, seed, noise=0.05):
    """Losses that halve over the range of the rate, grow by a fifth over that of the latent, differ by activation."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        values = SPACE.sample(rng)
        rate, latent = SPACE.features(values)[:2]
        log_loss = np.log(0.01) + np.log(0.5) * rate + np.log(1.2) * latent + ACTIVATIONS[values["activation"]]
        yield values, float(np.exp(log_loss + noise * rng.standard_normal()))


def test_what_is_planted_is_found_with_its_sign():
    found = {each.name: each for each in hyperparameter_importances(SPACE, list(trials(60, 0)))}
    assert next(iter(found)) == "learning_rate"
    assert (found["learning_rate"].sign, found["latent"].sign) == (-1, 1)
    assert found["learning_rate"].effect == pytest.approx(-0.5, abs=0.06)
    assert found["latent"].effect == pytest.approx(0.2, abs=0.08)
    assert found["activation"].sign == 0
    assert found["activation"].effect == pytest.approx(np.expm1(0.2), abs=0.06)


def test_what_does_nothing_stays_open():
    found = {each.name: each for each in hyperparameter_importances(SPACE, list(trials(60, 1)))}
    assert found["batch_size"].sign == 0
    assert found["batch_size"].low < 0 < found["batch_size"].high


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    held = 0
    for seed in range(60):
        found = {each.name: each for each in hyperparameter_importances(SPACE, list(trials(30, seed)), seed=seed)}
        held += found["learning_rate"].low <= -0.5 <= found["learning_rate"].high
    assert held >= 51  # 95 % promised; small samples keep a little less


def test_too_few_trials_and_settings_that_never_varied_say_nothing():
    assert hyperparameter_importances(SPACE, list(trials(6, 0))) is None
    assert hyperparameter_importances(SPACE, []) is None
    same = [({**values, "latent": 64}, score) for values, score in trials(40, 0)]
    assert "latent" not in {each.name for each in hyperparameter_importances(SPACE, same)}


def test_losses_that_may_be_negative_have_effects_in_their_own_unit():
    shifted = [(values, score - 0.01) for values, score in trials(60, 0)]
    assert not any(each.is_relative for each in hyperparameter_importances(SPACE, shifted))


@pytest.mark.parametrize("twins", [False, True])
def test_all_fits_at_once_are_those_of_one_after_the_other(twins):
    rng = np.random.default_rng(0)
    features, targets = rng.random((20, 4)), rng.standard_normal(20)
    if twins:
        features[:, 3] = features[:, 2]  # which of the two it was cannot be told
    drawn = rng.integers(20, size=(6, 20))
    found = _fits(features, targets, np.array([np.bincount(rows, minlength=20) for rows in drawn]))
    for rows, fit in zip(drawn, found, strict=True):
        centred = features[rows] - features[rows].mean(axis=0)
        assert fit == pytest.approx(np.linalg.lstsq(centred, targets[rows] - targets[rows].mean(), rcond=1e-8)[0])


def test_requested_by_a_line_the_numbers_are_the_same_to_the_last_bit():
    base = config.RunConfig()
    described = {**SPACE.to_dict(), "filters": [[16, 32], [32, 64], [8, 16, 32]]}
    points = space_file.parse(described, base)
    rng = np.random.default_rng(3)
    tried = [(points.sample(rng), float(score)) for score in rng.random(40)]
    asked = ComputeImportances(number=1, panel="p", base=base, space=points.to_dict(), trials=tried)
    told = compute_importances(read_command(asked.to_json_line()))
    assert list(told.weighed) == hyperparameter_importances(points, tried)
    few = ComputeImportances(number=2, panel="p", base=base, space=points.to_dict(), trials=tried[:3])
    assert compute_importances(read_command(few.to_json_line())).weighed is None
