"""Figures about noise: the mark, the outline of the lesion, lines that can be distinguished without color."""

import io

import numpy as np
import pytest
from PIL import Image

from engine import lesions
from engine.figures import DISCLAIMER, base, denoising
from engine.figures.denoising import Measure, MethodRow

SIGMAS = (0.0, 0.05, 0.1)


@pytest.fixture
def rows():
    kinds = ("nothing", "run", "run", "baseline", "baseline")
    return [
        MethodRow(
            f"method {number}",
            [None, 30.0 + number, 20.0],
            [None, (29.0, 32.0), None],
            kind,
            0.03 if number == 1 else None,
        )
        for number, kind in enumerate(kinds)
    ]


def pixels(figure):
    with Image.open(io.BytesIO(base.png(figure))) as image:
        assert DISCLAIMER in image.text["Description"]
        return np.asarray(image.convert("RGB")).astype(int)


def test_comparison_outlines_the_lesion_on_the_images_and_not_on_the_differences():
    pictures = [np.full((32, 32), 0.3) for _ in range(3)]
    mask = lesions.ellipse((32, 32), 8, 8, 14, 14)
    plain = pixels(denoising.comparison(["clean", "noisy", "made"], pictures, ["", "20 dB", "30 dB"], None))
    outlined = pixels(denoising.comparison(["clean", "noisy", "made"], pictures, ["", "20 dB", "30 dB"], mask))
    changed = np.abs(plain - outlined).sum(axis=2).any(axis=1)
    assert changed.any()
    assert not changed[len(changed) // 2 + 20 :].any()


def test_curves_tell_methods_apart_by_mark_and_dash_too(rows):
    figure = denoising.curves(SIGMAS, [Measure("PSNR", "dB", rows), Measure("SSIM", "SSIM", rows)])
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 3]
    assert len({(line.get_marker(), line.get_linestyle()) for line in lines}) == 5
    assert [line.get_linestyle() for line in lines] == ["-", "-", "-", "--", "--"]
    assert [line.get_xdata()[0] for line in figure.axes[0].lines if len(line.get_xdata()) == 2] == [pytest.approx(7.65)]
    assert len(pixels(figure))


def test_bands_of_two_images_do_not_flatten_the_chart():
    wide = [MethodRow("two scans", [1.0, 0.9, 0.8], [(-9.0, 9.0)] * 3, "run")]
    low, high = denoising.curves(SIGMAS, [Measure("Retention", "share", wide)]).axes[0].get_ylim()
    assert 0.7 < low < high < 1.0
    nothing = [MethodRow("none", [None] * 3, [None] * 3, "run")]
    assert pixels(denoising.curves(SIGMAS, [Measure("Retention", "share", nothing)])).any()


def test_images_that_stay_as_they_are_do_not_flatten_the_chart(rows):
    high = [MethodRow("nothing to do", [300.0, 31.0, 20.0], [None] * 3, "baseline"), *rows]
    figure = denoising.curves(SIGMAS, [Measure("PSNR", "dB", high)])
    assert 34 < figure.axes[0].get_ylim()[1] < 40
