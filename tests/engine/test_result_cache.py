"""Numbers that are not measured twice."""

import json

from engine import runs
from engine.config import DataConfig
from engine.result_cache import ResultCache, describe_data, fingerprint, model_fingerprint


def test_numbers_are_there_again_under_the_same_fingerprint_alone(tmp_path):
    mark = fingerprint("splits", [1, 2])
    ResultCache(tmp_path / "measured.json").keep("ae", {"mse": 0.25}, mark)
    again = ResultCache(tmp_path / "measured.json")
    assert again.get("ae", mark) == {"mse": 0.25}
    assert again.get("ae", fingerprint("splits", [1, 3])) is None
    assert again.get("vae", mark) is None


def test_file_that_cannot_be_read_holds_nothing(tmp_path):
    path = tmp_path / "measured.json"
    for text in ("", "{", "[1]", "null", '{"ae": 3}'):
        path.write_text(text)
        assert ResultCache(path).get("ae", "x") is None
        assert ResultCache(path).get("vae") is None


def test_newest_results_stay(tmp_path):
    path = tmp_path / "of a run" / "measures.json"
    for number in (1, 2, 1, 3):
        ResultCache(path, 2).keep(f"images {number}", {"mse": number})
    assert json.loads(path.read_text()) == {"images 1": {"mse": 1}, "images 3": {"mse": 3}}
    assert ResultCache(path).get("images 3") == {"mse": 3}


def raise_disk_full(*_):
    raise OSError(28, "No space left on device")


def test_result_that_cannot_be_written_is_computed_again(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "write_text_atomic", raise_disk_full)
    ResultCache(tmp_path / "measures.json").keep("one", 1)
    assert ResultCache(tmp_path / "measures.json").get("one") is None


def test_other_weights_or_settings_are_another_model(write_run):
    run = write_run("a", [1.0])
    before = model_fingerprint(run)
    assert model_fingerprint(run) == before
    run.model_path.write_bytes(b"others")
    assert model_fingerprint(run) != before
    assert model_fingerprint(write_run("b", [1.0])) == before
    assert model_fingerprint(write_run("c", [1.0], latent=16)) != before


def test_settings_of_volumes_count_only_if_they_differ():
    later = {"plane": "coronal", "slices": "all", "slice_step": 2, "series": "flair"}
    assert not set(later) & set(describe_data(DataConfig()))
    assert describe_data(DataConfig(**later)) == describe_data(DataConfig()) | later
