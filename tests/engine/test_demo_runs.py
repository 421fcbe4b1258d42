"""The ready-made runs: whole, small, anonymous, good to look at, and put where there are none yet."""

import json
import re
import socket

import numpy as np
import pytest

from engine import demo_runs, evaluation, metrics, noise, runs
from engine.data import phantom
from engine.evaluation import scoring
from engine.messages import EpochEnded, JobStarted

PACKED = [runs.Run(path) for path in sorted(demo_runs.PACKED.iterdir()) if path.is_dir()]
TEXTS = ("config.json", "provenance.json", "events.jsonl", "history.csv")


@pytest.fixture(scope="module")
def tiny_run(trained, tmp_path_factory):
    """Return a tiny run, alone in its folder."""
    return trained(epochs=3, at=tmp_path_factory.mktemp("runs") / "tiny")


def test_there_is_one_run_of_each_of_the_studys_models_and_a_denoiser():
    assert [run.config.model.model for run in PACKED] == ["ae", "unet", "vae"]
    assert [run.config.noise.noise for run in PACKED] == ["none", "gaussian-or-rician", "none"]
    assert all(run.config.data.source == "phantom" for run in PACKED)


def test_ready_made_runs_are_small():
    files = [file for file in demo_runs.PACKED.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= 9 * 2**20


@pytest.mark.parametrize("run", PACKED, ids=lambda run: run.name)
def test_ready_made_run_is_whole(run):
    assert run.state() == "finished"
    assert [row["epoch"] for row in run.history()] == list(range(1, run.config.training.epochs + 1))
    assert run.provenance["data"]["fingerprint"]
    assert run.model_path.is_file()
    assert not run.checkpoints.exists()
    assert not (run.path / "lock").exists()
    shown = [event.preview for event in run.events() if isinstance(event, EpochEnded) and event.preview]
    originals = np.load(run.previews / "originals.npy")
    assert len(shown) >= 5
    assert all(np.load(run.path / name).shape == originals.shape for name in shown)


@pytest.mark.parametrize("run", PACKED, ids=lambda run: run.name)
def test_ready_made_run_names_no_machine(run):
    for name in TEXTS:
        text = (run.path / name).read_text(encoding="utf-8")
        assert socket.gethostname() not in text
        assert not re.search(r"(?<![\w.])/(home|root|tmp|work|Users|var)\b|[A-Z]:\\\\", text), name


@pytest.mark.parametrize("run", PACKED, ids=lambda run: run.name)
def test_ready_made_run_shows_the_phantoms_of_today(run):
    """When this fails the generator draws other phantoms: `make demo-run` trains the ready-made runs on them."""
    names = json.loads((run.previews / "names.json").read_text(encoding="utf-8"))
    settings = run.config.data
    made = [phantom.phantom(settings.size, settings.phantom_seed, int(name.split("-")[1])).image for name in names]
    assert (np.round(np.stack(made) * 255) == np.load(run.previews / "originals.npy")).all()


@pytest.mark.parametrize("run", PACKED, ids=lambda run: run.name)
def test_ready_made_run_is_worth_looking_at(run):
    """Its model loads here, and makes of its own preview images what it should; a denoiser, of noisy ones."""
    originals = np.load(run.previews / "originals.npy")[..., None] / np.float32(255)
    is_denoiser = run.config.noise.noise != "none"
    given = noise.add_noise(originals, "rician", 0.1, seed=0) if is_denoiser else originals
    made = scoring.reconstruct(evaluation.load_model(run), given)
    best = [event for event in run.events() if isinstance(event, EpochEnded) and event.best][-1]
    assert best.epoch == run.best_epoch()
    assert metrics.psnr_db(originals, made).mean() > {"ae": 22, "vae": 19, "unet": 27}[run.config.model.model]


def test_packing_keeps_what_is_worth_shipping(tiny_run, tmp_path):
    packed = demo_runs.pack(tiny_run, tmp_path / "tiny", epochs=(1, 3))
    assert {path.relative_to(packed.path).as_posix() for path in packed.path.rglob("*") if path.is_file()} == {
        *demo_runs.KEPT,
        "events.jsonl",
        "previews/originals.npy",
        "previews/epoch-00001.npy",
        "previews/epoch-00003.npy",
    }
    assert packed.history() == tiny_run.history()
    assert packed.config == tiny_run.config
    assert str(tiny_run.path) not in (packed.path / "events.jsonl").read_text()
    shown = {event.epoch: event.preview for event in packed.events() if isinstance(event, EpochEnded)}
    assert shown == {1: "previews/epoch-00001.npy", 2: None, 3: "previews/epoch-00003.npy"}


def test_newcomer_finds_the_runs(tiny_run, tmp_path, monkeypatch):
    monkeypatch.setattr(demo_runs, "PACKED", tmp_path / "packed")
    demo_runs.pack(tiny_run, tmp_path / "packed" / "tiny", epochs=(3,))
    (run,) = demo_runs.install(tmp_path / "runs")
    assert [found.name for found in runs.list_runs(tmp_path / "runs")] == ["tiny"]
    assert run.state() == "finished"
    assert run.best_epoch() == tiny_run.best_epoch()
    assert [event.path for event in run.events() if isinstance(event, JobStarted)] == [str(tmp_path / "runs" / "tiny")]
    assert evaluation.evaluate(run) == evaluation.evaluate(tiny_run)
    assert not evaluation.has_data_changed(run, evaluation.load_dataset(run))


def test_folder_with_runs_stays_as_it_is(tiny_run):
    before = sorted(tiny_run.path.parent.iterdir())
    assert demo_runs.install(tiny_run.path.parent) == []
    assert sorted(tiny_run.path.parent.iterdir()) == before


def test_cut_short_copy_is_no_run_and_is_made_whole(tiny_run, tmp_path, monkeypatch):
    monkeypatch.setattr(demo_runs, "PACKED", tmp_path / "packed")
    demo_runs.pack(tiny_run, tmp_path / "packed" / "tiny", epochs=(3,))
    with monkeypatch.context() as patch:
        patch.setattr(demo_runs, "_write_events", lambda folder, events: (_ for _ in ()).throw(OSError("power cut")))
        with pytest.raises(OSError, match="power cut"):
            demo_runs.install(tmp_path / "runs")
    assert runs.list_runs(tmp_path / "runs") == []
    assert [run.name for run in demo_runs.install(tmp_path / "runs")] == ["tiny"]


def test_installing_takes_no_framework(run_python, tmp_path):
    code = f"""
import sys
from engine import demo_runs
demo_runs.install({str(tmp_path / "runs")!r})
print(*sorted({{"keras", "tensorflow", "torch", "jax", "matplotlib"}} & set(sys.modules)))
"""
    assert run_python(code).split() == []
    assert len(runs.list_runs(tmp_path / "runs")) == 3
