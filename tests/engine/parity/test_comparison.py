"""The comparison itself, on made-up activations."""

import json

import numpy as np
import pytest

from engine.errors import TrainingError
from engine.parity import comparison
from engine.parity.comparison import Recording

BACKENDS = ("tensorflow", "torch", "jax")
LAYERS = ("enc_conv1", "dec_conv1", "dec_conv2")


@pytest.fixture
def recorded(tmp_path):
    """Three layers and an output on three backends, equal but for what `changed(backend, name, array)` does."""

    def make(changed=lambda backend, name, array: array, layers=LAYERS):
        sides = {}
        for backend in BACKENDS:
            rng = np.random.default_rng(0)
            folder = tmp_path / backend
            folder.mkdir()
            for name in (*layers, "reconstruction"):
                array = rng.normal(size=(2, 8, 8, 3)).astype(np.float32)
                np.save(folder / f"{name}.npy", changed(backend, name, array))
            entries = [{"name": name, "kind": "Conv2D", "part": "", "file": f"{name}.npy"} for name in layers]
            outputs = [{"name": "reconstruction", "kind": "", "part": "", "file": "reconstruction.npy"}]
            index = {"version": "1", "device": "CPU", "layers": entries, "outputs": outputs}
            (folder / "index.json").write_text(json.dumps(index))
            sides[backend] = Recording(folder)
        return sides

    return make


def test_equal_activations_differ_by_nothing(recorded):
    layers, outputs = comparison.compare(recorded())
    assert [each.name for each in layers] == list(LAYERS)
    assert [each.name for each in outputs] == ["reconstruction"]
    assert all(each.ok and each.difference == 0 and each.outlier == [] for each in layers + outputs)


def test_a_shift_by_one_pixel_is_caught_and_its_backend_named(recorded):
    def shifted(backend, name, array):
        return np.roll(array, 1, axis=2) if (backend, name) == ("torch", "dec_conv1") else array

    layers, outputs = comparison.compare(recorded(shifted))
    assert [each.ok for each in layers + outputs] == [True, False, True, True]
    assert layers[1].outlier == ["torch"]
    assert layers[1].differences["tensorflow", "jax"] == 0
    assert layers[1].difference > 0.1


@pytest.mark.parametrize(("added", "ok"), [(0.9e-4, True), (1.1e-4, False)])
def test_the_limit_holds_for_small_values_as_it_is(recorded, added, ok):
    def changed(backend, name, array):
        array = array / np.abs(array).max() / 2
        array[0, 0, 0, 0] = added if backend == "jax" else 0
        return array

    layers, _ = comparison.compare(recorded(changed))
    assert [each.ok for each in layers] == [ok] * 3
    assert layers[0].difference == layers[0].share == pytest.approx(added, rel=1e-3)


def test_the_limit_is_relative_to_large_values(recorded):
    def changed(backend, name, array):
        array = array / np.abs(array).max() * 200
        array[0, 0, 0, 0] = {"enc_conv1": 0.019, "dec_conv1": 0.021}.get(name, 0) if backend == "jax" else 0
        return array

    layers, _ = comparison.compare(recorded(changed))
    assert [each.ok for each in layers] == [True, False, True]
    assert layers[0].largest == pytest.approx(200)
    assert layers[0].share == pytest.approx(0.019 / 200, rel=1e-3)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_differs_even_from_itself(recorded, value):
    def changed(backend, name, array):
        array[0, 0, 0, 0] = value if name == "dec_conv2" else 0
        return array

    layers, _ = comparison.compare(recorded(changed))
    assert [each.ok for each in layers] == [True, True, False]
    assert layers[2].share == np.inf


def test_another_shape_differs(recorded):
    def changed(backend, name, array):
        return array[:, :-1] if (backend, name) == ("jax", "dec_conv2") else array

    layers, _ = comparison.compare(recorded(changed))
    assert [each.ok for each in layers] == [True, True, False]
    assert layers[2].outlier == ["jax"]


def test_backends_with_different_layers_are_not_compared(recorded, tmp_path):
    sides = recorded()
    index = json.loads((tmp_path / "jax" / "index.json").read_text())
    index["layers"].pop()
    (tmp_path / "jax" / "index.json").write_text(json.dumps(index))
    with pytest.raises(TrainingError, match="does not have the same layers"):
        comparison.compare(sides)
