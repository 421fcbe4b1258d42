"""Analysis of trained models, which the explorer process runs."""

import difflib
from collections.abc import Iterable

from engine.errors import ConfigError

# Number of names that fit into a sentence.
MAX_LISTED = 40
N_SUGGESTIONS = 5


def make_unknown_layer_error(name: str, known: Iterable[str]) -> ConfigError:
    """Return the error to raise: it lists the model's layers, or of many those with similar names.

    Args:
        name: the requested layer.
        known: the names of the model's layers in network order.
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, N_SUGGESTIONS, 0.5)
    if len(names) <= MAX_LISTED:
        advice = f"Its layers: {', '.join(names)}."
    elif near:
        advice = f"Closest of its {len(names)} layers: {', '.join(near)}."
    else:
        advice = f"None of its {len(names)} layers ({names[0]} to {names[-1]}) has a similar name."
    return ConfigError(f"The model has no layer '{name}'.", advice)
