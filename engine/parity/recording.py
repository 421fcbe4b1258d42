"""Recording of every activation of a model for some images in a folder. Needs Keras, on the chosen backend."""

import json
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from engine import backend, models
from engine.analysis import activations, layers
from engine.evaluation import scoring
from engine.protocols import EngramModel
from engine.runs import Run


def record(run: Run, images: NDArray[np.float32], target: Path) -> None:
    """Run images through the best model of a run, and save every layer's activations.

    Args:
        run: the run.
        images: (n, size, size, 1) float32 in [0, 1].
        target: new folder for `index.json` and one `.npy` file, float32 (n, ...), for each layer and each output.

    Raises:
        RunDamaged: the model cannot be read.
    """
    keras.config.set_dtype_policy("float32")
    record_model(models.load(run), images, target)


def record_model(model: EngramModel, images: NDArray[np.float32], target: Path) -> None:
    """Record a loaded model, as `record` does."""
    target.mkdir(parents=True)
    listed = layers.list_layers(model)
    files = {layer.name: f"layer-{number:03d}.npy" for number, layer in enumerate(listed)}
    arrays = {
        layer.name: open_memmap(target / files[layer.name], "w+", np.float32, (len(images), *layer.shape))
        for layer in listed
    }
    for first, found in activations.batches(model, images):
        for name, array in found.items():
            arrays[name][first : first + len(array)] = array
    outputs = _outputs(model, images)
    for name, array in outputs.items():
        np.save(target / f"output-{name}.npy", array)
    name = keras.backend.backend()
    index = {
        "version": version(name),
        "device": backend.device(),
        "layers": [_entry(layer.name, files[layer.name], layer.kind, layer.part) for layer in listed],
        "outputs": [_entry(name, f"output-{name}.npy") for name in outputs],
    }
    (target / "index.json").write_text(json.dumps(index), encoding="utf-8")


def _outputs(model: EngramModel, images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return the outputs of the model as in normal use: images and latent distribution.

    It is compiled if the backend compiles.
    """
    pieces = (images[first : first + scoring.BATCH] for first in range(0, len(images), scoring.BATCH))
    given = [model.predict_on_batch(piece) for piece in pieces]
    # JAX returns a mapping in another order.
    named = sorted(given[0]) if isinstance(given[0], dict) else []
    outputs = {name: np.concatenate([np.asarray(each[name]) for each in given]) for name in named}
    return {**outputs, "reconstruction": scoring.reconstruct(model, images)}


def _entry(name: str, file: str, kind: str = "", part: str = "") -> dict[str, str]:
    return {"name": name, "file": file, "kind": kind, "part": part}
