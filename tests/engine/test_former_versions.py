"""Folders that former versions wrote: runs are opened, resumed and computed with alike, searches are read."""

import json
import zipfile

import numpy as np
import pytest

from engine import models, runs
from engine.evaluation import scoring
from engine.messages import RunStudy
from engine.reproduction import figures
from engine.reproduction.job import run_study
from engine.search import folder
from engine.training import job
from tests.engine.conftest import ROOT

# Made by version 0.1.0 from phantoms, as were the randomly weighted sums of what each model made of `noise`.
SAMPLE = ROOT / "tests" / "samples" / "runs-0.1.0.zip"
STUDY = ROOT / "tests" / "samples" / "study-0.1.0.zip"
SUMS = {"ae": -23.985759, "residual-ae": -30.371753, "residual-vae": -18.465257}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    found = tmp_path_factory.mktemp("former")
    with zipfile.ZipFile(SAMPLE) as sample:
        sample.extractall(found)
    return found


@pytest.mark.parametrize("name", sorted(SUMS))
def test_models_compute_what_they_computed(root, name):
    run = runs.open_run(name, root)
    rng = np.random.default_rng(0)
    noise, weights = rng.random((2, 32, 32, 1), np.float32), rng.standard_normal((2, 32, 32, 1))
    assert run.state() == "finished"
    found = scoring.reconstruct(models.load(run), noise)
    assert float(np.sum(found * weights)) == pytest.approx(SUMS[name], abs=1e-3)


def test_run_is_resumed_from_its_checkpoint(root):
    run = runs.open_run("ae", root)
    config = json.loads((run.path / "config.json").read_text(encoding="utf-8"))
    config["training"]["threads"] = 0  # this process has as many already
    run.write_json("config.json", config)
    job.resume(run, epochs=3)
    assert [row["epoch"] for row in runs.open_run("ae", root).history()] == [1, 2, 3]


def test_search_and_its_trials_are_read(root):
    search = folder.open_search("old-search", root)
    with search.open_storage() as storage:
        trials = storage.trials()
    assert [(trial.number, trial.state, trial.config) for trial in trials] == [
        (1, "finished", {"latent": 6}),
        (2, "finished", {"latent": 4}),
    ]


def test_study_is_taken_up_without_training_or_measuring_again(tmp_path, monkeypatch):
    with zipfile.ZipFile(STUDY) as sample:
        sample.extractall(tmp_path)
    monkeypatch.setattr(figures, "figure_builders", list)  # drawing takes seconds and is tested elsewhere
    before = json.loads((tmp_path / "study.json").read_text(encoding="utf-8"))
    measured = (tmp_path / "measured.json").read_bytes()
    weights = {path: path.read_bytes() for path in tmp_path.glob("runs/*/model.keras")}
    found = run_study(RunStudy(out=str(tmp_path), settings=before["settings"], config={"quick": True}))
    assert found["state"] == "finished"
    assert [run["name"] for run in found["runs"]] == ["seed-ae", "seed-vae"]
    assert (tmp_path / "measured.json").read_bytes() == measured
    assert len(weights) == 2
    assert all(path.read_bytes() == content for path, content in weights.items())
