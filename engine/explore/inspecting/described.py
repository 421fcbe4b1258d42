"""A model's layers as plain facts, for those who know no framework."""

from collections.abc import Sequence
from typing import Any

from engine.errors import ConfigError
from engine.explore import layers, words
from engine.explore.layers import Layer

PLAIN = ("name", "kind", "part", "shape", "parameters", "kernel", "stride", "receives")


def described(walked: Sequence[tuple[Layer, Any]]) -> list[dict[str, Any]]:
    """Every layer: what `Layer` says of it, its field, and its non-linearity.

    Returns:
        For each layer the fields of `Layer` by their names; `rows` and `columns`, the two tables of its `Field`, and
        `known`; `before` and `after`, the layers round the non-linearity that belongs to it, None where none does;
        `words`, sentences of `engine.explore.words`.
    """
    known, said = [layer for layer, _ in walked], words.of_layers(walked)
    return [_facts(known, layer) | {"words": said[layer.name]} for layer in known]


def _facts(known: Sequence[Layer], layer: Layer) -> dict[str, Any]:
    field = layer.field
    seen = {"rows": field.rows.tolist(), "columns": field.columns.tolist(), "known": field.known}
    before, after = _around(known, layer.name)
    return {name: getattr(layer, name) for name in PLAIN} | seen | {"before": before, "after": after}


def _around(known: Sequence[Layer], name: str) -> tuple[str | None, str | None]:
    try:
        return layers.around(known, name)
    except ConfigError:
        return None, None
