"""Numbers as text."""

import math

import pytest

from engine import formatting


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00392611, "0.003926"),
        (6512.4, "6,512"),
        (21.456, "21.46"),
        (-0.5, "\u22120.5"),
        (1.25e-7, "1.25e\u22127"),
        (math.inf, "∞"),
        (None, "—"),
        (math.nan, "—"),
    ],
)
def test_number(value, text):
    assert formatting.format_number(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.5, "0.5000"), (-0.5, "\u22120.5000"), (12.0, "12"), (None, "—")])
def test_measured_number_keeps_its_zeros(value, text):
    assert formatting.format_measured(value) == text


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (1234.56, 1, "1,234.6"),
        (-0.04, 1, "0.0"),
        (-0.06, 1, "\u22120.1"),
        (None, 1, "—"),
        (math.nan, 1, "—"),
        (math.inf, 1, "∞"),
    ],
)
def test_fixed_places(value, places, text):
    assert formatting.format_fixed(value, places) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.6, "1 min 0 s"), (250, "4 min 10 s"), (7500, "2 h 5 min"), (math.inf, "0 s"), (-3, "0 s")],
)
def test_duration(seconds, text):
    assert formatting.format_duration(seconds) == text


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("phantom", "phantom"),
        ("/home/ada/Doe John/scans", "scans"),
        ("C:\\Users\\ada\\scans", "scans"),
        ("hf:benschill/brain-tumor-collection", "hf:benschill/brain-tumor-collection"),
        ("hf:", "hf:"),
        ("hf:/home/ada/set", "hf:set"),
        ("hf:~/set", "hf:set"),
        ("hf:./ada/set", "hf:set"),
        ("hf:C:\\ada\\set", "hf:set"),
    ],
)
def test_a_report_names_a_source_without_the_way_to_it(source, shown):
    assert formatting.format_source(source) == shown
