"""What is said about a layer that a model does not have."""

import difflib
from collections.abc import Iterable

from engine.errors import ConfigError

FEW = 40  # names that a sentence can hold
NEAR = 5


def make_unknown_layer_error(name: str, known: Iterable[str]) -> ConfigError:
    """The error to raise: it tells the layers there are, of many those whose names come near.

    Args:
        name: the layer asked for.
        known: the names of the model's layers in network order.
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, NEAR, 0.5)
    if len(names) <= FEW:
        advice = f"Its layers: {', '.join(names)}."
    elif near:
        advice = f"Closest of its {len(names)} layers: {', '.join(near)}."
    else:
        advice = f"None of its {len(names)} layers ({names[0]} to {names[-1]}) has a similar name."
    return ConfigError(f"The model has no layer '{name}'.", advice)
