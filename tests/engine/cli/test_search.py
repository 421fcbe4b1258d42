"""`search` and `trials` as they are typed."""

import io
import json
import re

import pytest

from engine import backend, cli, config
from engine.cli.console import ConsoleProgress
from engine.cli.search import SearchConsole
from engine.messages import Search, SearchState, TrialStarted
from engine.search import folder, job
from engine.search.commands import AddTrial, ChangeTrialCount, ReplaceSpace
from engine.search.space import config_key
from tests.engine.search.fake_executor import FakeExecutor
from tests.trained_runs import TINY

FAST = ["--data", "phantom", "--size", "32", "--phantom-count", "36", "--filters", "4,8", "--epochs", "1"]


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    """Call `main` in this process on a folder of runs of its own: (exit status, stdout, stderr)."""
    monkeypatch.setattr(
        backend, "import_without_compute", lambda: None
    )  # the tests after these compute in this process

    def go(*words):
        try:
            status = cli.main([*map(str, words), "--runs", str(tmp_path)])
        except SystemExit as end:
            status = end.code
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return go


@pytest.fixture
def known(tmp_path):
    """A search 'known' with one finished trial, one that failed and one that broke off."""
    base = config.from_flat(TINY)
    search = folder.prepare_folder(
        Search(name="known", root=str(tmp_path), base=base, space={"latent": [4, 8, 16, 32]})
    )
    with search.open_storage() as ledger:
        for latent in (8, 4, 16):
            ledger.add_trial(config_key({"latent": latent}, base), {"latent": latent}, "search", {})
        ledger.update_trial(1, state="finished", score=0.02, run="known-0001", best_epoch=2, epochs=2, seconds=3.0)
        ledger.update_trial(2, state="failed", reason="There is not enough memory for this model.", run="known-0002")
        ledger.update_trial(3, state="running", run="known-0003")
    return search


def test_trials_are_listed_in_the_order_proposed(call, known):
    status, out, _ = call("trials", "known", "--json")
    said = json.loads(out)
    assert status == 0
    assert [trial["config"] for trial in said["trials"]] == [{"latent": 8}, {"latent": 4}, {"latent": 16}]
    assert [trial["state"] for trial in said["trials"]] == ["finished", "failed", "interrupted"]
    assert [trial["score"] for trial in said["trials"]] == [0.02, None, None]
    assert said["trials"][1]["reason"] == "There is not enough memory for this model."
    assert said["trials"][0]["run"] == "known-0001"
    assert (said["size"], said["left"], said["exhausted"], said["best"]["number"]) == (4, 1, False, 1)


def test_trials_are_listed_for_people(call, known):
    _, out, _ = call("trials", "known")
    assert "1 of 4 configurations left" in out
    assert "0.02 best" in out
    assert "failed: There is not enough memory" in out


def test_what_is_requested_of_a_search_at_rest_waits_for_it(call, known, tmp_path):
    (tmp_path / "space.json").write_text('{"latent": [4, 8, 64]}')
    assert "This trial will run next. It is not running" in call("trials", "known", "--enqueue", '{"latent": 5}')[1]
    assert json.loads(call("trials", "known", "--space", tmp_path / "space.json", "--json")[1])["told"] == "space"
    call("trials", "known", "--trials", 7)
    with known.open_storage() as ledger:
        wishes = [AddTrial({"latent": 5}), ReplaceSpace({"latent": [4, 8, 64]}), ChangeTrialCount(7)]
        assert ledger.pop_commands() == wishes


REFUSED = {
    "is not running": ["trials", "known", "--stop"],
    "no search 'other'": ["trials", "other"],
    "no setting 'laten'": ["trials", "known", "--enqueue", '{"laten": 5}'],
    "Invalid JSON": ["trials", "known", "--enqueue", "latent=5"],
    "no search 'new' to resume": ["search", "--name", "new"],
    "is not a valid search name": ["search", "--name", "../x", "--preset", "study-ae"],
    "started with algorithm = bayesian": ["search", "--name", "known", "--algorithm", "random"],
    "started with size = 32": ["search", "--name", "known", "--size", "64"],
    "'latent' varies in this search": ["search", "--name", "known", "--latent", "64"],
    "no preset 'seed'": ["search", "--name", "new", "--preset", "seed"],
    r"Trials \(--trials\) must be a whole number": ["search", "--name", "known", "--trials", "many"],
    "different numbers of epochs become the same": [
        "search", "--name", "new", "--preset", "study-ae", "--epochs-scale", "0.01",
    ],
}  # fmt: skip


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(sentence, call, known):
    status, out, err = call(*REFUSED[sentence])
    assert (status, out) == (3 if "no search" in sentence else 2, "")
    assert re.search(sentence, err), err


def test_a_fixed_setting_that_the_space_file_varies_is_refused(call, tmp_path):
    (tmp_path / "space.json").write_text('{"latent": [4, 8]}')
    _, _, err = call("search", "--name", "new", "--space", tmp_path / "space.json", "--latent", 4)
    assert "'latent' varies in" in err


def test_a_refusal_names_the_option_as_the_help_does(call, tmp_path):
    (tmp_path / "space.json").write_text('{"normalisation": ["none", "z-score"]}')
    _, _, err = call("search", "--name", "new", "--space", tmp_path / "space.json", "--normalisation", "none")
    assert "is fixed by --intensity." in err


def test_a_run_in_the_way_of_the_trials_is_left_alone(call, tmp_path):
    (tmp_path / "new-0001").mkdir()
    _, _, err = call("search", "--name", "new", "--preset", "study-ae")
    assert "already a run 'new-0001'" in err


def test_a_preset_s_space_is_searched_but_for_what_is_fixed(call, monkeypatch):
    monkeypatch.setattr(job, "make_executor", lambda settings, folder: FakeExecutor())
    words = ["search", "--preset", "study-ae", "--name", "table", "--trials", "1", "--latent", "8", *FAST]
    status, out, err = call(*words, "--json")
    said = json.loads(out)
    assert status == 0
    assert said["ended"] == "finished"
    assert (said["size"], said["left"]) == (9, 8)
    assert set(said["trials"][0]["config"]) == {"learning_rate", "batch_size"}
    assert "trial 1 finished" in err
    status, out, _ = call("trials", "table")
    assert status == 0
    assert "8 of 9 configurations left" in out


def test_where_a_search_stands_is_said_once_for_each_trial_that_is_over():
    told = io.StringIO()
    teller = SearchConsole(ConsoleProgress(told))
    known = {"search": "s", "state": "running", "trials": 9, "left": 5, "left_s": 60.0, "best": 1, "best_score": 0.1}
    for done, failed, running in ((0, 0, 1), (2, 0, 1), (2, 0, 2), (2, 1, 0), (2, 1, 1), (2, 1, 2)):
        teller(SearchState(done=done, failed=failed, running=running, **known))
    assert told.getvalue().splitlines() == [f"2 of 9 done, {failed} failed, about 1 min 0 s left" for failed in (0, 1)]


def test_a_trial_that_continues_says_from_where():
    told = io.StringIO()
    teller = SearchConsole(ConsoleProgress(told))
    for number, first in ((3, 0), (4, 8)):
        teller(TrialStarted(search="s", number=number, run=f"s-{number}", first_epoch=first, epochs=40))
    assert told.getvalue() == "trial 4 resumes after epoch 8 of 40\n"
