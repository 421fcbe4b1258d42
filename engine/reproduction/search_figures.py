"""Figure of a search of the study: trials from its database, importances from `engine.search.importance`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.figures import search
from engine.figures.search import EffectEstimate, SearchAxis, SearchFigure
from engine.reproduction.tables import setting_title
from engine.reproduction.trials import SearchSummary
from engine.search import importance, statistics
from engine.search.dimensions import AnyDimension, Categorical

FEW = "Too few trials to estimate the effects of the settings."
WEIGHED = (
    "Right: change of the loss from a setting's lowest to its highest value with the others held constant, from "
    "a linear fit over the trials with 95% bootstrap intervals; pale where the 95% interval includes zero. The "
    "search chose where to sample, so this is not a controlled experiment; with few trials the intervals are "
    "wide."
)


def draw_search_of(searched: SearchSummary, unit: str) -> Figure:
    """Draw a search; with the effects of the settings if there are enough trials.

    Args:
        searched: the search.
        unit: unit of the scores.
    """
    dimensions = searched.space.dimensions
    places = np.array([[_axis_position(each, values) for each in dimensions] for values, _ in searched.scored])
    losses = np.array([score for _, score in searched.scored])
    weighed = importance.hyperparameter_importances(searched.space, searched.scored) or []
    effects = [EffectEstimate(_title(each.name), each.effect, each.low, each.high) for each in weighed]
    relative = all(each.is_relative for each in weighed)
    return search.draw_search(SearchFigure([*map(_scale, dimensions)], places, losses, unit, effects, relative))


def _title(name: str) -> str:
    return setting_title(name).lower()


def _scale(dimension: AnyDimension) -> SearchAxis:
    if isinstance(dimension, Categorical):
        values = [*dimension.values]
    else:
        values = [dimension.from_unit(share) for share in (0.0, 0.5, 1.0)]
    ticks = [(_axis_position(dimension, {dimension.name: value}), statistics.format_value(value)) for value in values]
    return SearchAxis(_title(dimension.name), ticks)


def _axis_position(dimension: AnyDimension, values: Mapping[str, Any]) -> float:
    """Return the position of a trial's value on its axis; nan if the setting was inactive."""
    if dimension.name not in values:
        return float("nan")
    features: NDArray[np.float64] = np.array(dimension.features(values[dimension.name]))
    if len(features) == 1:
        return float(features[0])
    return float(features.argmax()) / max(len(features) - 1, 1)
