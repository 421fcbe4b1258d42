"""A run continues with another backend than it began with: same weights, statistics, seeds and optimizer."""

import json

import pytest

from engine import backend, config, runs
from engine.messages import Log
from tests.trained_runs import TINY

HERE = backend.installed()
needs_all = pytest.mark.skipif(
    len(HERE) < 3, reason="every way between backends takes all: pip install -e '.[torch,jax]'"
)

WRITE = """
import sys
from pathlib import Path
import keras, numpy as np
from engine.training import checkpoints; from engine import config, models
from engine.training.checkpoints import TrainingState

root, name = Path(sys.argv[1]), sys.argv[2]
keras.utils.set_random_seed(len(name))
for kind in ("ae", "vae"):
    model = models.build_compiled(config.from_flat({"model": kind, "size": 32, "filters": (4, 8), "latent": 3}))
    images = np.random.default_rng(0).random((8, 32, 32, 1)).astype("float32")
    model.fit(images, images, batch_size=4, verbose=0)
    checkpoints.save(root / kind / name, model, TrainingState(epoch=1))
"""

READ = """
import json, sys
from pathlib import Path
import keras, numpy as np
from engine.training import checkpoints; from engine import config, models

root = Path(sys.argv[1])
images = np.random.default_rng(0).random((8, 32, 32, 1)).astype("float32")
found = {"backend": keras.backend.backend(), "read": {}}
for path in sorted(root.glob("*/*")):
    values = {"model": path.parent.name, "size": 32, "filters": (4, 8), "latent": 3}
    model = models.build_compiled(config.from_flat(values))
    state = checkpoints.load(path, model)
    variables = [*model.variables, *model.optimizer.variables]
    held = [keras.ops.convert_to_numpy(variable) for variable in variables]
    with np.load(path / "epoch-00001" / "variables.npz") as file:
        written = [file[name] for name in file.files]
    same = len(held) == len(written) and all(np.array_equal(a, b) for a, b in zip(held, written))
    moments = sum(bool(np.abs(array).max() > 0) for array in held[-20:])
    model.fit(images, images, batch_size=4, verbose=0)
    steps = int(keras.ops.convert_to_numpy(model.optimizer.iterations))
    found["read"][f"{path.parent.name} {path.name}"] = [state.epoch, same, moments > 10, steps]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory, run_on):
    """A checkpoint of each model, written on each backend: root/model/backend."""
    root = tmp_path_factory.mktemp("written")
    for kind in ("ae", "vae"):
        (root / kind).mkdir()
    for name in HERE:
        run_on(name, WRITE, str(root), name)
    return root


def test_a_checkpoint_of_any_backend_is_the_same_on_this_one_and_trains_on(written, backend, run_on):
    said = json.loads(run_on(backend, READ, str(written)))
    assert said["backend"] == backend
    assert set(said["read"]) == {f"{kind} {name}" for kind in ("ae", "vae") for name in HERE}
    for what, found in said["read"].items():
        assert found == [1, True, True, 4], what


@pytest.fixture(scope="module")
def travelled(tmp_path_factory, run_python):
    """Four epochs on TensorFlow alone, and two there, then one on PyTorch, then one on JAX."""
    root = tmp_path_factory.mktemp("travelled")
    for name, epochs in (("stayed", 4), ("travelled", 2)):
        runs.create_run(config.from_flat({**TINY, "epochs": epochs}), name, root)
    words = ("-m", "engine", "resume")
    place = ("--runs", str(root))
    run_python(*words, "stayed", *place)
    run_python(*words, "travelled", *place)
    run_python(*words, "travelled", "--epochs", "3", "--backend", "torch", *place)
    run_python(*words, "travelled", "--epochs", "4", "--backend", "jax", *place)
    return root


@needs_all
def test_a_run_that_changes_backends_learns_alike_but_not_identically(travelled):
    stayed, went = (runs.open_run(name, travelled) for name in ("stayed", "travelled"))
    wanted, found = ([row["val_loss"] for row in run.history()] for run in (stayed, went))
    assert len(found) == 4
    assert found[:2] == wanted[:2]
    assert found == pytest.approx(wanted, rel=1e-3)
    assert found[2:] != wanted[2:]


@needs_all
def test_the_way_through_backends_is_written_down(travelled):
    went = runs.open_run("travelled", travelled)
    assert went.config.training.backend == went.provenance["backend"] == "jax"
    assert went.provenance["backends"] == [
        {"backend": "tensorflow", "first_epoch": 0},
        {"backend": "torch", "first_epoch": 2},
        {"backend": "jax", "first_epoch": 3},
    ]
    warned = [event.text for event in went.events() if isinstance(event, Log) and event.level == "warning"]
    assert len(warned) == 2
    assert "backend (from tensorflow to torch)" in warned[0]
    assert "not be bit-identical" in warned[0]
    assert "backend (from torch to jax)" in warned[1]


@needs_all
def test_the_travelled_run_opens_where_its_backend_is_not(travelled, monkeypatch):
    import numpy as np

    from engine import evaluation

    monkeypatch.setattr(backend, "installed", lambda: ["tensorflow"])
    model = evaluation.load_model(runs.open_run("travelled", travelled))
    assert np.asarray(model.reconstruct(np.zeros((1, 32, 32, 1), np.float32))).shape == (1, 32, 32, 1)
