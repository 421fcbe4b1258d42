import itertools
import json

import pytest

from engine import config
from engine.errors import ConfigError

SECTIONS = list(dict.fromkeys(part for model in config.MODELS for part in config.sections(model).values()))


def test_every_field_says_what_it_is():
    for spec in itertools.chain.from_iterable(map(config.list_fields, SECTIONS)):
        assert spec.title
        assert spec.help.endswith(".")
        assert spec.kind != "choice" or spec.default in spec.choices
        if spec.kind in ("int", "float"):
            assert spec.low <= spec.default <= spec.high


@pytest.mark.parametrize("model", config.MODELS)
def test_no_two_fields_of_a_run_share_a_name(model):
    names = [spec.name for section in config.sections(model).values() for spec in config.list_fields(section)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("model", config.MODELS)
def test_flat_and_build_are_each_others_inverse(model):
    one = config.from_flat({"model": model, "kernel_size": 5, "epochs": 3, "size": 64, "flip": 0.5, "noise": "rician"})
    assert config.from_flat(config.to_flat(one)) == one
    assert config.from_nested(json.loads(one.model_dump_json())) == one


def test_presets_hold_the_tables_of_the_study():
    ae, vae = config.preset("study-ae"), config.preset("study-vae")
    for one, model, rate in ((ae, "ae", 5e-4), (vae, "vae", 1e-3)):
        assert (one.model.model, one.model.latent, one.training.learning_rate) == (model, 512, rate)
        assert (one.training.epochs, one.training.batch_size) == (40, 16)
        assert (one.data.size, one.data.fit, one.data.normalisation) == (128, "squash", "none")
    assert set(config.presets()) >= {"study-ae", "study-vae"}


@pytest.mark.parametrize(("old", "new"), [("seed-ae", "study-ae"), ("seed-vae", "study-vae")])
def test_former_names_of_presets_are_understood_and_not_listed(old, new):
    assert config.current_preset(old) == config.current_preset(new) == new
    assert config.preset(old) == config.preset(new)
    assert old not in config.presets()


def test_options_of_settings_have_names_of_their_own():
    assert config.option_name("normalisation") == "--intensity"
    assert config.option_name("learning_rate") == "--learning-rate"
    with pytest.raises(ConfigError, match=r"Intensity scaling \(--intensity\) must be"):
        config.from_flat({"normalisation": "log"})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"latent": 0}, ["Latent size", "--latent", "1 to 16,384", "0"]),
        ({"epochs": "many"}, ["Epochs", "whole number", "many"]),
        ({"fit": "crop"}, ["letterbox, squash", "crop"]),
        ({"size": 100}, ["cannot be halved 5 times", "96 or 128"]),
        ({"stride": 3, "filters": (4, 4), "size": 64}, ["not a multiple of 9", "63 or 72"]),
        ({"stride": 4, "filters": (4, 4), "kernel_size": 3}, ["leaves gaps at stride 4", "use at least 4"]),
        ({"stride": 4, "kernel_size": 5}, ["factor of 1,024", "fewer filters"]),
        ({"activation": "sine"}, ["Activation", "--activation", "gelu", "sine"]),
        ({"filters": (0, 4)}, ["between 1 and 4,096"]),
        ({"filters": ("a", 4)}, ["Filters", "--filters"]),
        ({"beta": 2}, ["no setting 'beta'", "'ae'"]),
        ({"model": "gan"}, ["no model 'gan'", "ae", "vae", "unet"]),
    ],
)
def test_a_wrong_setting_gets_a_sentence(values, words):
    with pytest.raises(ConfigError) as caught:
        config.from_flat(values)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(ConfigError, match="study-ae"):
        config.preset("best")


def test_changing_the_model_keeps_what_both_have():
    vae = config.from_flat({"model": "vae", "beta": 2.0}, config.preset("study-ae"))
    assert vae.model.beta == 2.0
    assert vae.training.learning_rate == 5e-4
    assert config.from_flat({"model": "ae"}, vae).model == config.preset("study-ae").model


def test_a_model_without_a_bottleneck_is_no_good_without_noise():
    assert "copy its input" in config.from_flat({"model": "unet"}).warning
    assert not config.from_flat({"model": "unet", "noise": "gaussian"}).warning
    assert not config.from_flat({"model": "vae"}).warning


def test_a_model_has_its_own_defaults_unless_something_else_was_set():
    own = config.from_flat({"model": "unet"}).model
    assert (own.depth, own.norm, own.filters) == (2, "batch", (16, 32, 64, 128))
    set_before = config.from_flat({"model": "unet"}, config.from_flat({"depth": 3, "norm": "none", "epochs": 7}))
    assert (set_before.model.depth, set_before.model.norm, set_before.training.epochs) == (3, "none", 7)


def test_settings_written_before_a_setting_existed_are_read_as_they_were_meant():
    old = {
        "data": {"size": 64},
        "model": {"model": "vae", "latent": 5, "filters": [4, 8], "kernel_size": 3, "leaky_slope": 0.2, "beta": 1.0},
        "training": {"epochs": 3, "seed": 1},
    }
    one = config.from_nested(old)
    assert (one.model.stride, one.model.depth, one.model.activation, one.model.norm) == (2, 1, "leaky-relu", "batch")
    assert (one.model.kl_warm_up, one.model.free_bits) == (0, 0)
    assert (one.training.schedule, one.training.warm_up, one.training.ema) == ("constant", 0, 0)


def test_a_model_says_what_it_keeps_and_what_sizes_it_takes():
    one = config.from_flat({"latent": 9, "filters": (4, 8), "stride": 4, "kernel_size": 5, "size": 64}).model
    assert (one.latent_size, one.size_multiple) == (9, 16)
    assert config.ModelConfig().latent_size is None


def test_a_name_of_a_section_that_is_no_text_is_refused_in_a_sentence():
    with pytest.raises(ConfigError):
        config.from_nested({"d\ud800ata": {}})


@pytest.mark.parametrize("prefix", ["", "hf:"])
def test_a_record_names_folders_below_the_home_folder_without_it(monkeypatch, tmp_path, prefix):
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "ada"))
    inside, outside = tmp_path / "ada" / "scans", tmp_path / "ad"
    wanted = config.from_flat({"source": f"{prefix}{inside}", "groups": str(outside), "split_by": "image"})
    recorded = config.to_record(wanted)
    assert (recorded["data"]["source"], recorded["data"]["groups"]) == (f"{prefix}~/scans", str(outside))
    assert config.from_record(recorded) == wanted
    assert config.from_record({"data": wanted.model_dump()["data"]}) == config.from_flat({}, wanted)
