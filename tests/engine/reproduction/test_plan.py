"""What a study trains."""

import pytest

from engine import config
from engine.config import StudyConfig
from engine.errors import ConfigError
from engine.reproduction import page
from engine.reproduction.job import base_configs, search_commands
from engine.search import space_file


def test_quick_study_is_the_two_presets():
    assert base_configs({}) == {"ae": config.preset("study-ae"), "vae": config.preset("study-vae")}


def test_full_study_is_a_bayesian_search_of_each_space(tmp_path):
    found = search_commands(StudyConfig(), {}, tmp_path)
    assert [(order.name, order.settings["trials"]) for order in found.values()] == [("ae", 17), ("vae", 61)]
    assert {order.settings["algorithm"] for order in found.values()} == {"bayesian"}
    for model, order in found.items():
        preset = f"seed-{model}"
        assert order.base == config.preset(preset)
        assert order.space == space_file.preset(preset)[1].to_dict()
        assert order.root == str(tmp_path)


def test_given_setting_goes_over_every_run_and_is_not_searched(tmp_path):
    found = search_commands(StudyConfig(), {"epochs": "3", "size": 64, "beta": 2.0, "seed": 5}, tmp_path)
    assert [order.base.training.epochs for order in found.values()] == [3, 3]
    assert [order.base.data.size for order in found.values()] == [64, 64]
    assert found["vae"].base.model.beta == 2.0
    assert found["vae"].settings["seed"] == 5
    assert list(found["ae"].space) == ["learning_rate", "batch_size", "latent"]


def test_study_without_anything_to_search_says_so(tmp_path):
    given = {"learning_rate": 1e-3, "epochs": 2, "batch_size": 8, "latent": 8}
    with pytest.raises(ConfigError, match="Nothing is left to search"):
        search_commands(StudyConfig(), given, tmp_path)


def test_setting_that_neither_model_has_is_refused():
    with pytest.raises(ConfigError, match="Neither model of the reference study has a setting 'colour'"):
        base_configs({"colour": 3})


def test_wrong_setting_is_refused_with_its_sentence():
    with pytest.raises(ConfigError, match=r"Size .* must be"):
        base_configs({"size": 3})


def test_folder_is_named_in_full_and_other_sources_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert base_configs({"source": "scans"})["ae"].data.source == str(tmp_path / "scans")
    assert base_configs({"source": "hf:a/b"})["ae"].data.source == "hf:a/b"
    assert base_configs({"source": "phantom"})["ae"].data.source == "phantom"


def test_commands_of_the_page_have_the_present_names_of_options():
    assert page._option("normalisation", "z-score") == ["--intensity", "z-score"]
    assert page._option("deterministic", False) == ["--no-deterministic"]
    assert page._option("filters", (8, 16)) == ["--filters", "8,16"]
    assert page._option("source", "phantom") == ["--data", "phantom"]
    assert page._option("source", "/home/ada/clinic/scans") == ["--data", "scans"]
    assert page._option("groups", "/home/ada/clinic/patients.csv") == ["--groups", "patients.csv"]
