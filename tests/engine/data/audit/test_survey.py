import threading

import numpy as np
import pytest
from PIL import Image

from engine.data import cache
from engine.data.audit import survey
from engine.data.loading import open_source
from engine.errors import DataError
from engine.folders import cache_root
from engine.job_context import Cancelled, JobContext


@pytest.fixture
def source(phantoms, save, config):
    """Three phantoms, the first one twice more (identical and rotated), one image of one gray, one damaged file."""
    for index in range(3):
        save(phantoms(index), f"{index}.png")
    save(phantoms(0), "3.bmp")
    save(phantoms(0).transpose(Image.Transpose.ROTATE_90), "4.png")
    save(Image.new("L", (50, 60), 7), "5.png")
    folder = save(Image.new("L", (50, 60), 7), "6.png")
    (folder / "7.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return lambda: open_source(config(source=str(folder)))


def fetch(source):
    return survey.survey_source(source)


def test_facts_of_every_image(source):
    found = fetch(source())
    assert [facts.item for facts in found.pictures] == list(range(7))
    assert [number for number, _ in found.unusable] == [7]
    keys = [facts.key for facts in found.pictures]
    assert keys[0] == keys[3]
    assert keys[5] == keys[6]
    assert len(set(keys)) == 5
    assert found.pictures[0].digest != found.pictures[3].digest
    assert found.pictures[5].digest == found.pictures[6].digest
    assert (found.pictures[5].height, found.pictures[5].width, found.pictures[5].exponent) == (60, 50, 0)
    assert [(pair.one, pair.other) for pair in found.pairs] == [(0, 4)]


def test_the_second_time_nothing_is_decoded(source, monkeypatch):
    first = fetch(source())
    monkeypatch.setattr(survey, "normalize_appearance", None)
    assert fetch(source()) == first


def test_another_content_is_looked_at_anew(source, phantoms, save):
    first = fetch(source())
    save(phantoms(9), "2.png")
    assert fetch(source()).pictures[2].key != first.pictures[2].key


def test_a_damaged_result_is_made_again(source):
    first = fetch(source())
    [file] = (cache_root() / "audits").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert fetch(source()) == first


def test_only_the_newest_results_are_kept(source, phantoms, save, monkeypatch):
    monkeypatch.setattr(cache, "KEPT_RESULTS", 2)
    for index in range(4):
        save(phantoms(10 + index), "2.png")
        fetch(source())
    assert len(list((cache_root() / "audits").iterdir())) == 2


def test_a_cache_that_cannot_be_written_only_costs_time(source, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ENGRAM_CACHE", str(tmp_path / "file"))
    assert len(fetch(source()).pairs) == 1


def test_no_room_for_thumbnails_is_a_sentence(source, monkeypatch):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "open_memmap", full)
    with pytest.raises(DataError, match="No space left"):
        fetch(source())


def test_progress_goes_through_both_stages(source):
    told = []
    survey.survey_source(source(), JobContext(on_progress=lambda *step: told.append(step)))
    assert told == [*(("Reading images", done, 8) for done in range(1, 9)), ("Comparing images", 4, 4)]


def test_a_stop_is_obeyed_and_leaves_nothing_behind(source):
    wanted = threading.Event()
    with pytest.raises(Cancelled):
        survey.survey_source(source(), JobContext(wanted.is_set, lambda *step: wanted.set()))
    assert not (cache_root() / "audits").exists()
