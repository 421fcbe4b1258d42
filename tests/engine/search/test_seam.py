"""A search as the window has it done: a line in, lines out."""

import pytest

from engine.messages import (
    Continue,
    Enqueue,
    EpochEnded,
    ExtendSpace,
    Pause,
    Ready,
    Refused,
    Search,
    SearchEnded,
    SearchStarted,
    SearchState,
    Stop,
    StopTrial,
    TrialEnded,
    TrialProposed,
)
from engine.search import folder
from tests.engine.test_worker import Child


@pytest.fixture
def child(tmp_path):
    child = Child(tmp_path / "scratch")
    child.wait_for(Ready)
    yield child
    child.process.stdin.close()
    assert child.process.wait(240) == 0


@pytest.mark.slow
def test_a_search_is_held_told_what_to_do_and_stopped_by_lines(child, tiny, tmp_path):
    child.say(StopTrial(number=1))
    assert child.wait_for(Refused).reason == "No search is running."
    order = {"base": tiny(epochs=300), "space": {"latent": [4, 8]}, "settings": {"algorithm": "grid", "trials": 9}}
    child.say(Search(name="seam", root=str(tmp_path), **order))
    assert child.wait_for(SearchStarted).size == 2
    assert child.wait_for(TrialProposed).values == {"latent": 4}
    child.wait_for(EpochEnded)
    child.say(Pause())
    child.wait_for(SearchState, state="paused")
    child.say(Enqueue(values={"latent": "many"}))
    assert "Latent size" in child.wait_for(Refused).reason
    child.say(Enqueue(values={"latent": 5, "epochs": 1}))
    assert child.wait_for(TrialProposed).origin == "hand"
    child.say(ExtendSpace(space={"latent": [4, 8, 16]}))
    assert child.wait_for(SearchState, left=2).state == "paused"
    child.say(Continue())
    child.wait_for(SearchState, state="running")
    child.say(StopTrial(number=1))
    assert child.wait_for(TrialEnded).state == "stopped"
    assert child.wait_for(TrialEnded, number=2).state == "finished"
    child.say(Stop())
    assert child.wait_for(SearchEnded).state == "stopped"
    with folder.open("seam", tmp_path).ledger() as ledger:
        assert [trial.state for trial in ledger.trials()][:2] == ["stopped", "finished"]
    child.say(Search(name="none", root=str(tmp_path)))
    assert "no search 'none'" in child.wait_for(Refused).reason
