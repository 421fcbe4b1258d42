"""The drawings of the study: ranks, searches, mosaics of layers, strips of images."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from engine.figures import base, image_strips, mosaic, search
from engine.figures.image_strips import Strip
from engine.figures.mosaic import Tile
from engine.figures.search import EffectEstimate, Ranked, ReferenceLine, SearchAxis, SearchFigure


def brightness(color):
    return sum(to_rgb(color[:3]))


def test_best_is_brightest_and_one_alone_is_best():
    shades = [brightness(search.rank_color(rank, 10)) for rank in range(10)]
    assert shades[0] == max(shades)
    assert shades[-1] == min(shades)
    assert search.rank_color(0, 1) == search.rank_color(0, 10)


def test_curves_show_every_run_and_list_the_best_first():
    runs = [Ranked(f"run {rank}", [1, 2, 3], [3, 2, 1 + rank], [3, 2, 1 + rank]) for rank in range(3)]
    figure = search.draw_ranked_curves(runs, "nats", [ReferenceLine("floor", 0.5)])
    training, validation = figure.axes
    assert [len(axes.lines) for axes in (training, validation)] == [4, 4]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["run 0", "run 1", "run 2", "floor"]
    best = max(validation.lines[:3], key=lambda line: line.get_zorder())
    assert best.get_label() == "run 0"
    assert base.png(figure).startswith(b"\x89PNG")


@pytest.fixture
def found():
    """Losses that only the first setting decides; the second did not matter in the last trial."""
    scales = [SearchAxis("rate", ((0, "1"), (1, "2"))), SearchAxis("batch", ((0, "16"), (1, "32")))]
    places = np.array([[0, 0], [0, 1], [1, 0], [1, np.nan]])
    effects = [EffectEstimate("rate", 3.0, 2.0, 4.0), EffectEstimate("batch", -0.1, -0.3, 0.2)]
    return SearchFigure(scales, places, np.array([1.0, 1.0, 4.0, 4.0]), "MSE", effects)


def test_search_has_a_line_for_each_trial_from_its_settings_to_its_loss(found):
    figure = search.draw_search(found)
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 3]
    assert len(lines) == 4
    best = max(lines, key=lambda line: line.get_linewidth())
    assert best.get_ydata()[-1] == pytest.approx(0.04)
    assert best.get_ydata()[0] < 0.1
    assert {"1", "2", "16", "32"} <= {text.get_text() for text in figure.axes[0].texts}
    assert base.pdf(figure).startswith(b"%PDF")


def test_effects_are_bars_with_intervals_and_pale_where_the_sign_is_open(found):
    bars = search.draw_search(found).axes[1]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["batch", "rate"]
    assert [text.get_text() for text in bars.texts] == ["−10%", "+300%"]
    assert [bar.get_alpha() for bar in bars.patches] == [0.4, 1.0]
    assert sorted(map(list, (line.get_xdata() for line in bars.lines[:2]))) == [[-0.3, 0.2], [2.0, 4.0]]


def test_search_whose_losses_are_all_equal_and_whose_settings_cannot_be_weighed_is_drawn(found):
    drawn = search.draw_search(SearchFigure(found.scales, found.places, np.ones(4), "MSE"))
    assert len(drawn.axes) == 1


def test_channels_lie_side_by_side_with_a_gap():
    activation = np.stack([np.full((2, 3), channel, float) for channel in range(5)], axis=-1)
    picture = mosaic.make_tile(activation)
    assert picture.shape == (2 * 2 + 1, 3 * 3 + 2)
    assert picture[0, 0] == 0
    assert picture[0, 4] == 1
    assert picture[3, 0] == 3
    assert np.isnan(picture[2]).all()
    assert np.isnan(picture[3:, 8:]).all()


def test_numbers_become_a_near_square_of_pixels():
    picture = mosaic.make_tile(np.arange(7.0))
    assert picture.shape == (3, 3)
    assert picture[1, 2] == 5
    assert np.isnan(picture[2, 1:]).all()


def test_every_layer_is_drawn_with_its_name_shape_and_scale():
    tiles = [Tile("scan", np.ones((8, 8, 1))), Tile("latent", -np.ones(10)), Tile("dead", np.zeros((4, 4, 3)))]
    figure = mosaic.draw_mosaic(tiles, across=2)
    texts = [text.get_text() for text in figure.texts]
    assert len(figure.axes) == 3
    assert {"scan", "latent", "dead"} <= set(texts)
    assert "8 × 8 × 1 · 0 to 1" in texts
    assert "10 values · ±1" in texts
    assert base.png(figure).startswith(b"\x89PNG")


def test_strips_have_a_row_each_and_one_scale_for_the_differences():
    images = [np.full((8, 8), value) for value in (0.2, 0.4)]
    rows = [Strip("original", images, notes=["a", "b"]), Strip("difference", [-images[0], images[1]], signed=True)]
    figure = image_strips.strips(rows, ["glioma tumor", "no tumor"])
    pictures = [axes for axes in figure.axes if axes.images]
    assert len(pictures) == 4
    limits = {axes.images[0].get_clim() for axes in pictures[2:]}
    assert limits == {(-0.4, 0.4)}
    assert pictures[0].get_title() == "glioma tumor"
    assert [axes.get_xlabel() for axes in pictures[:2]] == ["a", "b"]
