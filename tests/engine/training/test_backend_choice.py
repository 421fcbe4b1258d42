"""The backend 'auto': measured once on each installed backend, kept, named in a sentence."""

import json
import subprocess
import sys

import pytest

from engine import backend, config, runs
from engine.child_process import module_command
from engine.errors import BackendError
from engine.job_context import Cancelled, JobContext
from engine.messages import EstimateRun, RunEstimated
from engine.processes.training_worker import TrainingWorker
from engine.training import backend_choice, job, trial_steps
from engine.training.backend_choice import report_choice, resolve_backend

SPEEDS = {"tensorflow": 73.2, "torch": 102.96, "jax": None}


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Pretend that all backends are installed and reach `SPEEDS`; return those that were measured, in order."""
    asked = []

    def measure(chosen, context):
        context.check()
        asked.append(chosen.training.backend)
        return SPEEDS[chosen.training.backend]

    monkeypatch.setenv("ENGRAM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(backend, "installed", lambda: list(SPEEDS))
    monkeypatch.setattr(backend, "versions", lambda name: {name: "1"})
    monkeypatch.setattr(backend_choice, "_measure_in_child", measure)
    return asked


def resolve(chosen, **options):
    return resolve_backend(chosen, JobContext(), is_in_process=False, **options)


def test_fastest_backend_is_chosen_and_measured_once_for_each_kind_of_model(tiny, measured):
    chosen, reason = resolve(tiny(backend="auto"))
    assert chosen == tiny(backend="torch")
    assert reason == (
        "Backend: PyTorch, the fastest here for this model: 103 images/s (TensorFlow 73.2, JAX could not train it)."
    )
    assert measured == list(SPEEDS)
    assert resolve(tiny(backend="auto", epochs=9))[1] == reason
    assert measured == list(SPEEDS)
    resolve(tiny(backend="auto", latent=9))
    assert measured == 2 * list(SPEEDS)


def test_new_version_is_measured_again(tiny, measured, monkeypatch):
    resolve(tiny(backend="auto"))
    monkeypatch.setattr(backend, "versions", lambda name: {name: "2"})
    resolve(tiny(backend="auto"))
    assert measured == 2 * list(SPEEDS)


def test_named_or_only_backend_is_not_measured(tiny, measured, monkeypatch):
    assert resolve(tiny(backend="jax")) == (tiny(backend="jax"), "")
    monkeypatch.setattr(backend, "installed", lambda: ["jax"])
    monkeypatch.setattr(backend, "find_backend", lambda wanted: "jax")
    assert resolve(tiny(backend="auto"))[1] == "Backend: JAX, the only one that is installed."
    assert not measured


def test_usual_backend_is_taken_where_none_could_be_measured(tiny, measured, monkeypatch):
    monkeypatch.setattr(backend_choice, "_measure_in_child", lambda chosen, context: None)
    chosen, reason = resolve(tiny(backend="auto"))
    assert chosen.training.backend == "tensorflow"
    assert reason == "Backend: TensorFlow; no backend could be measured."


def test_cancel_measures_no_further_backend(tiny, measured):
    heard = []
    report_choice(tiny(backend="auto"), "x", heard.append, lambda: bool(measured))
    with pytest.raises(Cancelled):
        resolve_backend(tiny(backend="auto"), JobContext(lambda: True), is_in_process=False)
    assert (heard, measured) == ([], ["tensorflow"])


def test_app_is_told_the_choice(tiny, measured, tmp_path):
    heard = []
    worker = TrainingWorker([], None, tmp_path)
    worker.emit = heard.append
    worker._run_job(EstimateRun(config=tiny(backend="auto"), token="mine"))
    (event,) = heard
    assert (event.token, event.backend, event.is_complete) == ("mine", "torch", True)
    assert event.backend_reason.startswith("Backend: PyTorch, the fastest")


@pytest.mark.slow
def test_child_prints_what_a_backend_reaches(tiny, monkeypatch, capsys):
    monkeypatch.setattr(trial_steps, "STEPS_S", 0.0)
    backend_choice._main(json.dumps(config.to_flat(tiny())))
    output = capsys.readouterr().out
    monkeypatch.setattr(
        backend_choice, "run_process", lambda *command, **limits: subprocess.CompletedProcess((), 0, output.encode())
    )
    speed = backend_choice._measure_in_child(tiny(), JobContext())
    assert speed == RunEstimated.model_validate_json(output.splitlines()[-1]).images_per_s > 0


def test_backend_that_takes_too_long_or_crashes_is_not_chosen(tiny, monkeypatch):
    def hang(command, **limits):
        raise subprocess.TimeoutExpired(command, limits["timeout_s"])

    monkeypatch.setattr(backend_choice, "run_process", hang)
    assert backend_choice._measure_in_child(tiny(), JobContext()) is None
    crashed = subprocess.CompletedProcess((), 1, b"Fatal Python error\n")
    monkeypatch.setattr(backend_choice, "run_process", lambda *command, **limits: crashed)
    assert backend_choice._measure_in_child(tiny(), JobContext()) is None


def test_cancel_ends_the_process_that_measures(tiny, monkeypatch):
    command = module_command("timeit", "-n1", "-r1", "import threading; threading.Event().wait()")
    monkeypatch.setattr(backend_choice, "module_command", lambda *words, **options: command)
    with pytest.raises(Cancelled):
        backend_choice._measure_in_child(tiny(), JobContext(iter([False, False, True]).__next__))


def test_run_records_the_backend_and_the_reason(tiny, measured, tmp_path, monkeypatch):
    def load(module, training):
        raise BackendError(f"Asked for {training.backend}.", "")

    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(job, "import_on_backend", load)
    heard = []
    with pytest.raises(BackendError, match="Asked for torch"):
        job.train(tiny(backend="auto"), run="auto", root=tmp_path, emit=heard.append)
    assert runs.open_run("auto", tmp_path).config.training.backend == "torch"
    assert heard[0].text.startswith("Backend: PyTorch, the fastest")
