"""What the explorer leaves in its scratch folder."""

import numpy as np
import pytest
from PIL import Image

from engine.explorer.explorer import Explorer
from engine.messages import OpenScan, never_stop


@pytest.fixture
def explorer(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return Explorer(folder, lambda event: None, never_stop)


def test_arrays_stay_until_the_reader_deletes_them(explorer):
    again = Explorer(explorer.scratch, lambda event: None, never_stop)  # of a process that took the place of another
    paths = [made.save_array(np.full(2, number)) for number in range(100) for made in (explorer, again)]
    assert len(set(paths)) == 200
    assert [np.load(path)[0] for path in paths] == [number for number in range(100) for _ in range(2)]


def test_scan_is_opened_without_writing_its_pixels(explorer, tmp_path):
    Image.fromarray(np.full((40, 60), 90, np.uint8)).save(tmp_path / "head.png")
    answer = explorer.answer(OpenScan(number=1, panel="compare-scan", path=str(tmp_path / "head.png")))
    assert (answer.name, answer.kind, answer.slices) == ("head.png", "picture", 1)
    assert not list(explorer.scratch.iterdir())
