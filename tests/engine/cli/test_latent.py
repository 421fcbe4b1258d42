"""`latent` and `sample`: files, numbers and sentences, for runs with a latent and without."""

import csv
import json
import sys

import pytest

from engine import cli, config
from engine.cli import latent_figures
from engine.figures import DISCLAIMER
from engine.training import job
from tests.trained_runs import TINY

pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture(scope="module")
def root(trained, tmp_path_factory):
    """Return a folder with a run of each kind of latent space: 'ae', 'vae' and 'unet'."""
    folder = tmp_path_factory.mktemp("runs")
    for model in ("ae", "vae", "unet"):
        trained(model, phantom_count=60, epochs=1, at=folder / model)
    return folder


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """Draw traversals and interpolations with few steps."""
    monkeypatch.setattr(latent_figures, "STEPS", 3)
    monkeypatch.setattr(latent_figures, "WALKS", 2)
    monkeypatch.setattr(latent_figures, "SUSPECTS", 2)


@pytest.fixture
def call(capsys, root):
    """`call("latent", ...)` -> (exit status, stdout, stderr)."""

    def go(*words):
        status = cli.main([*map(str, words), "--runs", str(root)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return go


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_variational_run_has_every_figure_and_table(call, tmp_path):
    status, out, _ = call("latent", "vae", "--out", tmp_path, "--json")
    content = json.loads(out)
    assert status == 0
    pictures = {"map", "dimensions", "neighbours", "suspects", "walks", "interpolation", "averages", "calibration"}
    assert {path.stem for path in tmp_path.glob("*.png")} == pictures | {"spread"}
    assert all(DISCLAIMER.encode() in path.read_bytes() for path in tmp_path.glob("*.png"))
    points = table(tmp_path / "points.csv")
    assert len(points) == sum(content["scans"].values())
    assert {"split", "index", "name", "label", "leaked", "mse", "x", "y"} == set(points[0])
    assert len(table(tmp_path / "dimensions.csv")) == content["collapse"]["dimensions"] == 8
    assert len(table(tmp_path / "neighbours.csv")) == content["copies"]["test_scans"]
    assert content["copies"]["flagged_pixel"] == 0
    assert content["calibration"]["coverage"][8] < 0.9
    assert 0.88 < content["calibration"]["calibrated"]["coverage"][8] < 1
    assert content["calibration"]["test"]["split"] == "test_clean"
    assert 0.88 < content["calibration"]["test"]["coverage"][8] < 1


def test_text_says_what_was_found(call, tmp_path):
    status, out, _ = call("latent", "ae", "--out", tmp_path, "--method", "tsne", "--seed", "3")
    assert status == 0
    assert "8 latent dimensions" in out
    assert "t-SNE of the first" in out
    assert "test images are near copies of training images (ratio below 0.33)" in out
    assert not (tmp_path / "spread.png").exists()


def test_model_without_a_latent_is_mapped_by_its_deepest_features(call, tmp_path):
    status, out, _ = call("latent", "unet", "--out", tmp_path)
    assert status == 0
    assert "deepest features" in out
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "map.png",
        "dimensions.png",
        "neighbours.png",
        "suspects.png",
    }


@pytest.mark.parametrize(("run", "source"), [("vae", "prior"), ("ae", "mixture")])
def test_samples_are_images_with_their_nearest_images(call, tmp_path, run, source):
    status, out, _ = call("sample", run, "--n", "10", "--out", tmp_path, "--json")
    content = json.loads(out)
    assert status == 0
    assert content["source"] == source
    assert len(list(tmp_path.glob("sample-*.png"))) == 10
    rows = table(tmp_path / "samples.csv")
    assert [row["nearest"] for row in rows] == [each["nearest"] for each in content["samples"]]
    assert (tmp_path / "samples.png").exists()
    _, text, _ = call("sample", run, "--n", "2", "--out", tmp_path)
    assert "near copies of training images" in text


def look_into(backend, root):
    """Train a run on a backend, sample from it and map its latents; return the backend that computed."""
    settings = {**TINY, "model": "vae", "phantom_count": 60, "epochs": 1, "backend": backend}
    job.train(config.from_flat(settings), run="run", root=root)
    for command, *words in (["sample", "--n", "2"], ["latent"]):
        assert cli.main([command, "run", *words, "--runs", str(root), "--json", "--out", str(root / command)]) == 0
    return sys.modules["keras"].backend.backend()


LOOK_INTO = """
import sys
from pathlib import Path
from tests.engine.cli.test_latent import look_into
sys.stdout.write(look_into(sys.argv[1], Path(sys.argv[2])))
"""


@pytest.mark.slow
def test_run_of_any_backend_is_looked_into_on_it_and_read_by_tensorflow(backend, run_python, tmp_path, monkeypatch):
    """Commands compute with the run's own backend; the app reads with TensorFlow, as this process does."""
    monkeypatch.setattr(latent_figures, "write_figures", lambda *_: {})  # drawn in this process by other tests
    if backend == "tensorflow":
        assert look_into(backend, tmp_path) == backend
    else:
        assert run_python("-c", LOOK_INTO, backend, str(tmp_path)).splitlines()[-1] == backend
    assert sys.modules["keras"].backend.backend() == "tensorflow"
    assert (tmp_path / "sample" / "sample-001.png").exists()
    own = table(tmp_path / "latent" / "points.csv")
    for path in (tmp_path / "run" / "latents").iterdir():
        path.unlink()
    assert cli.main(["latent", "run", "--runs", str(tmp_path), "--out", str(tmp_path / "read")]) == 0
    for name in ("x", "y", "mse"):
        read = [float(row[name]) for row in table(tmp_path / "read" / "points.csv")]
        assert read == pytest.approx([float(row[name]) for row in own], rel=1e-3, abs=1e-3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sample", "ae", "--from", "prior"), "has no prior"),
        (("sample", "unet"), "a latent code alone cannot be decoded"),
        (("sample", "ae", "--n", "0"), "--n must be a whole number from 1 to 256"),
        (("sample", "ae", "--seed", "-1"), "--seed must be a whole number"),
        (("latent", "none"), "There is no run 'none'"),
    ],
)
def test_what_cannot_be_done_gets_a_sentence(call, tmp_path, words, said):
    status, out, err = call(*words, "--out", tmp_path)
    assert status == (3 if "no run" in said else 2)
    assert said in err
    assert out == ""
    assert "Traceback" not in err
