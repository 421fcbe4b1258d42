import json

import pytest

from engine import backend
from engine.config import TrainingConfig
from engine.errors import BackendError

USE = """
import json, os, sys
from engine import backend
from engine.config import TrainingConfig
assert "keras" not in sys.modules
backend.use(TrainingConfig(backend=sys.argv[1], threads=1))
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
import pandas, sklearn
print(json.dumps({"backend": name, "threads": threads, "versions": backend.versions(name), **said}))
"""


def test_each_backend_is_the_one_asked_for(backend, start_python):
    name = backend
    process = start_python(USE, name)
    output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors.decode()
    found = json.loads(output)
    assert found["backend"] == name
    assert found["threads"] in (1, None)
    assert found["device"]
    assert found["taken along"] == []
    assert {"python", "engram", "keras", name} <= set(found["versions"])
    assert b"oneDNN" not in errors, "TensorFlow's chatter reached the terminal"


def test_a_missing_backend_is_named_with_its_install_line(monkeypatch):
    monkeypatch.setattr(backend.importlib.util, "find_spec", lambda name: None if name == "torch" else object())
    assert backend.installed() == ["tensorflow", "jax"]
    with pytest.raises(BackendError, match=r"torch is not installed.*pip install"):
        backend.use(TrainingConfig(backend="torch"))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("RESOURCE_EXHAUSTED: failed to allocate"),
        RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("OOM when allocating tensor"),
    ],
)
def test_a_lack_of_memory_is_told_with_the_way_out(error):
    told = backend.explain(error)
    assert "not enough memory" in told.what
    assert "batch size" in told.advice


def test_any_other_fault_keeps_its_first_line():
    told = backend.explain(RuntimeError("shapes differ\nat node 3"))
    assert "shapes differ" in told.what
    assert "node 3" not in str(told)
