"""A search as its figure: values of every kind on their axes, settings weighed once there are trials enough."""

import numpy as np
import pytest

from engine import config
from engine.config import SearchConfig
from engine.reproduction import figures, published
from engine.reproduction.trials import SearchSummary
from engine.search import space_file


def searched(points, described=None):
    base = config.preset("study-ae")
    found = published.claim("ae").space if described is None else space_file.parse(described, base)
    return SearchSummary(found, SearchConfig(), points)


@pytest.fixture
def points():
    """Twelve points of the study's space, of which larger latents are better."""
    chosen = list(published.claim("ae").space.points())[::7]
    return [(values, 1 / values["latent"]) for values in chosen]


def ends(figure):
    return [line.get_ydata() for line in figure.axes[0].lines if len(line.get_xdata()) > 2]


def test_every_trial_is_a_line_and_settings_are_weighed_by_importance(points):
    figure = figures.draw_search_of(searched(points), "MSE")
    assert len(ends(figure)) == len(points)
    weighed = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert weighed[-1] == "latent size"
    assert len(weighed) == 4


def test_few_trials_are_drawn_and_not_weighed(points):
    assert len(figures.draw_search_of(searched(points[:5]), "MSE").axes) == 1


def test_ranges_lists_of_words_and_settings_that_do_not_matter_have_their_places():
    described = {
        "activation": ["relu", "elu", "leaky-relu"],
        "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "leaky_slope": {"low": 0.0, "high": 0.4, "when": {"activation": ["leaky-relu"]}},
    }
    trials = [
        ({"activation": "relu", "learning_rate": 1e-2}, 1.0),
        ({"activation": "leaky-relu", "learning_rate": 1e-3, "leaky_slope": 0.4}, 2.0),
    ]
    figure = figures.draw_search_of(searched(trials, described), "MSE")
    worse, better = ends(figure)
    assert [*better[:2]] == pytest.approx([0.04, 0.96])
    assert np.isnan(better[2])
    assert [*worse[:3]] == pytest.approx([0.96, 0.5, 0.96], abs=0.01)
    assert {"relu", "0.0001", "0.4"} <= {text.get_text() for text in figure.axes[0].texts}
