"""What may vary: the study's tables, ranges, conditions, and a sentence for everything that cannot be."""

import json

import numpy as np
import pytest

from engine import config
from engine.errors import ConfigError
from engine.search import space, space_file

BASE = config.RunConfig()
MIXED = {
    "beta": {"low": 0.1, "high": 10},
    "model": ["ae", "vae"],
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "latent": {"low": 8, "high": 64},
    "filters": [[4, 8], [8, 16, 32]],
}


@pytest.mark.parametrize(("name", "model"), [("study-ae", "ae"), ("study-vae", "vae")])
def test_the_study_s_tables_have_81_points(name, model):
    base, table = space_file.preset(name)
    points = list(table.points())
    assert base.model.model == model
    assert table.size() == len(points) == len({space.config_key(point, base) for point in points}) == 81
    assert {name: sorted(values) for name, values in table.to_dict().items()} == {
        "learning_rate": [1e-4, 5e-4, 1e-3],
        "epochs": [10, 20, 40],
        "batch_size": [16, 32, 64],
        "latent": [512, 1024, 2048],
    }
    for point in points:
        config.from_flat(point, base)


@pytest.mark.parametrize(("old", "new"), [("seed-ae", "study-ae"), ("seed-vae", "study-vae")])
def test_former_name_of_a_preset_has_the_same_space(old, new):
    assert space_file.preset(old) == space_file.preset(new)


def test_a_space_comes_back_from_its_description():
    made = space_file.parse(MIXED, BASE)
    assert space_file.parse(json.loads(json.dumps(made.to_dict())), BASE) == made


def test_a_range_has_no_end_of_points_unless_it_is_of_whole_numbers():
    assert space_file.parse(MIXED, BASE).size() is None
    assert space_file.parse({"latent": {"low": 8, "high": 11}, "epochs": [1, 2]}, BASE).size() == 8


def test_a_setting_that_one_model_has_varies_with_that_model_alone():
    described = {"beta": [1, 2, 4], "model": ["ae", "vae"], "latent": [8, 16]}
    points = list(space_file.parse(described, BASE).points())
    assert len(points) == (1 + 3) * 2
    assert all(("beta" in point) == (point["model"] == "vae") for point in points)


def test_a_condition_may_name_any_list():
    described = {"batch_size": [8, 16], "latent": {"values": [4, 8], "when": {"batch_size": 16}}}
    made = space_file.parse(described, BASE)
    assert list(made.points()) == [{"batch_size": 8}, {"batch_size": 16, "latent": 4}, {"batch_size": 16, "latent": 8}]


def test_drawn_points_are_settings_and_spread_over_decades():
    made, rng = space_file.parse(MIXED, BASE), np.random.default_rng(0)
    drawn = [made.sample(rng) for _ in range(400)]
    for point in drawn:
        config.from_flat({**point, "size": 64}, BASE)
    rates = np.array([point["learning_rate"] for point in drawn])
    assert 0.4 < np.mean(rates < 1e-3) < 0.6
    near = [made.perturb(drawn[0], rng)["learning_rate"] for _ in range(100)]
    assert np.std(np.log(near)) < 0.8 * np.std(np.log(rates))


def test_features_lie_between_0_and_1_and_keep_the_order():
    made = space_file.parse({"learning_rate": [1e-3, 1e-5, 1e-4], "model": ["ae", "vae"], "beta": [1, 2]}, BASE)
    rows = np.array([made.features(point) for point in made.points()])
    assert rows.min() == 0
    assert rows.max() == 1
    assert rows.shape[1] == 4
    low, high = (made.features({"learning_rate": rate, "model": "ae"})[0] for rate in (1e-5, 1e-4))
    assert low < high


REFUSED = {
    "There is no setting 'learning_rte' .* Did you mean 'learning_rate'": {"learning_rte": [1]},
    r"Learning rate \(learning_rate\) cannot be 5 .* from 1e-07 to 1": {"learning_rate": [1e-3, 5]},
    "Resize mode .* letterbox, squash": {"fit": ["letterbox", "stretch"]},
    "no 'high'": {"latent": {"low": 5}},
    "no setting 'beta' for the model 'ae'": {"beta": [1]},
    "'epochs' is empty": {"epochs": []},
    "The values of 'epochs' are not valid": {"epochs": 3},
    "The values of 'latent' are not valid": {"latent": {"values": [1], "low": 1}},
    "not numeric, so it cannot have a range": {"source": {"low": 1, "high": 2}},
    "which is not in the search space": {"epochs": [1, 2], "latent": {"values": [3], "when": {"epochs": 3}}},
    "has no list in the search space": {"latent": {"values": [3], "when": {"epochs": 3}}},
    "'low' must be below 'high'": {"latent": {"low": 20, "high": 2}},
    "must start above 0": {"leaky_slope": {"low": 0, "high": 1, "log": True}},
    "depend on each other": {
        "epochs": {"values": [1], "when": {"latent": 1}},
        "latent": {"values": [1], "when": {"epochs": 1}},
    },
    "no model 'xyz'": {"model": ["ae", "xyz"]},
    r"no model '\['ae'\]'": {"model": [["ae"]]},
    "'model' needs a list of models": {"model": {"low": 1, "high": 2}},
    "values of 'epochs' are not valid": {"epochs": {"values": 3}},
    r"Filters \(filters\) cannot be 4 .* a list of whole numbers": {"filters": [4, 8]},
    "The search space is empty": {},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_a_space_that_cannot_be_is_refused_in_a_sentence(sentence):
    with pytest.raises(ConfigError, match=sentence):
        space_file.parse(REFUSED[sentence], BASE)


@pytest.mark.parametrize("content", ["{", "[1]", "[" * 200_000 + "]" * 200_000], ids=lambda text: text[:3])
def test_a_file_that_is_no_space_is_refused_in_a_sentence(content, tmp_path):
    (tmp_path / "space.json").write_text(content)
    with pytest.raises(ConfigError, match=r"space\.json"):
        space_file.load_space(tmp_path / "space.json", BASE)


def test_a_fixed_setting_leaves_the_space_unless_another_depends_on_it():
    _, table = space_file.preset("study-ae")
    assert table.drop_dimension("epochs").size() == 27
    with pytest.raises(ConfigError, match="'beta' depends on 'model'"):
        space_file.parse({"model": ["ae", "vae"], "beta": [1]}, BASE).drop_dimension("model")
