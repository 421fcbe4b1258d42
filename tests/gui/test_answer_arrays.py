"""The arrays of an answer, told from its other content."""

import numpy as np
import pytest

from gui.answer_arrays import count_bytes, take_arrays


def test_only_files_of_the_scratch_folder_are_taken(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for folder in (tmp_path, scratch):
        np.save(folder / "a.npy", np.ones(2))
    content = {"own": str(scratch / "a.npy"), "store": str(tmp_path / "a.npy"), "twice": [str(scratch / "a.npy")]}
    taken = take_arrays(content, scratch)
    assert taken["store"] == str(tmp_path / "a.npy")
    assert taken["own"] is taken["twice"][0]
    assert (tmp_path / "a.npy").exists()
    assert not (scratch / "a.npy").exists()


def test_what_cannot_be_read_is_deleted_with_the_rest(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(2))
    with pytest.raises(FileNotFoundError):
        take_arrays({"a": str(tmp_path / "a.npy"), "b": str(tmp_path / "b.npy")}, tmp_path)
    assert not (tmp_path / "a.npy").exists()


def test_bytes_are_those_of_all_arrays_within():
    content = {"a": np.ones(4, np.float32), "b": [{"c": np.ones(2, np.float64)}, "text", 1, None]}
    assert count_bytes(content) == 32
