"""Descriptions of a model's layers in plain words: input, receptive field, change.

Nothing here is specific to an architecture: the sentences follow from the layer's kind, shapes, receptive field and
position among the others. The text claims nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from engine.analysis.detectability import live_tensors
from engine.analysis.layer_changes import describe_change, describe_shape, format_size, numbers_in, pluralize
from engine.analysis.layers import LayerInfo
from engine.analysis.tensor_sources import IMAGES

MOST_NAMED = 3


def describe_layers(walked: Sequence[tuple[LayerInfo, Any]]) -> dict[str, tuple[str, ...]]:
    """Describe every layer.

    Args:
        walked: `layers.trace_layers` of a model.

    Returns:
        name -> sentences: its input; its receptive field; the change that it makes; and, if there is more to say, its
        position on the path to the output.
    """
    known = [layer for layer, _ in walked]
    side = len(known[0].field.rows) if known else 0
    view = _Model(known, _image_of(walked) or (side, side, 1), _parts_of_layers(walked))
    return {layer.name: _sentences(view, index, operation) for index, (layer, operation) in enumerate(walked)}


@dataclass(frozen=True, eq=False)
class _Model:
    """All layers, the shape of the image, and the names of layers inside another layer."""

    known: Sequence[LayerInfo]
    image: tuple[int, ...]
    inner: frozenset[str]

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {IMAGES: self.image} | {layer.name: layer.shape for layer in self.known}


def _sentences(view: _Model, index: int, operation: Any) -> tuple[str, ...]:
    layer = view.known[index]
    given = [view.shapes[name] for name in layer.receives]
    place = _describe_path(view, index)
    return (
        _describe_inputs(view, layer),
        _seen(layer, view.image),
        describe_change(layer, operation, given),
        *([place] if place else []),
    )


def _describe_inputs(view: _Model, layer: LayerInfo) -> str:
    again = f"Shares its weights with {layer.name.split('#')[0]}. " if "#" in layer.name else ""
    if not layer.receives:
        return f"{again}Its input comes from an operation that is not a layer, so the source is not known."
    inputs = [_named(name, view.shapes[name]) for name in layer.receives[:MOST_NAMED]]
    if len(layer.receives) > MOST_NAMED:
        inputs.append(f"{len(layer.receives) - MOST_NAMED} more")
    return f"{again}Input: {' and '.join(inputs)}."


def _named(name: str, shape: tuple[int, ...]) -> str:
    return f"the image, {describe_shape(shape)}" if name == IMAGES else f"{name}, {describe_shape(shape)}"


def _seen(layer: LayerInfo, image: tuple[int, ...]) -> str:
    field = layer.field
    if not field.known:
        return "Receptive field not known; taken as the whole image."
    height, width = image[0], image[1]
    whole = all((spans == (0, end - 1)).all() for spans, end in ((field.rows, height), (field.columns, width)))
    if whole:
        return "Receptive field: the whole image."
    tall, wide = field.size
    if (tall, wide) == (1, 1):
        return "Receptive field: 1 px."
    share = f"{100 * tall * wide / (height * width):.2g}%"
    step = "" if 0.0 in field.step else f", step {format_size(field.step)} px"
    return f"Receptive field {format_size((tall, wide))} px ({share} of the image){step}."


def _describe_path(view: _Model, index: int) -> str:
    """Describe what else reaches the output, and whether everything passes this layer."""
    layer, last = view.known[index], len(view.known) - 1
    if index == last:
        return "Output layer" + ("." if layer.shape == view.image else f", {describe_shape(layer.shape)}.")
    ahead = live_tensors(view.known, index)
    if layer.name in view.inner:
        return ""
    if layer.name not in ahead:
        return "Not used for the reconstruction: the output does not depend on this layer."
    others = [name for name in ahead if name != layer.name]
    if others:
        few = ", ".join("the image" if name == IMAGES else name for name in others[:MOST_NAMED])
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        verb = "reaches" if len(others) == 1 else "reach"
        return f"Skip connection: {few}{more} also {verb} the output without passing this layer."
    return _bottleneck_note(view, index)


def _bottleneck_note(view: _Model, index: int) -> str:
    """Describe the bottleneck: all of the output passes this layer, in fewer values than anywhere else."""
    alone = [at for at in range(len(view.known)) if live_tensors(view.known, at) == [view.known[at].name]]
    sizes = [numbers_in(view.known[at].shape) for at in alone]
    here, pixels = numbers_in(view.known[index].shape), numbers_in(view.image)
    if here >= pixels or index != alone[sizes.index(min(sizes))]:
        return ""
    return (
        f"Bottleneck: everything in the output passes through these {pluralize(here, 'value')} "
        f"({100 * here / pixels:.2g}% of {pluralize(pixels, 'pixel')})."
    )


def _image_of(walked: Sequence[tuple[LayerInfo, Any]]) -> tuple[int, ...] | None:
    """Return the shape of the image, from the receptive fields of all layers."""
    ends = [(int(layer.field.rows[:, 1].max()) + 1, int(layer.field.columns[:, 1].max()) + 1) for layer, _ in walked]
    return (max(rows for rows, _ in ends), max(columns for _, columns in ends), 1) if ends else None


def _parts_of_layers(walked: Sequence[tuple[LayerInfo, Any]]) -> frozenset[str]:
    """Return the names of layers inside another layer, whose own calls do not tell how it uses them."""
    inner: set[int] = set()
    for _, operation in walked:
        if isinstance(operation, keras.layers.Layer):
            for each in operation._flatten_layers(include_self=False):
                inner |= {id(each), *(id(part) for part in getattr(each, "operations", []))}
    return frozenset(layer.name for layer, operation in walked if id(operation) in inner)
