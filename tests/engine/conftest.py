"""Tiny settings that train in a second, and runs that were never trained, for every test of the engine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import cli, config, runs
from engine.cli.program import Verbosity
from engine.messages import EpochEnded, JobEnded, JobStarted
from engine.study_folder import StudyFolder
from tests.engine.backend_process import BackendProcess, run_code
from tests.trained_runs import TINY, tiny_config

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tiny():
    """Make a tiny config: `tiny()`, `tiny(model="vae", epochs=3)`; what a model does not have is left out of it."""

    return tiny_config


@pytest.fixture(scope="session")
def run_on(tmp_path_factory):
    """Run code in a process that computes with a backend: `run_on("jax", "print(1)")` -> what it prints.

    Each backend has one process, which runs all such code: code must leave that process as it found it. TensorFlow's is
    the process of the tests.
    """
    started, alive = [], {}

    def run(backend, code, *arguments):
        if backend == "tensorflow":
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sys, "argv", [])
                return run_code(code, arguments)
        if backend not in alive or not alive[backend].is_alive():
            alive[backend] = BackendProcess(backend, tmp_path_factory.mktemp(backend) / "log")
            started.append(alive[backend])
        return alive[backend].run(code, *arguments)

    yield run
    for process in started:
        process.close()


@pytest.fixture(scope="module")
def loaded_once():
    """Give back a model that was loaded before in this file, not built and traced again. No test may change it."""
    from engine import models  # imports Keras

    load, loaded = models.load, {}

    def load_once(run):
        key = runs.model_checksum(run), run.config.model_dump_json()
        if key not in loaded or not key[0]:
            loaded[key] = load(run)
        return loaded[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "load", load_once)
        yield


@pytest.fixture
def start_python():
    """Start Python code in a fresh process and return it at once; ended with the test."""
    started = []

    def start(code, *arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def study(tmp_path):
    made = StudyFolder(tmp_path / "study")
    made.path.mkdir()
    return made


@pytest.fixture
def write_run(study):
    """Write a run's folder: `write_run("a", losses=[3, 1, 2], model="vae")`; `state=None`: it died."""

    def write(name, losses=(), state="finished", **changes):
        settings = config.from_flat({**TINY, "epochs": max(len(losses), 1), **changes})
        run = runs.create_run(settings, name, study.runs)
        started = {"first_epoch": 0, "epochs": settings.training.epochs, "train_images": 9, "validation_images": 3}
        more = {"parameters": 10, "backend": "tensorflow", "device": "CPU"}
        run.append(JobStarted(run=name, path=str(run.path), **started, **more))
        for epoch, loss in enumerate(losses, 1):
            metrics = {"loss": float(loss), "val_loss": float(loss)}
            run.append(EpochEnded(run=name, epoch=epoch, metrics=metrics, best=loss == min(losses[:epoch])))
        if losses:
            run.model_path.write_bytes(b"weights")
            (run.checkpoints / "epoch-00001").mkdir(parents=True)
        if state:
            run.append(JobEnded(run=name, state=state, epoch=len(losses)))
        return run

    return write


@pytest.fixture
def call(capsys):
    """Call `main` in this process: `call("runs", "--json")` -> (exit status, stdout, stderr)."""

    def go(*words):
        try:
            status = cli.main([str(word) for word in words])
        except SystemExit as end:
            status = end.code
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    yield go
    Verbosity.level = "normal"
