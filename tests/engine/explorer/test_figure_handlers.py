"""Figures of what the app shows: files of all kinds, light, with every text, and color bars that say what they are."""

import numpy as np
import pytest

from engine.errors import DataError
from engine.explorer.figure_handlers import export_figure
from engine.messages import ExportFigure, FigureGroup, FigureMap, FigureRow


@pytest.fixture
def write(tmp_path):
    def save(values):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.npy"
        np.save(path, np.asarray(values, np.float32))
        return str(path)

    return save


def read(tmp_path, **fields):
    """Return the text of a figure as SVG."""
    request = ExportFigure(panel="x", path=str(tmp_path / "f.svg"), **fields)
    assert export_figure(request).path == request.path
    return (tmp_path / "f.svg").read_text(encoding="utf-8")


def test_rows_of_images_have_notes_lines_and_a_color_bar(tmp_path, write):
    values = np.linspace(-2, 7.25, 32).reshape(2, 4, 4)
    rows = (
        FigureRow(title="original", images=write(values), limits=(0.25, 0.75), notes=("20.5 · 0.80", "b")),
        FigureRow(title="channels", images=write(values), colors="heat", limits=(-2.0, 7.25)),
    )
    words = {"heading": "Head 7", "lines": ("A warning.",), "titles": ("one", "two"), "scale": "value of the channel"}
    text = read(tmp_path, rows=rows, **words)
    for word in ("Head 7", "A warning.", "one", "20.5 · 0.80", "channels", "value of the channel", "7.25", "-2"):
        assert word in text
    assert "#1b1f26" in text, "dark text, where the dark theme has its card"
    with pytest.raises(DataError, match="could not be read"):
        read(tmp_path, rows=(FigureRow(images=str(tmp_path / "no.npy")),))


def test_map_has_its_groups_or_its_values_and_marked_images(tmp_path, write):
    points = np.array([[0, 0, 0], [1, 1, 1], [2, 0, 1]], np.float32)
    groups = FigureGroup(title="glioma", color="#0f7a78"), FigureGroup(title="none", color="#9c5414", shape="cross")
    shown = FigureMap(points=write(points), axes=("PC 1", "PC 2"), groups=groups, marked=((1.0, 1.0, "A"),))
    text = read(tmp_path, map=shown, lines=("A note.",))
    assert all(word in text for word in ("glioma (1)", "none (2)", "PC 1", "A note.", "#9c5414", ">A<"))
    text = read(tmp_path, map=shown.model_copy(update={"groups": (), "value_title": "MSE"}))
    assert "MSE" in text
