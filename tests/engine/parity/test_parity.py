"""Every registered model on every backend that is installed, and the command that compares a run."""

import contextlib
import io
import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from engine import backend, cli, config, models, parity, runs
from engine.errors import BackendError, RunDamaged, TrainingError
from engine.parity import comparison
from engine.parity.comparison import Recording

NAMES = sorted(models.BUILDERS)
KERNELS = (2, 3, 4, 5)
VARIANTS = [(name, 3) for name in NAMES] + [("ae", kernel) for kernel in KERNELS if kernel != 3]

TOO_FEW = "one backend is installed; parity needs two: pip install -e '.[torch,jax]'"
needs_two = pytest.mark.skipif(len(backend.installed()) < 2, reason=TOO_FEW)

RECORD = """
import sys
from pathlib import Path
import numpy as np
from engine import runs
from engine.parity import recording

root = Path(sys.argv[1])
for run in runs.list_runs(root):
    recording.record(run, np.load(root / "images.npy"), root / "recorded" / run.name / sys.argv[2])
"""

PLANTED = """
import sys
from engine import backend
from engine.parity import child

whole = backend.import_on_backend

def load(module, training):
    loaded = whole(module, training)
    import keras
    call = keras.layers.Conv2DTranspose.call

    def shifted(self, inputs):
        outputs = call(self, inputs)
        return keras.ops.roll(outputs, 1, axis=2) if self.name == "dec_conv2" else outputs

    if training.backend == "torch":
        keras.layers.Conv2DTranspose.call = shifted
    return loaded

backend.import_on_backend = load
sys.exit(child.main(sys.argv[1:]))
"""

KEEPING = """
import shutil, sys
from engine.parity import child

status = child.main(sys.argv[1:])
shutil.copytree(sys.argv[4], KEPT + sys.argv[1])
sys.exit(status)
"""

AGAIN = """
import shutil, sys

if sys.argv[1] == BROKEN:
    sys.exit(BROKEN + " has no memory left")
shutil.copytree(KEPT + sys.argv[1], sys.argv[4])
"""


def make_run(root: Path, name: str, **settings) -> runs.Run:
    """A run with a model whose weights are none of the beginning's zeros and ones, and whose values stay small."""
    made = runs.create_run(config.from_flat({"size": 32, "phantom_count": 24, **settings}), name, root)
    keras.utils.set_random_seed(0)
    model = models.build(made.config)
    rng = np.random.default_rng(1)
    changed = [weight + rng.normal(0, 0.02, weight.shape) for weight in model.get_weights()]
    model.set_weights(changed)
    model.save(made.model_path)
    return made


@pytest.fixture(scope="module")
def recordings(tmp_path_factory, run_on):
    """Each variant on each installed backend: {variant: {backend: Recorded}}."""
    root = tmp_path_factory.mktemp("parity")
    np.save(root / "images.npy", np.random.default_rng(0).random((3, 32, 32, 1)).astype(np.float32))
    for model, kernel in VARIANTS:
        make_run(root, f"{model}-{kernel}", model=model, filters=(4, 8), kernel_size=kernel)
    for name in backend.installed():
        run_on(name, RECORD, str(root), name)
    return root / "recorded"


@needs_two
@pytest.mark.parametrize(("model", "kernel"), VARIANTS)
def test_every_model_computes_the_same_on_every_backend(recordings, model, kernel):
    folder = recordings / f"{model}-{kernel}"
    layers, outputs = comparison.compare({name: Recording(folder / name) for name in backend.installed()})
    assert len(layers) > 8
    assert {each.name for each in outputs} >= {"reconstruction"}
    for each in layers + outputs:
        assert each.share < 1e-5, each
        assert each.largest > 1e-3, "nothing but zeros was compared"


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs"), "tiny", model="vae", filters=(4, 8), latent=5)


@pytest.fixture
def ask(tiny_run, capsys):
    """What `parity` on the tiny run answers: exit status, text."""

    def ask(*words):
        status = cli.main(["parity", "tiny", "--runs", str(tiny_run.path.parent), "--images", "2", *words])
        return status, capsys.readouterr().out

    return ask


@pytest.fixture(scope="module")
def said(tiny_run, tmp_path_factory):
    """Return the exit status and JSON of `parity --json` on all backends, and the folder of what they computed."""
    if len(backend.installed()) < 2:
        pytest.skip(TOO_FEW)
    kept = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as told:
        plant(patch, tmp_path_factory.mktemp("keeping"), f"KEPT = {str(kept / '_')!r}{KEEPING}")
        status = cli.main(["parity", "tiny", "--runs", str(tiny_run.path.parent), "--images", "2", "--json"])
    return status, json.loads(told.getvalue()), kept


@pytest.fixture
def again(said, tmp_path, monkeypatch):
    """Let each backend answer what it has computed before; the one that is named breaks down."""

    def again(broken=""):
        plant(monkeypatch, tmp_path, f"BROKEN, KEPT = {broken!r}, {str(said[2] / '_')!r}{AGAIN}")

    return again


@pytest.fixture(scope="module")
def planted(tiny_run, tmp_path_factory):
    """What a check finds when a deconvolution on PyTorch is one pixel off."""
    if len(backend.installed()) < 3:
        pytest.skip("to name the odd one among backends takes three: pip install -e '.[torch,jax]'")
    with pytest.MonkeyPatch.context() as patch:
        plant(patch, tmp_path_factory.mktemp("planted"), PLANTED)
        return parity.check(tiny_run, np.random.default_rng(0).random((2, 32, 32, 1)).astype(np.float32))


def plant(monkeypatch, folder, code):
    (folder / "child.py").write_text(code)

    def command(module, *arguments):
        return [sys.executable, str(folder / "child.py"), *arguments]

    monkeypatch.setattr(parity, "module_command", command)


@needs_two
def test_the_command_compares_every_layer_and_output(said):
    status, found, _ = said
    assert (status, found["ok"], found["first_difference"]) == (0, True, None)
    assert (found["images"], found["split"], found["source"]) == (2, "test", "phantom")
    assert [layer["name"] for layer in found["layers"]][:3] == ["enc_conv1", "enc_norm1", "enc_act1"]
    assert [each["name"] for each in found["outputs"]] == ["log_var", "logits", "mean", "reconstruction"]
    assert all(0 <= each["share"] < 1e-5 for each in found["layers"] + found["outputs"])
    for name, side in found["backends"].items():
        assert side["installed"] == (name in backend.installed())
        assert side["install"].startswith("pip install")
        assert bool(side["version"]) == side["installed"]


def test_a_planted_shift_by_one_pixel_in_a_deconvolution_is_caught_and_named(planted, ask, monkeypatch):
    monkeypatch.setattr(parity, "check", lambda *_, **__: planted)
    status, text = ask("--json")
    found = json.loads(text)
    assert (status, found["ok"]) == (4, False)
    assert found["first_difference"] == {"name": "dec_conv2", "backends": ["torch"]}
    assert [layer["name"] for layer in found["layers"] if layer["ok"]][-1] == "dec_act1"
    assert not found["outputs"][-1]["ok"]
    status, text = ask()
    assert status == 4
    assert "The backends differ first at dec_conv2 (torch)" in text
    assert next(line.split()[0] for line in text.splitlines() if line.endswith("DIFFERS")) == "dec_conv2"


def test_a_missing_backend_is_named_with_its_install_line(ask, again, tiny_run, monkeypatch):
    if not {"torch", "jax"} <= set(backend.installed()):
        pytest.skip("one is truly missing here: the other tests see it")
    monkeypatch.setattr(backend, "installed", lambda: ["torch", "jax"])
    again()
    found = parity.check(tiny_run, np.zeros((1, 32, 32, 1), np.float32))
    assert set(found.layers[0].differences) == {("torch", "jax")}
    status, text = ask("--json")
    said = json.loads(text)
    assert (status, said["ok"], said["missing"]) == (0, True, ["tensorflow"])
    assert said["backends"]["tensorflow"]["installed"] is False
    assert said["backends"]["tensorflow"]["install"] == backend.INSTALL_HINTS["tensorflow"]
    assert f"tensorflow: not installed, not compared. Install it: {backend.INSTALL_HINTS['tensorflow']}" in ask()[1]


def test_one_backend_alone_is_refused_with_what_to_install(tiny_run, monkeypatch):
    monkeypatch.setattr(backend, "installed", lambda: ["tensorflow"])
    with pytest.raises(BackendError, match=r"only tensorflow is installed.*torch: pip install.*jax: pip install"):
        parity.check(tiny_run, np.zeros((1, 32, 32, 1), np.float32))


def test_a_backend_that_fails_is_reported_and_the_others_are_compared(tiny_run, again):
    if len(backend.installed()) < 3:
        pytest.skip("two must be left when one fails: pip install -e '.[torch,jax]'")
    again(broken="tensorflow")
    found = parity.check(tiny_run, np.zeros((1, 32, 32, 1), np.float32))
    assert (found.ok, found.first_difference) == (False, None)
    assert found.backends["tensorflow"].error == "tensorflow has no memory left"
    assert set(found.layers[0].differences) == {("torch", "jax")}


@needs_two
def test_a_run_without_a_model_is_reported_before_a_backend_is_started(tmp_path, monkeypatch):
    monkeypatch.setattr(parity, "_compute", lambda *_: pytest.fail("a backend was started"))
    empty = runs.create_run(config.from_flat({"size": 32, "filters": (4, 8)}), "empty", tmp_path)
    with pytest.raises(RunDamaged, match="has no saved model yet"):
        parity.check(empty, np.zeros((1, 32, 32, 1), np.float32))


@needs_two
def test_fewer_than_two_that_can_compute_it_leave_nothing_to_compare(tiny_run, monkeypatch, tmp_path):
    plant(monkeypatch, tmp_path, "import sys; sys.exit('no memory left')")
    with pytest.raises(TrainingError, match=r"Fewer than two.*no memory left"):
        parity.check(tiny_run, np.zeros((1, 32, 32, 1), np.float32))


@pytest.mark.parametrize("typed", ["0", "65", "x", "-1"])
def test_a_silly_number_of_images_is_refused(tiny_run, capsys, typed):
    assert cli.main(["parity", "tiny", "--runs", str(tiny_run.path.parent), f"--images={typed}"]) == 2
    assert "from 1 to 64" in capsys.readouterr().err
