"""`channel_statistics`: the numbers of a run's channels on the command line, and images of what they like."""

import json

import numpy as np
import pytest
from PIL import Image

from engine import cli, data, evaluation, runs
from engine.analysis import channel_statistics
from engine.data.phantom import phantom
from engine.figures import DISCLAIMER


@pytest.fixture(scope="module")
def root(trained, tmp_path_factory):
    """Return a folder with two trained runs, 'first' and 'other'."""
    folder = tmp_path_factory.mktemp("runs")
    trained(epochs=1, at=folder / "first")
    trained(epochs=1, seed=5, at=folder / "other")
    return folder


@pytest.fixture
def call(capsys, root):
    """`call("first", ...)` -> (exit status, stdout, stderr)."""

    def go(*words):
        status = cli.main(["channels", *map(str, words), "--runs", str(root)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return go


def test_all_layers_in_one_table(call):
    status, out, _ = call("first")
    assert status == 0
    assert "Channels of run first over" in out
    assert "enc_act1" in out
    assert "dec_output" in out
    said = json.loads(call("first", "--json")[1])
    assert {layer["name"]: len(layer["channels"]) for layer in said["layers"]}["enc_conv2"] == 8


def test_one_layer_is_sorted_and_its_numbers_are_those_of_the_split(call, root):
    said = json.loads(call("first", "--layer", "enc_act2", "--split", "test", "--json")[1])
    run = runs.open_run("first", root)
    wanted = channel_statistics.statistics(
        evaluation.load_model(run), data.load(config=run.config.data).test, ["enc_act2"]
    )
    [layer] = said["layers"]
    energy = [row["energy"] for row in layer["channels"]]
    assert energy == sorted(energy, reverse=True)
    assert energy == pytest.approx(sorted(wanted["enc_act2"].energy, reverse=True), rel=1e-5)
    mean = [
        row["mean"]
        for row in json.loads(call("first", "--layer", "enc_act2", "--sort", "mean", "--json")[1])["layers"][0][
            "channels"
        ]
    ]
    assert mean == sorted(mean, reverse=True)
    by_number = json.loads(call("first", "--layer", "enc_act2", "--sort", "channel", "--json")[1])
    assert [row["channel"] for row in by_number["layers"][0]["channels"]] == list(range(8))


def test_a_dead_channel_stands_last_and_is_named(call, root):
    run = runs.open_run("first", root)
    model = evaluation.load_model(run)
    layer = model.encoder.get_layer("enc_norm1")
    weights = layer.get_weights()
    weights[0][2] = 0.0  # the gain of channel 2
    layer.set_weights(weights)
    dead = runs.copy_run(run, "dead")
    model.save(dead.model_path)
    said = json.loads(call("dead", "--layer", "enc_act1", "--json")[1])["layers"][0]
    assert said["dead"] == 1
    assert said["channels"][-1]["channel"] == 2
    assert "1 dead" in call("dead", "--layer", "enc_act1")[1]


def test_images_that_excite_channels(call, tmp_path):
    scan = tmp_path / "scan.png"
    Image.fromarray(np.rint(phantom(64, 0, 1).image * 255).astype(np.uint8)).save(scan)
    words = ("first", "--layer", "enc_act1", "--top", "2", "--favorites", "3", "--preferred", "--saliency", scan)
    status, out, said = call(*words, "--match", "other", "--out", tmp_path / "out", "--json")
    assert status == 0, said
    found = json.loads(out)
    assert [len(each["scans"]) for each in found["favourites"]["channels"]] == [3, 3]
    assert len(found["favourites"]["channels"]) == len(found["preferred"]["channels"]) == 2
    assert all(each["value"] >= each["start"] for each in found["preferred"]["channels"])
    assert sorted(second for _, second in found["match"]["pairs"]) == [0, 1, 2, 3]
    for name in ("favourites", "preferred", "saliency", "match"):
        with Image.open(found[name]["figure"]) as drawn:
            assert DISCLAIMER in drawn.info["Description"]


def test_a_run_matched_with_itself_is_the_same(call):
    found = json.loads(call("first", "--layer", "enc_act1", "--match", "first", "--json")[1])["match"]
    assert found["pairs"] == [[number, number] for number in range(4)]
    assert found["rms"] == [0.0] * 4
    assert "figure" not in found


def test_numbers_of_a_latent_have_top_images_too(call, tmp_path):
    words = ("first", "--layer", "enc_latent", "--top", "2", "--favorites", "2", "--match", "other")
    assert call(*words, "--out", tmp_path / "out")[0] == 0
    assert (tmp_path / "out" / "enc_latent-favourites.png").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--preferred",), "--preferred needs a layer"),
        (("--layer", "enc_act1", "--favorites", "2"), "Add an output folder with --out"),
        (("--layer", "enc_act1", "--top", "0"), "--top must be a whole number from 1 to 64"),
        (("--layer", "enc_act9"), "no layer 'enc_act9'"),
        (("--layer", "enc_act1", "--match", "nobody"), "nobody"),
    ],
)
def test_bad_words_are_sentences(call, words, said):
    status, out, told = call("first", *words)
    assert (status, out) == (3 if said == "nobody" else 2, "")
    assert said in told
