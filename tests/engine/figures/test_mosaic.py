"""One layer large: its scale is true, and its bar says what lies beyond."""

import numpy as np
import pytest

from engine.figures import base, mosaic


def test_scale_is_from_zero_without_negative_values_and_symmetric_with_them():
    values = np.linspace(0, 2, 1000).reshape(10, 10, 10)
    assert mosaic.value_range(values) == (0.0, pytest.approx(1.99, abs=0.01))
    low, high = mosaic.value_range(values - 0.5)
    assert low == -high
    assert mosaic.value_range(np.zeros(4)) == (0.0, 1.0)


def test_images_are_never_stretched():
    assert mosaic.value_range(np.full((8, 8, 1), 0.3)) == (0.0, 1.0)
    assert mosaic.value_range(np.full((8, 8, 2), 0.3)) == (0.0, pytest.approx(0.3))
    assert mosaic.value_range(np.full((8, 8, 1), 1.3))[1] == pytest.approx(1.3)


NOISE = np.random.default_rng(0).standard_normal((8, 8, 5))


@pytest.mark.parametrize("activation", [NOISE, np.arange(12.0), np.zeros(3)], ids=["signed", "numbers", "nothing"])
def test_layers_of_every_shape_are_drawn_with_their_bar(activation):
    figure = mosaic.draw_channels(activation, "enc_conv1 · scan", "Conv2D")
    picture, bar = figure.axes
    low, high = mosaic.value_range(activation)
    assert picture.images[0].get_clim() == (low, high)
    assert bar.get_ylabel() == "activation"
    assert {"enc_conv1 · scan", "Conv2D"} <= {text.get_text() for text in figure.texts}
    assert base.png(figure).startswith(b"\x89PNG")
