"""Cards dealt to trials, from a pretended list of them."""

import tempfile

import pytest

from engine.search import executor

HOLD = """
import sys, tempfile
from engine.search import executor
tempfile.tempdir = sys.argv[1]
card = executor.lease_gpu(["2", "5"])
print(card.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _scratch(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_cards_are_those_that_the_environment_allows(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert executor.list_visible_gpus() == ["2", "5"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert executor.list_visible_gpus() == []


def test_each_trial_has_a_card_of_its_own_while_there_are_enough_and_then_they_share():
    taken = [executor.lease_gpu(["2", "5"]) for _ in range(5)]
    assert [card.name for card in taken] == ["2", "5", "2", "5", "2"]
    taken[1].release()
    taken += [executor.lease_gpu(["2", "5"]), executor.lease_gpu(["5", "7"])]
    assert [card.name for card in taken[5:]] == ["5", "7"]


def test_where_there_is_no_choice_none_is_dealt():
    assert executor.lease_gpu([]) is None
    assert executor.lease_gpu(["2"]) is None


def test_the_card_of_a_process_that_is_killed_is_free_again(start_python, tmp_path):
    holder = start_python(HOLD, str(tmp_path))
    assert holder.stdout.readline().split() == [b"2"]
    second = executor.lease_gpu(["2", "5"])
    holder.kill()
    holder.wait(240)
    assert [second.name, executor.lease_gpu(["2", "5"]).name] == ["5", "2"]
