"""What the explorer leaves in its scratch folder."""

import numpy as np
import pytest
from PIL import Image

from engine.explore.explorer import Explorer
from engine.messages import OpenScan, never


@pytest.fixture
def explorer(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return Explorer(folder, lambda event: None, never)


def test_scan_is_opened_without_writing_its_pixels(explorer, tmp_path):
    Image.fromarray(np.full((40, 60), 90, np.uint8)).save(tmp_path / "head.png")
    answer = explorer.answer(OpenScan(number=1, panel="compare-scan", path=str(tmp_path / "head.png")))
    assert (answer["name"], answer["kind"], answer["slices"]) == ("head.png", "picture", 1)
    assert not list(explorer.scratch.iterdir())
