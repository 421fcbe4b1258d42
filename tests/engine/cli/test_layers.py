"""`activations` and `lesion-layers`: the commands that look into a run's layers."""

import json

import numpy as np
import pytest
from PIL import Image

from engine import cli
from engine.data.phantom import phantom
from engine.figures import DISCLAIMER

pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture(scope="module")
def root(trained, tmp_path_factory):
    """Return a folder with one trained run, 'first'."""
    return trained(epochs=1, at=tmp_path_factory.mktemp("runs") / "first").path.parent


@pytest.fixture
def scans(tmp_path):
    """Two scans of one name in different folders, and a table with a box for the first."""
    for index in range(2):
        file = tmp_path / str(index) / "scan one.png"
        file.parent.mkdir()
        Image.fromarray(np.rint(phantom(64, 0, index).image * 255).astype(np.uint8)).save(file)
    return [tmp_path / str(index) / "scan one.png" for index in range(2)]


@pytest.fixture
def call(capsys, root):
    """`call("activations", ...)` -> (exit status, stdout, stderr)."""

    def go(*words):
        status = cli.main([*map(str, words), "--runs", str(root)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return go


def test_every_layer_of_every_image_is_drawn(call, scans, tmp_path):
    status, out, _ = call("activations", "first", *scans, "--out", tmp_path / "out", "--arrays", "--json")
    said = json.loads(out)
    assert status == 0
    assert [each["image"] for each in said["images"]] == list(map(str, scans))
    names = [layer["name"] for layer in said["layers"]]
    assert {"enc_conv1", "enc_act1", "enc_latent", "dec_output"} < set(names)
    first, second = (each["files"] for each in said["images"])
    assert list(first) == ["overview", *names]
    assert first["enc_conv1"]["mosaic"] != second["enc_conv1"]["mosaic"]
    for files in (first, second):
        with Image.open(files["overview"]) as overview, Image.open(files["enc_act1"]["mosaic"]) as drawn:
            assert DISCLAIMER in overview.info["Description"]
            assert DISCLAIMER in drawn.info["Description"]
            assert drawn.size[0] > 900
    assert np.load(first["enc_conv1"]["array"]).shape == (16, 16, 4)


def test_json_tells_what_a_layer_is_and_sees(call, scans, tmp_path):
    _, out, _ = call("activations", "first", scans[0], "--layer", "enc_conv2", "--out", tmp_path / "out", "--json")
    said = json.loads(out)
    [layer] = said["layers"]
    assert layer | {"receptive_field": None} == {
        **{"name": "enc_conv2", "kind": "Conv2D", "part": "encoder", "shape": [8, 8, 8], "parameters": 8 * (36 + 1)},
        **{"kernel": [3, 3], "stride": [2, 2], "receives": ["enc_act1"], "receptive_field": None},
    }
    assert layer["receptive_field"] == {
        **{"size": [7, 7], "step": [4.0, 4.0], "centre": [19.5, 19.5], "unit": [4, 4], "known": True},
    }
    assert list(said["images"][0]["files"]) == ["overview", "enc_conv2"]
    assert "array" not in said["images"][0]["files"]["enc_conv2"]


def test_text_is_a_table_of_layers(call, scans, tmp_path):
    status, out, _ = call("activations", "first", scans[0], "--layer", "all", "--out", tmp_path / "out")
    assert status == 0
    assert "enc_conv1   Conv2D" in out
    assert f"Saved images of 1 input to {tmp_path / 'out'}" in out


def test_what_is_not_there_is_a_sentence_and_does_not_keep_others_back(call, scans, tmp_path):
    status, out, said = call(
        "activations", "first", tmp_path / "none.png", scans[0], "--out", tmp_path / "out", "--json"
    )
    assert status == 5
    assert len(json.loads(out)["images"]) == len(json.loads(out)["failed"]) == 1
    assert "none.png" in said
    status, _, said = call("activations", "first", scans[0], "--layer", "enc_conv9", "--out", tmp_path / "out")
    assert status == 2
    assert "no layer 'enc_conv9'" in said


def test_phantoms_are_followed(call):
    asked = ("lesion-layers", "first", "--pairs", "3", "--places", "1", "--observer-channels", "6")
    status, out, _ = call(*asked, "--json")
    said = json.loads(out)
    assert status == 0
    assert said["of"] == "phantoms and their healthy twins"
    assert len(said["pairs"]) == 3
    held = [layer["held_share"] for layer in said["layers"]]
    assert held == sorted(held, reverse=True)
    assert said["loses_most"] in {layer["name"] for layer in said["layers"]}
    assert all(0 <= pair["output_share"] <= 1 for pair in said["pairs"])
    assert said["picture_d_prime"] == pytest.approx(np.mean([pair["picture_d_prime"] for pair in said["pairs"]]))
    text = call(*asked)[1]
    assert f"Largest loss at {said['loses_most']}" in text
    assert "at the output" in text


def test_the_way_of_lesions_is_drawn_and_some_layers_can_be_asked(call, tmp_path):
    asked = ("lesion-layers", "first", "--pairs", "2", "--places", "1", "--observer-channels", "4", "--layers")
    status, out, _ = call(*asked, "stages", "--out", tmp_path / "way", "--json")
    said = json.loads(out)
    assert status == 0
    assert [layer["name"] for layer in said["layers"]] == [
        *("enc_act1", "enc_act2", "enc_latent", "dec_dense", "dec_act1", "dec_output"),
    ]
    with Image.open(said["figure"]) as drawn:
        assert DISCLAIMER in drawn.info["Description"]
    named = json.loads(call(*asked, "enc_latent, dec_output", "--json")[1])
    assert [layer["name"] for layer in named["layers"]] == ["enc_latent", "dec_output"]
    assert named["loses_most"] == "enc_latent"
    assert "no layer 'enc_conv9'" in call(*asked, "enc_conv9")[2]


def test_images_with_boxes_are_followed(call, tmp_path, monkeypatch):
    monkeypatch.setenv("ENGRAM_CACHE", str(tmp_path / "cache"))
    rows = ["split,class,file,x_center,y_center,width,height"]
    for index in range(8):
        made = phantom(64, 4, index, label="meningioma_tumor")
        part = "Training" if index < 6 else "Testing"
        file = tmp_path / "scans" / part / "meningioma_tumor" / f"{index}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.rint(made.image * 255).astype(np.uint8)).save(file)
        down, across = (np.flatnonzero(made.mask.any(axis=axis)) for axis in (1, 0))
        box = [(across[0] + across[-1] + 1) / 128, (down[0] + down[-1] + 1) / 128, len(across) / 64, len(down) / 64]
        rows.append(f"{part},meningioma_tumor,{index}.png," + ",".join(f"{value:.3f}" for value in box))
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    words = ("lesion-layers", "first", "--data", tmp_path / "scans", "--boxes", tmp_path / "boxes.csv")
    status, out, said = call(*words, "--split", "test", "--places", "1", "--observer-channels", "4", "--json")
    assert status == 0, said
    assert json.loads(out)["of"] == "test images and the same images with the lesion filled in"
    assert {pair["name"].split("/")[-1] for pair in json.loads(out)["pairs"]} == {"6.png", "7.png"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--pairs", "0"), "--pairs must be a whole number from 1 to 200; '0' was given"),
        (("--observer-noise", "none"), "--observer-noise must be a number above 0; 'none' was given"),
        (("--observer-channels", "1.5"), "--observer-channels must be a whole number from 1 to 64"),
        (("--data", "phantom"), "needs a table of lesion boxes"),
        (("--data", "somewhere"), "'somewhere' does not exist"),
        (("--boxes", "nowhere.csv"), "There is no box file nowhere.csv"),
    ],
)
def test_bad_words_are_sentences(call, words, said):
    status, out, told = call("lesion-layers", "first", *words)
    is_missing = "exist" in said or "no box file" in said
    assert (status, out) == (3 if is_missing else 2, "")
    assert said in told
