"""Figures: images true to the pixel, differences signed and on one scale, the mark on each."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from engine.figures import DISCLAIMER, base
from engine.figures.base import Chart, Column, Curve


def drawn(figure):
    with Image.open(io.BytesIO(base.png(figure))) as image:
        return np.asarray(image.convert("RGB")).astype(int), image.text


def texts(figure):
    return [text.get_text() for text in figure.findobj(lambda item: hasattr(item, "get_text"))]


RNG = np.random.default_rng(0)
IMAGES = [RNG.random((32, 32)) for _ in range(3)]
DIFFERENCES = [RNG.uniform(-0.3, 0.3, (32, 32)) for _ in range(3)]
FIGURES = {
    "picture": lambda: base.picture(IMAGES[0], "head"),
    "difference": lambda: base.difference(DIFFERENCES[0], 0.3, "head"),
    "grid": lambda: base.grid([Column("a", IMAGES), Column("b", DIFFERENCES, signed=True)], ["x", "y", "z"]),
    "curves": lambda: base.curves([Chart("a", "MSE", [Curve("training", [1, 2], [0.5, 0.25])])]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_carries_the_mark_for_eyes_and_programs(name):
    figure = FIGURES[name]()
    assert DISCLAIMER in texts(figure)
    assert DISCLAIMER in drawn(figure)[1]["Description"]


def test_image_keeps_every_intensity():
    values = np.arange(1024).reshape(32, 32) % 256
    pixels, _ = drawn(base.picture(values / 255, "ramp"))
    assert pixels.shape == (512 + base.STRIP_PX, 512, 3)
    blocks = pixels[:512].reshape(32, 16, 32, 16, 3)
    assert (blocks == blocks[:, :1, :, :1, :1]).all()
    np.testing.assert_allclose(blocks[:, 0, :, 0, 0], values, atol=1)


def test_image_of_one_gray_is_not_stretched():
    pixels, _ = drawn(base.picture(np.full((64, 64), 0.25), "flat"))
    assert abs(pixels[100, 100, 0] - 64) <= 1


def test_large_image_is_not_cut():
    pixels, _ = drawn(base.picture(np.zeros((512, 512)), "large"))
    assert pixels.shape[:2] == (512 + base.STRIP_PX, 512)


def test_difference_is_orange_above_blue_below_and_dark_at_zero():
    steps = np.repeat([[0.4, 0.0, -0.4, 0.2]], 4, axis=0)
    pixels, _ = drawn(base.difference(steps, 0.4, "steps"))
    brighter, same, darker, half = (pixels[100, x] for x in (64, 192, 320, 448))
    assert brighter[0] > brighter[2]
    assert darker[2] > darker[0]
    assert same.max() < 40
    assert half[0] - half[2] > 80
    assert half.sum() < brighter.sum()


@pytest.mark.parametrize(("largest", "limit"), [(0.0, 0.05), (0.05, 0.05), (0.051, 0.1), (0.62, 0.65), (1.0, 1.0)])
def test_limit_is_symmetric_and_round(largest, limit):
    assert base.difference_limit([np.full((9, 9), -largest), np.full((5, 7), largest / 2)]) == pytest.approx(limit)


def test_few_large_differences_do_not_hide_the_others():
    image = np.full((100, 100), 0.19)
    image.flat[:40] = -0.9
    assert base.difference_limit([image]) == pytest.approx(0.2)
    pointed = base.difference(image, 0.2, "head").axes[0]._colorbar.extend
    assert (pointed, base.difference(image, 0.9, "head").axes[0]._colorbar.extend) == ("both", "neither")
    image.flat[:60] = -0.9
    assert base.difference_limit([image]) == pytest.approx(0.9)


def test_all_differences_of_a_grid_share_one_scale():
    small, large = np.full((8, 8), 0.1), np.full((8, 8), 0.6)
    figure = base.grid([Column("a", [small], signed=True), Column("b", [large], signed=True)], ["x"])
    scales = {image.get_clim() for axes in figure.axes for image in axes.images}
    assert scales == {(-0.6, 0.6)}
    assert {"−0.6", "0", "+0.6", base.DIFFERENCE} <= set(texts(figure))


def test_images_of_a_grid_run_from_black_to_white():
    figure = base.grid([Column("a", [np.full((8, 8), 0.5)])], ["x"])
    assert [image.get_clim() for axes in figure.axes for image in axes.images] == [(0, 1)]


def test_long_title_is_elided_in_the_middle():
    (axes,) = base.grid([Column("a", [np.zeros((8, 8))])], ["a very long name of a file, slice 12"]).axes
    assert axes.get_ylabel() == "a very lon… slice 12"


def test_validation_is_dashed_and_its_best_epoch_marked():
    curves = [Curve("training", [1, 2, 3], [3, 2, 1]), Curve("validation", [1, 2, 3], [4, 2.5, 3], dashed=True)]
    (axes,) = base.curves([Chart("a", "nats", curves, best=2, floor=0.5)]).axes
    lines = {line.get_label(): line for line in axes.lines}
    assert (lines["training"].get_linestyle(), lines["validation"].get_linestyle()) == ("-", "--")
    assert lines["best, epoch 2"].get_xydata().tolist() == [[2, 2.5]]
    assert lines["entropy floor"].get_ydata()[0] == 0.5


@pytest.mark.parametrize(
    "name", ["pa_$1^^2$_t1", "a$x_$b", "a$1$b", "a_{b", r"a\frac$", "caf\udce9", "a<b>", "脳の像", "x" * 240, "tab\t"]
)
def test_name_of_a_file_appears_letter_for_letter(name):
    figures = [
        base.picture(IMAGES[0], name),
        base.difference(DIFFERENCES[0], 0.3, name),
        base.grid([Column(name, IMAGES[:1])], [name]),
        base.curves([Chart(base.elide(name), "MSE", [Curve(base.elide(name), [1, 2], [0.5, 0.25])])]),
    ]
    for figure in figures:
        assert base.pdf(figure).startswith(b"%PDF")
        pixels, _ = drawn(figure)
        assert pixels.std() > 0
        named = [text for text in figure.findobj(Text) if text.get_text()[:1] == name[:1]]
        assert named
        assert not any(text.get_parse_math() for text in named)


def test_labels_of_a_logarithmic_axis_stay_formulas():
    figure = Figure()
    axes = figure.subplots()
    axes.semilogy([1, 2], [1e-3, 1e3])
    base.png(figure)
    assert any("mathdefault" in label.get_text() and label.get_parse_math() for label in axes.get_yticklabels())
