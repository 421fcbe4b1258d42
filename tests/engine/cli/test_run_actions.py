"""`runs show`, `runs rename` and `runs delete`."""

import io
import json
import re

import pytest

from engine import cli, config, runs
from engine.cli import runs as runs_command
from engine.cli.program import NOT_FOUND, USER_ERROR
from engine.messages import EpochEnded
from tests.trained_runs import TINY


@pytest.fixture
def root(tmp_path):
    """A folder with the runs 'a' of one epoch and 'b' of none."""
    made = [runs.create_run(config.from_flat(TINY), name, tmp_path) for name in ("a", "b")]
    made[0].append(EpochEnded(run="a", epoch=1, metrics={"loss": 2.0, "val_loss": 1.5}, best=True))
    return tmp_path


@pytest.fixture
def call(capsys, root):
    def go(*words):
        status = cli.main(["runs", *words, "--runs", str(root)])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return go


def names(root):
    return [run.name for run in runs.list_runs(root)]


def test_run_is_shown_with_settings_results_and_files(call, root):
    status, text, _ = call("show", "a")
    assert status == 0
    assert "best validation loss: 1.5" in text
    assert re.search(r"^--filters +4,8$", text, re.M)
    assert "events.jsonl" in text
    shown = json.loads(call("show", "a", "--json")[1])
    assert shown["config"] == config.from_flat(TINY).model_dump(mode="json")
    assert (shown["best_epoch"], shown["best"]["val_loss"]) == (1, 1.5)
    assert shown["files"]["config.json"] == (root / "a" / "config.json").stat().st_size


def test_run_is_renamed(call, root):
    assert call("rename", "a", "c")[0] == 0
    assert names(root) == ["b", "c"] or names(root) == ["c", "b"]
    assert runs.open_run("c", root).best_epoch() == 1


@pytest.mark.parametrize(("new", "said"), [("b", "already a run 'b'"), ("a/b", "not a valid run"), (".x", "valid")])
def test_name_that_cannot_be_is_refused(call, root, new, said):
    status, _, err = call("rename", "a", new)
    assert (status, set(names(root))) == (USER_ERROR, {"a", "b"})
    assert said in err


def test_name_may_change_case_where_the_disk_does_not_tell_case_apart(call, root, monkeypatch):
    """Such a disk finds 'a' under the name 'A'."""
    plain = type(root).exists
    monkeypatch.setattr(type(root), "exists", lambda path: plain(path.with_name(path.name.lower())))
    monkeypatch.setattr(type(root), "samefile", lambda path, other: path.name.lower() == other.name.lower())
    assert call("rename", "a", "A")[0] == 0
    assert call("rename", "b", "A")[0] == USER_ERROR


def test_trial_keeps_its_name_while_its_search_is_there(call, root):
    runs.create_run(config.from_flat(TINY), "hunt-0001", root)
    (root / "_searches" / "hunt").mkdir(parents=True)
    status, _, err = call("rename", "hunt-0001", "best")
    assert status == USER_ERROR
    assert "a trial of the search 'hunt'" in err


def test_runs_are_deleted_with_yes(call, root):
    status, out, _ = call("delete", "a", "b", "a", "--yes")
    assert (status, out) == (0, "Deleted: a, b.\n")
    assert list(root.iterdir()) == []


def test_nothing_is_deleted_if_one_run_is_unknown(call, root):
    assert call("delete", "a", "none", "--yes")[0] == NOT_FOUND
    assert set(names(root)) == {"a", "b"}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("answer", "left"), [("y\n", {"b"}), ("yes\n", {"b"}), ("\n", {"a", "b"}), ("", {"a", "b"})])
def test_deletion_is_asked_about(call, root, monkeypatch, answer, left):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    status, _, err = call("delete", "a")
    assert set(names(root)) == left
    assert status == (0 if "a" not in left else USER_ERROR)
    assert "Delete this run with model and checkpoints? This cannot be undone. [y/N]" in err


def test_without_a_terminal_deletion_needs_yes(call, root, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    status, _, err = call("delete", "a")
    assert (status, set(names(root))) == (USER_ERROR, {"a", "b"})
    assert "--yes" in err


@pytest.mark.parametrize("words", [("rename", "a", "c"), ("delete", "a", "--yes")])
def test_run_in_training_is_left_alone(call, root, words):
    with runs.open_run("a", root).lock():
        status, _, err = call(*words)
    assert (status, set(names(root))) == (USER_ERROR, {"a", "b"})
    assert "is being trained" in err


@pytest.mark.parametrize("words", [("rename", "{}", "c"), ("delete", "{}", "--yes")])
def test_demo_run_is_left_alone(call, words):
    demo = config.RESOURCES / "demo" / "demo-ae"
    status, _, err = call(*(word.format(demo) for word in words))
    assert status == USER_ERROR
    assert "comes with Engram" in err
    assert demo.is_dir()


def test_actions_of_the_parser_are_those_that_run():
    from engine.cli.run_options import RUN_ACTIONS

    assert list(runs_command.ACTIONS) == list(RUN_ACTIONS)
