"""Activations of a model's layers for images: of all layers or some, in batches, with bounded memory."""

from collections.abc import Collection, Iterator, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from engine.analysis import layers, make_unknown_layer_error
from engine.analysis.layers import LayerCall, LayerInfo
from engine.job_context import UNATTENDED, Cancelled, JobContext
from engine.protocols import ImageSequence

MEMORY_BYTES = 64 * 2**20
# The copies that a convolution makes need about ten times as much.
TRANSIENT_BYTES = 16 * 2**20
MOST_AT_ONCE = 64
Activations = dict[str, NDArray[np.float32]]


def compute(model: keras.Model, images: NDArray[np.float32], names: Collection[str] | None = None) -> Activations:
    """Compute the activations of a few images, all in memory.

    Args:
        model: a built model of Engram.
        images: (n, size, size, 1) float32 in [0, 1], n at least 1.
        names: names of the layers, from `layers.list_layers`; all of them if None. The outputs of a convolution before
            and after its non-linearity have names of their own: see `layers.nonlinearity_pair`.

    Returns:
        name -> (n, height, width, channels), or (n, values), float32, in network order.

    Raises:
        ConfigError: the model has no layer of that name.

    Example:
        seen = activations.compute(engine.load_model(run), images, ["enc_act1"])["enc_act1"]
        print(seen.shape, seen.mean(axis=(0, 1, 2)))
    """
    parts = [activations for _, activations in batches(model, images, names)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def batches(
    model: keras.Model, images: NDArray[np.float32] | ImageSequence, names: Collection[str] | None = None
) -> Iterator[tuple[int, Activations]]:
    """Yield the activations of any number of images, in batches of the size from `batch_size_for`.

    Args:
        model: a built model of Engram.
        images: float32 (n, size, size, 1) in [0, 1], or an object with a length and `read(slice)` that returns them.
        names: see `compute`.

    Yields:
        (index of the first image, name -> (k, height, width, channels) or (k, values), float32, in network order).

    Raises:
        ConfigError: the model has no layer of that name.
    """
    found = interruptible_batches(model, images, names)
    yield from (batch for batch in found if batch is not None)


def interruptible_batches(
    model: keras.Model,
    images: NDArray[np.float32] | ImageSequence,
    names: Collection[str] | None = None,
    context: JobContext = UNATTENDED,
) -> Iterator[tuple[int, Activations] | None]:
    """Yield batches as `batches` does, and None for one that was interrupted between two layers and is then repeated.

    Args:
        model: a built model of Engram.
        images: see `batches`.
        names: see `compute`.
        context: checked between layers.

    Raises:
        ConfigError: the model has no layer of that name.
    """
    known = layers.list_layers(model)
    wanted = _wanted(known, names)
    count = batch_size_for(known, wanted)
    read = images.read if hasattr(images, "read") else images.__getitem__
    first = 0
    while first < len(images):
        try:
            batch = _batch(model, read(slice(first, first + count)), wanted, context)
        except Cancelled:
            yield None
            continue
        yield first, batch
        first += count


def batch_size_for(known: Sequence[LayerInfo], names: Collection[str]) -> int:
    """Return how many images fit into one batch: 1 to 64.

    The requested activations fit into `MEMORY_BYTES`, and the output of any layer on the way into `TRANSIENT_BYTES`.

    Args:
        known: the model's layers in network order.
        names: layers whose activations are requested; at least one.
    """
    sizes = [4 * int(np.prod(layer.shape)) for layer in known]
    kept = [index for index, layer in enumerate(known) if layer.name in names]
    passing = max(sizes[: kept[-1] + 1])
    fitting = min(MEMORY_BYTES // sum(sizes[index] for index in kept), TRANSIENT_BYTES // passing)
    return int(np.clip(fitting, 1, MOST_AT_ONCE))


def _wanted(known: list[LayerInfo], names: Collection[str] | None) -> set[str]:
    there = {layer.name for layer in known}
    wanted = there if names is None else set(names)
    if strange := sorted(wanted - there):
        raise make_unknown_layer_error(strange[0], (layer.name for layer in known))
    return wanted


def _batch(
    model: keras.Model, images: NDArray[np.float32], wanted: Collection[str], context: JobContext
) -> Activations:
    found: Activations = {}

    def collect(call: LayerCall) -> bool:
        if call.name in wanted:
            found[call.name] = np.asarray(keras.ops.convert_to_numpy(call.activation)).astype(np.float32)
        return len(found) == len(wanted)

    layers.forward(model, images, collect, context)
    return found
