"""The ledger: nothing twice, nothing lost, readable while written, a sentence when it is damaged."""

import os
import signal
import sqlite3
from contextlib import closing

import pytest

from engine.errors import EngramError, SearchDamaged, SearchError
from engine.search.commands import (
    AddTrial,
    ChangeTrialCount,
    ContinueSearch,
    EndTrial,
    PauseSearch,
    ReplaceSpace,
    StopSearch,
)
from engine.search.search_spec import spec_from_attrs
from engine.search.storage import FILE_NAME, TrialStorage

WRITER = """
import os, sys
from pathlib import Path
from engine.search.storage import TrialStorage

ledger = TrialStorage(Path(sys.argv[1]))
for number in range(100000):
    trial = ledger.add_trial(f"key {number}", {"latent": number}, "search", {})
    ledger.update_trial(trial.number, state="finished", score=number / 2)
    sys.stdout.write("x"); sys.stdout.flush()
"""


@pytest.fixture
def ledger(tmp_path):
    with TrialStorage(tmp_path / FILE_NAME) as ledger:
        yield ledger


def test_a_trial_comes_back_as_it_was_noted(ledger):
    ledger.add_trial("a", {"filters": (4, 8)}, "search", {"rung": 1})
    ledger.update_trial(1, state="failed", reason="out of memory", run="s-0001", epochs=3, seconds=1.5)
    (trial,) = ledger.trials()
    assert trial.config == {"filters": (4, 8)}
    assert trial.place == {"rung": 1}
    assert (trial.state, trial.reason, trial.score, trial.epochs) == ("failed", "out of memory", None, 3)


def test_only_what_has_changed_is_read_anew(ledger):
    for key in "ab":
        ledger.add_trial(key, {"filters": (4, 8)}, "search", {})
    before = ledger.trials()
    ledger.update_trial(2, state="finished", score=0.5)
    after = ledger.trials()
    assert after[0] is before[0]
    assert (after[1].state, after[1].score) == ("finished", 0.5)


def test_no_configuration_is_taken_twice(ledger):
    assert ledger.add_trial("a", {}, "search", {}).number == 1
    assert ledger.add_trial("a", {}, "hand", {}) is None
    assert ledger.add_trial("b", {}, "hand", {}).number == 2


def test_requests_are_taken_once_and_in_order_by_another_connection(ledger):
    ledger.push_command(PauseSearch())
    ledger.push_command(AddTrial({"latent": 3}))
    with TrialStorage(ledger.path) as other:
        assert other.pop_commands() == [PauseSearch(), AddTrial({"latent": 3})]
    assert ledger.pop_commands() == []


COMMANDS = [
    (StopSearch(), "stop", "null"),
    (PauseSearch(), "pause", "null"),
    (ContinueSearch(), "continue", "null"),
    (EndTrial(7), "stop-trial", "7"),
    (AddTrial({"latent": 3}), "enqueue", '{"latent": 3}'),
    (ReplaceSpace({"latent": [4, 8]}), "space", '{"latent": [4, 8]}'),
    (ChangeTrialCount(9), "trials", "9"),
]


def test_commands_are_stored_under_their_verbs_and_come_back(ledger):
    for command, _, _ in COMMANDS:
        ledger.push_command(command)
    with closing(sqlite3.connect(ledger.path)) as raw:
        rows = raw.execute("SELECT verb, content FROM wishes ORDER BY number").fetchall()
    assert rows == [(verb, content) for _, verb, content in COMMANDS]
    assert ledger.pop_commands() == [command for command, _, _ in COMMANDS]


def test_kill_9_leaves_whole_trials(tmp_path, start_python):
    process = start_python(WRITER, tmp_path / FILE_NAME)
    assert len(process.stdout.read(20)) == 20
    os.kill(process.pid, signal.SIGKILL)
    process.wait(240)
    with TrialStorage(tmp_path / FILE_NAME) as ledger:
        trials = ledger.trials()
        assert len(trials) >= 20
        assert [trial.number for trial in trials] == list(range(1, len(trials) + 1))
        assert all(trial.score == trial.config["latent"] / 2 for trial in trials[:-1])
        assert ledger.add_trial("new", {}, "search", {}).number == len(trials) + 1


def test_a_cut_journal_is_passed_over(tmp_path):
    ledger = TrialStorage(tmp_path / FILE_NAME)
    for number in range(20):
        ledger.add_trial(f"key {number}", {}, "search", {})
    journal = (tmp_path / f"{FILE_NAME}-wal").read_bytes()
    whole = (tmp_path / FILE_NAME).read_bytes()
    ledger.close()
    (tmp_path / FILE_NAME).write_bytes(whole)
    (tmp_path / f"{FILE_NAME}-wal").write_bytes(journal[: len(journal) * 2 // 3])
    with TrialStorage(tmp_path / FILE_NAME) as again:
        assert 0 < len(again.trials()) < 20


@pytest.mark.parametrize("content", [b"no ledger at all, but some text" * 99, b"SQLite format 3\0" + b"\1" * 5000])
def test_a_damaged_ledger_is_reported_in_a_sentence(content, tmp_path):
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(SearchDamaged, match="cannot be read"), TrialStorage(tmp_path / FILE_NAME) as ledger:
        ledger.trials()


def test_a_ledger_cut_in_half_is_reported_in_a_sentence(tmp_path):
    with TrialStorage(tmp_path / FILE_NAME) as ledger:
        for number in range(200):
            ledger.add_trial(f"key {number}" * 50, {}, "search", {})
    content = (tmp_path / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(content[: len(content) // 2])
    with pytest.raises(SearchDamaged, match="under another name"), TrialStorage(tmp_path / FILE_NAME) as ledger:
        ledger.trials()


def test_a_ledger_of_a_later_version_is_left_alone(tmp_path):
    TrialStorage(tmp_path / FILE_NAME).close()
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SearchError, match="later version"):
        TrialStorage(tmp_path / FILE_NAME)


def write(path, *statements):
    TrialStorage(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


ENDLESS = "WITH RECURSIVE c(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM c)"
FOREIGN = {
    "view": ("DROP TABLE trials", f"CREATE VIEW trials AS {ENDLESS} SELECT * FROM c"),
    "trigger": ("CREATE TRIGGER t AFTER INSERT ON trials BEGIN DELETE FROM trials; END",),
    "other table": ("CREATE TABLE more (number INTEGER)",),
    "other columns": ("DROP TABLE wishes", "CREATE TABLE wishes (number INTEGER)"),
    "no table": ("DROP TABLE facts",),
    "many wishes": (
        f"INSERT INTO wishes (verb, content) {ENDLESS} SELECT 'a', '1' FROM c LIMIT 10001",
        f"INSERT INTO facts {ENDLESS} SELECT number, '1' FROM c LIMIT 900",
    ),
}


@pytest.mark.parametrize("statements", FOREIGN.values(), ids=FOREIGN)
def test_what_no_search_writes_is_refused_before_it_runs(statements, tmp_path):
    write(tmp_path / FILE_NAME, *statements)
    with pytest.raises(SearchDamaged, match="cannot be read"):
        TrialStorage(tmp_path / FILE_NAME)


WRONG_TYPES = (
    *("config = '[1]'", "config = '{'", "place = 'null'", "score = 'x'", "seconds = 'x'", "epochs = 'x'"),
    *("key = x'00'", f"config = '{'[' * 200_000}'", "config = zeroblob(99)"),
)


@pytest.mark.parametrize("change", WRONG_TYPES, ids=lambda text: text[:12])
def test_a_trial_of_wrong_types_is_a_sentence(change, tmp_path):
    with TrialStorage(tmp_path / FILE_NAME) as ledger:
        ledger.add_trial("a", {"latent": 3}, "search", {})
    write(tmp_path / FILE_NAME, f"UPDATE trials SET {change}")
    with pytest.raises(SearchDamaged, match="cannot be read"), TrialStorage(tmp_path / FILE_NAME) as ledger:
        ledger.trials()


@pytest.mark.parametrize(
    "facts", [{}, {"base": 1, "space": {}, "settings": {}}, {"base": {}, "space": [], "settings": 1}]
)
def test_a_specification_that_cannot_be_read_is_a_sentence(ledger, facts):
    ledger.set_attrs(**facts)
    with pytest.raises(EngramError):
        spec_from_attrs(ledger)


def test_an_empty_file_has_no_specification(tmp_path):
    (tmp_path / FILE_NAME).touch()
    with TrialStorage(tmp_path / FILE_NAME) as ledger, pytest.raises(SearchDamaged, match="no readable specification"):
        spec_from_attrs(ledger)


def test_a_refused_file_is_closed_again(tmp_path, monkeypatch):
    """An open connection would hold its lock against the next one for half a minute."""
    write(tmp_path / FILE_NAME, *FOREIGN["trigger"])
    connect, opened = sqlite3.connect, []

    def remember(*words, **more):
        opened.append(connect(*words, **more))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", remember)
    with pytest.raises(SearchDamaged):
        TrialStorage(tmp_path / FILE_NAME)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


@pytest.mark.parametrize(("verb", "content"), [("enqueue", "[1]"), ("space", "null"), ("trials", '"x"'), ("rm", "{}")])
def test_a_command_of_wrong_types_is_a_sentence(verb, content, tmp_path):
    with TrialStorage(tmp_path / FILE_NAME):
        pass
    write(tmp_path / FILE_NAME, f"INSERT INTO wishes (verb, content) VALUES ('{verb}', '{content}')")
    with pytest.raises(SearchDamaged, match="cannot be read"), TrialStorage(tmp_path / FILE_NAME) as ledger:
        ledger.pop_commands()
