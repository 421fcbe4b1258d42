"""A search as the window has it done: a line in, lines out; the worker is in this process, its trials are scripted."""

import queue
import threading

from engine.messages import (
    Continue,
    EnqueueTrial,
    EpochEnded,
    Pause,
    RequestFailed,
    Search,
    SearchEnded,
    SearchStarted,
    SearchState,
    Stop,
    StopTrial,
    TrialEnded,
    TrialProposed,
    UpdateSpace,
    read_event,
)
from engine.processes.training_worker import TrainingWorker
from engine.search import folder


class Lines(queue.Queue):
    """A stream that lines are written to by one thread and read from by another."""

    def write(self, line):
        """Add a line."""
        self.put(line)

    def flush(self):
        """A line is there at once."""


class Seam:
    """A worker that takes lines of commands and tells lines of events."""

    def __init__(self, scratch):
        self._commands, self._told = Lines(), Lines()
        # The commands never end, so neither does the worker.
        worker = TrainingWorker(iter(self._commands.get, None), self._told, scratch)
        threading.Thread(target=worker.serve, daemon=True).start()

    def say(self, command):
        """Send a command."""
        self._commands.write(command.to_json_line().encode())

    def wait_for(self, kind, **values):
        """Return the next event of a kind; those before it are passed over."""
        while True:
            event = read_event(self._told.get(timeout=60))
            if isinstance(event, kind) and all(getattr(event, name) == value for name, value in values.items()):
                return event


def test_a_search_is_held_told_what_to_do_and_stopped_by_lines(executor, oracles, tiny, tmp_path):
    seam = Seam(tmp_path)
    seam.say(StopTrial(number=1))
    assert seam.wait_for(RequestFailed).reason == "No search is running."
    order = {"base": tiny(epochs=300), "space": {"latent": [4, 8]}, "settings": {"algorithm": "grid", "trials": 9}}
    seam.say(Search(name="seam", root=str(tmp_path), **order))
    assert seam.wait_for(SearchStarted).size == 2
    assert seam.wait_for(TrialProposed).values == {"latent": 4}
    seam.wait_for(EpochEnded)
    seam.say(Pause())
    seam.wait_for(SearchState, state="paused")
    seam.say(EnqueueTrial(values={"latent": "many"}))
    assert "Latent size" in seam.wait_for(RequestFailed).reason
    seam.say(EnqueueTrial(values={"latent": 5, "epochs": 1}))
    assert seam.wait_for(TrialProposed).origin == "hand"
    seam.say(UpdateSpace(space={"latent": [4, 8, 16]}))
    assert seam.wait_for(SearchState, left=2).state == "paused"
    seam.say(Continue())
    seam.wait_for(SearchState, state="running")
    seam.say(StopTrial(number=1))
    assert seam.wait_for(TrialEnded).state == "stopped"
    assert seam.wait_for(TrialEnded, number=2).state == "finished"
    seam.say(Stop())
    assert seam.wait_for(SearchEnded).state == "stopped"
    with folder.open_search("seam", tmp_path).open_storage() as ledger:
        assert [trial.state for trial in ledger.trials()][:2] == ["stopped", "finished"]
    seam.say(Search(name="none", root=str(tmp_path)))
    assert "no search 'none'" in seam.wait_for(RequestFailed).reason
