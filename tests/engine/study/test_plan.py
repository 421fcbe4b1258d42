"""Which runs a study needs."""

import pytest

from engine import config
from engine.config import StudyConfig
from engine.errors import ConfigError
from engine.study.plan import plan

QUICK = StudyConfig(quick=True)


def test_quick_study_is_the_two_presets_and_nothing_else():
    planned = plan(QUICK, {})
    assert [(each.name, each.config, each.is_trial) for each in planned] == [
        ("seed-ae", config.preset("seed-ae"), False),
        ("seed-vae", config.preset("seed-vae"), False),
    ]


def test_full_study_is_17_and_61_trials_with_names_of_their_own():
    planned = plan(StudyConfig(), {})
    assert [each.model for each in planned] == ["ae"] * 17 + ["vae"] * 61
    assert len({each.name for each in planned}) == 78
    assert len({str(each.config) for each in planned}) == 78
    assert planned[0].name == "ae-trial-01"
    assert all(each.config.data == config.preset("seed-ae").data for each in planned)
    first_vae = planned[17].point
    assert [each.point for each in planned[:17]] != [each.point for each in planned[17:34]]
    assert first_vae.keys() == {"learning_rate", "epochs", "batch_size", "latent"}


def test_given_setting_goes_over_every_run_and_is_not_searched():
    planned = plan(StudyConfig(trials_ae=30, trials_vae=2), {"epochs": "3", "size": 64, "beta": 2.0})
    assert len(planned) == 27 + 2
    assert {each.config.training.epochs for each in planned} == {3}
    assert {each.config.data.size for each in planned} == {64}
    assert planned[-1].config.model.beta == 2.0


def test_setting_that_neither_model_has_is_refused():
    with pytest.raises(ConfigError, match="Neither model of the study has a setting 'colour'"):
        plan(QUICK, {"colour": 3})


def test_wrong_setting_is_refused_with_its_sentence():
    with pytest.raises(ConfigError, match=r"Size .* must be"):
        plan(QUICK, {"size": 3})


def test_folder_is_named_in_full_and_other_sources_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert plan(QUICK, {"source": "scans"})[0].config.data.source == str(tmp_path / "scans")
    assert plan(QUICK, {"source": "hf:a/b"})[0].config.data.source == "hf:a/b"
    assert plan(QUICK, {"source": "phantom"})[0].config.data.source == "phantom"
