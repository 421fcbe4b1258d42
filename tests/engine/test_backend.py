import importlib.util
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import keras
import pytest

from engine import backend, models
from engine.backend import hide_packages
from engine.config import TrainingConfig
from engine.errors import BackendError

USE = """
import json, os, sys
from engine import backend
from engine.config import TrainingConfig
assert "keras" not in sys.modules
backend.configure(TrainingConfig(backend=sys.argv[1], threads=1))
import keras
name = keras.backend.backend()
threads = None
if name == "tensorflow":
    import tensorflow
    threads = tensorflow.config.threading.get_intra_op_parallelism_threads()
if name == "torch":
    import torch
    threads = torch.get_num_threads()
heavy = {"pandas", "matplotlib", "sklearn", "tensorflow", "torch", "jax"}
said = {"taken along": sorted(heavy & set(sys.modules) - {name}), "device": backend.device()}
said |= {"keras": [keras.config.floatx(), keras.config.image_data_format(), keras.config.epsilon()]}
import pandas, sklearn
print(json.dumps({"backend": name, "threads": threads, "versions": backend.versions(name), **said}))
"""
STRANGE = [
    {"floatx": "float16", "image_data_format": "channels_first", "epsilon": 0.5, "backend": "jax"},
    {"floatx": "bfloat16"},  # Keras refuses to be imported with this one
]


@pytest.mark.parametrize("settings", STRANGE, ids=["other", "invalid"])
def test_each_backend_is_the_one_requested(backend, settings, start_python, tmp_path):
    name = backend
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings))
    process = start_python(USE, name, HOME=str(tmp_path), USERPROFILE=str(tmp_path))
    output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors.decode()
    found = json.loads(output)
    assert found["backend"] == name
    assert found["threads"] in (1, None)
    assert found["keras"] == ["float32", "channels_last", 1e-7], "Keras took the settings of the home folder"
    assert found["device"]
    assert found["taken along"] == []
    assert {"python", "engram", "keras", name} <= set(found["versions"])
    assert b"oneDNN" not in errors, "TensorFlow's chatter reached the terminal"


def test_a_model_is_built_as_engram_needs_it_whatever_keras_was_set_to(tiny):
    before = keras.config.floatx(), keras.config.image_data_format()
    try:
        keras.config.set_floatx("float64")
        keras.config.set_image_data_format("channels_first")
        model = models.build(tiny())
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_image_data_format(before[1])
    assert model.compute_dtype == "float32"
    assert model.encoder.get_layer("enc_conv1").data_format == "channels_last"


def test_threads_that_import_keras_at_once_leave_the_process_as_it_was(monkeypatch):
    inside = threading.Barrier(2, timeout=0.5)

    @contextmanager
    def wait(spared):
        with suppress(threading.BrokenBarrierError):
            inside.wait()  # two threads meet here only if nothing keeps them apart
        yield

    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setattr(backend, "hide_packages", wait)
    stderr = os.fstat(2)
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(backend._keras, ["tensorflow", "tensorflow"])) == [keras, keras]
    assert inside.broken, "two threads were in the import at once"
    assert "KERAS_HOME" not in os.environ
    assert os.path.samestat(os.fstat(2), stderr)


def test_a_missing_backend_is_named_with_its_install_line(monkeypatch):
    monkeypatch.setattr(backend.importlib.util, "find_spec", lambda name: None if name == "torch" else object())
    assert backend.installed() == ["tensorflow", "jax"]
    with pytest.raises(BackendError, match=r"torch is not installed.*pip install"):
        backend.configure(TrainingConfig(backend="torch"))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("RESOURCE_EXHAUSTED: failed to allocate"),
        RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("OOM when allocating tensor"),
    ],
)
def test_a_lack_of_memory_is_reported_with_the_way_out(error):
    told = backend.describe_failure(error)
    assert "not enough memory" in told.what
    assert "batch size" in told.advice


def test_any_other_fault_keeps_its_first_line():
    told = backend.describe_failure(RuntimeError("shapes differ\nat node 3"))
    assert "shapes differ" in told.what
    assert "node 3" not in str(told)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Name of a package that can be imported and is not yet."""
    (tmp_path / "seldom_needed").mkdir()
    (tmp_path / "seldom_needed" / "__init__.py").write_text("from seldom_needed import part")
    (tmp_path / "seldom_needed" / "part.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield "seldom_needed"
    for name in [name for name in sys.modules if name.startswith("seldom_needed")]:
        del sys.modules[name]


def test_a_package_left_out_is_missing_there_and_only_there(package):
    with hide_packages([package]):
        with pytest.raises(ModuleNotFoundError, match=package):
            importlib.import_module(package)
        with pytest.raises(ModuleNotFoundError, match=package):
            importlib.import_module(f"{package}.part")
    assert importlib.import_module(package).part


def test_reader_is_reported_that_it_is_there(package):
    with hide_packages([package]):
        assert importlib.util.find_spec(package) is not None


def test_what_is_imported_already_stays(package):
    known = importlib.import_module(package)
    with hide_packages([package]):
        assert importlib.import_module(package) is known


def test_another_thread_imports_as_ever(package):
    found = []
    with hide_packages([package]):
        thread = threading.Thread(target=lambda: found.append(importlib.import_module(package)))
        thread.start()
        thread.join()
    assert found[0].part


def test_an_error_meanwhile_leaves_nothing_behind(package):
    before = list(sys.meta_path)
    with pytest.raises(OSError, match="broken"), hide_packages([package]):
        raise OSError("broken")
    assert sys.meta_path == before


@pytest.mark.parametrize(
    ("wanted", "name", "hardware", "chosen", "reason"),
    [
        ("bfloat16", "tensorflow", False, "bfloat16", "as requested"),
        ("auto", "tensorflow", True, "float32", "gains little"),
        ("auto", "torch", False, "float32", "does not compute"),
        ("auto", "torch", True, "bfloat16", "which CPU computes with"),
    ],
)
def test_precision_is_chosen_with_a_reason(wanted, name, hardware, chosen, reason, monkeypatch):
    monkeypatch.setattr(backend, "_has_bfloat16", lambda: hardware)
    monkeypatch.setattr(backend, "device", lambda: "CPU")
    found, why = backend.choose_precision(TrainingConfig(precision=wanted, backend=name))
    assert found == chosen
    assert reason in why
