"""Contrast, color-blindness and the one color of each series."""

import itertools

import numpy as np
import pytest

from gui import palette
from gui.palette import DARK, LIGHT, contrast, rgb

THEMES = pytest.mark.parametrize("colors", [DARK, LIGHT], ids=lambda colors: colors.name)
TEXTS = ("text", "quiet", "strong", "danger", "accent")
SURFACES = ("background", "card", "field")
PAIRS = [
    *itertools.product(TEXTS, SURFACES),
    ("text", "button"),
    ("text", "hover"),
    ("danger", "button"),
    ("quiet", "rail_selection"),
    ("text", "selection"),
    ("strong", "selection"),
    ("danger", "selection"),
    ("on_accent", "accent_fill"),
    ("on_accent", "accent_hover"),
    ("warning_text", "warning_card"),
    ("warning_text", "field"),
    ("info_text", "info_card"),
    ("accent", "hover"),
    ("accent", "selection"),
    ("quiet", "selection"),
    ("quiet", "hover"),
]

# Machado, Oliveira and Fernandes (2009), full severity, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def seen_lab(color, blindness):
    """Return a color in CIELAB (D65) as an eye with this blindness sees it."""
    channels = np.array(rgb(color)) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    x, y, z = TO_XYZ @ np.clip(BLINDNESS[blindness] @ linear, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    fx, fy, fz = (np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def test_contrast_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.01)  # the known gray that just passes


@THEMES
@pytest.mark.parametrize(("text", "surface"), PAIRS)
def test_text_is_readable_on_what_it_stands_on(colors, text, surface):
    assert contrast(getattr(colors, text), getattr(colors, surface)) >= 4.5


@THEMES
def test_curves_are_visible_on_their_field(colors):
    assert len(colors.series) >= 8
    assert min(contrast(color, colors.field) for color in colors.series) >= 3
    assert contrast(colors.focus, colors.field) >= 3


@THEMES
def test_outlines_and_scores_are_visible(colors):
    for surface in SURFACES:
        assert contrast(colors.outline, getattr(colors, surface)) >= 3
    lightness = [palette.luminance(color) for color in colors.score]
    assert lightness == sorted(lightness, reverse=colors is LIGHT)
    assert min(contrast(color, colors.field) for color in colors.score) >= 3


@THEMES
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_curves_stay_apart_for_every_eye(colors, blindness):
    labs = [seen_lab(color, blindness) for color in colors.series]
    distances = [np.linalg.norm(one - other) for one, other in itertools.combinations(labs, 2)]
    assert min(distances) > 15


def test_a_key_keeps_its_color_whatever_comes_after_it():
    first = palette.find_series_color("a")
    others = [palette.find_series_color(key) for key in "bcdefgh"]
    assert palette.find_series_color("a") == first
    assert len({first, *others}) == 8


def test_a_key_keeps_its_place_in_the_other_theme():
    palette.register_series("old"), palette.register_series("new")
    dark = palette.find_series_color("new")
    palette.use(LIGHT)
    assert DARK.series.index(dark) == LIGHT.series.index(palette.find_series_color("new")) == 1


def test_registered_order_decides_not_the_order_of_asking():
    palette.register_series("first"), palette.register_series("second")
    assert palette.find_series_color("second") == DARK.series[1]
    assert palette.find_series_color("first") == DARK.series[0]
