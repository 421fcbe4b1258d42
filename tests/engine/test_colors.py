"""The color maps: the same in the window, in PNG files and in figures."""

import numpy as np
import pytest

from engine import colors
from engine.figures import plain, style

MAPS = {"heat": (colors.HEAT, style.HEAT), "signed": (colors.SIGNED, style.SIGNED)}


@pytest.mark.parametrize("name", MAPS)
def test_figures_and_files_have_the_colors_of_the_app(name):
    stops, drawn = MAPS[name]
    table = colors.make_color_table(stops).astype(int)
    figure = drawn(np.linspace(0, 1, colors.TABLE_SIZE), bytes=True)[:, :3].astype(int)
    assert np.abs(figure - table).max() <= 3
    assert np.array_equal(plain.MAPS[name], table)


@pytest.mark.parametrize("stops", [colors.GRAY, colors.HEAT, colors.SIGNED])
def test_table_goes_from_the_first_stop_to_the_last(stops):
    table = colors.make_color_table(stops)
    assert table.shape == (colors.TABLE_SIZE, 3)
    ends = ["#" + bytes(table[at]).hex() for at in (0, -1)]
    assert ends == [stops[0], stops[-1]]
