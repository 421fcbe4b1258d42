"""A model's layers as plain facts, for those who know no framework."""

from collections.abc import Sequence
from typing import Any

from engine.analysis import layer_text, layers
from engine.analysis.layers import LayerInfo
from engine.errors import ConfigError

COPIED_FIELDS = ("name", "kind", "part", "shape", "parameters", "kernel", "stride", "receives")


def layer_to_dict(walked: Sequence[tuple[LayerInfo, Any]]) -> list[dict[str, Any]]:
    """Every layer: what `LayerInfo` says of it, its field, and its non-linearity.

    Returns:
        For each layer the fields of `LayerInfo` by their names; `rows` and `columns`, the two tables of its
        `ReceptiveField`, and `known`; `before` and `after`, the layers round the non-linearity that belongs to it, None
        where none does; `layer_text`, sentences of `engine.analysis.layer_text`.
    """
    known, said = [layer for layer, _ in walked], layer_text.describe_layers(walked)
    return [_facts(known, layer) | {"words": said[layer.name]} for layer in known]


def _facts(known: Sequence[LayerInfo], layer: LayerInfo) -> dict[str, Any]:
    field = layer.field
    seen = {"rows": field.rows.tolist(), "columns": field.columns.tolist(), "known": field.known}
    before, after = _find_neighbor_layers(known, layer.name)
    return {name: getattr(layer, name) for name in COPIED_FIELDS} | seen | {"before": before, "after": after}


def _find_neighbor_layers(known: Sequence[LayerInfo], name: str) -> tuple[str | None, str | None]:
    try:
        return layers.nonlinearity_pair(known, name)
    except ConfigError:
        return None, None
