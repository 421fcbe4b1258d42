"""The trace of the lines between the app and an engine process."""

import json
from datetime import UTC, datetime

import pytest

from engine.messages import Log, Pause, Resume
from gui.engine_process import EngineProcess, last_line, make_trace
from gui.session import Session

SAYS = Log(text="β is 2").to_json_line()


@pytest.fixture
def echoing(tmp_path, monkeypatch):
    """An interpreter that says an event and some nonsense, and ends once it is told something."""
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\nread command\necho '{SAYS.strip()}'\necho nonsense\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(script))


def entries(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_trace_has_both_directions_in_order(qtbot, tmp_path, echoing, monkeypatch):
    monkeypatch.setenv("ENGRAM_TRACE", "1")
    command = Resume(run="/scans of β/ae")
    engine = EngineProcess("job", tmp_path, "tensorflow")
    engine.trace = make_trace("job", lambda: tmp_path / "runs")
    with qtbot.waitSignal(engine.ended):
        engine.start()
        engine.send(command)
    found = entries(tmp_path / "runs" / "trace.jsonl")
    assert [(each["process"], each["direction"], each["line"]) for each in found] == [
        ("job", "command", json.loads(command.to_json_line())),
        ("job", "event", json.loads(SAYS)),
        ("job", "event", "nonsense"),
    ]
    times = [datetime.fromisoformat(each["time"]) for each in found]
    assert times == sorted(times)
    assert {each.tzinfo for each in times} == {UTC}
    engine.deleteLater()


@pytest.mark.parametrize("value", [None, "", "0"])
def test_nothing_is_traced_unless_requested(monkeypatch, tmp_path, value):
    if value is None:
        monkeypatch.delenv("ENGRAM_TRACE", raising=False)
    else:
        monkeypatch.setenv("ENGRAM_TRACE", value)
    assert make_trace("job", lambda: tmp_path) is None


def test_path_of_a_trace_is_a_file_or_a_folder(monkeypatch, tmp_path):
    (tmp_path / "folder").mkdir()
    for value, place in (("new/trace.txt", "new/trace.txt"), ("folder", "folder/trace.jsonl")):
        monkeypatch.setenv("ENGRAM_TRACE", str(tmp_path / value))
        make_trace("job", lambda: tmp_path / "runs").record("command", b"{}\n")
        assert [each["line"] for each in entries(tmp_path / place)] == [{}]


def test_trace_that_cannot_be_written_stops_nothing(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ENGRAM_TRACE", str(tmp_path / "file" / "trace.jsonl"))
    make_trace("job", lambda: tmp_path).record("event", b"{}")
    assert (tmp_path / "file").read_text() == ""


def test_session_traces_into_its_present_folder_of_runs(session, tmp_path, monkeypatch):
    monkeypatch.setenv("ENGRAM_TRACE", "1")
    session.job.warm_up("tensorflow")
    session.explorer.warm_up("jax")
    session.open(tmp_path / "other")
    for client in (session.job, session.explorer):
        client.engine.trace.record("command", Pause().to_json_line().encode())
    assert [each["process"] for each in entries(tmp_path / "other" / "trace.jsonl")] == ["job", "explorer"]


def test_last_words_are_those_of_this_process(tmp_path):
    log = tmp_path / "job.log"
    log.write_text("words of an earlier process\n")
    start = log.stat().st_size
    assert last_line(log, start) == ""
    with log.open("a") as file:
        file.write("its own\n")
    assert last_line(log, start) == "its own"


def test_process_that_says_nothing_has_no_last_words_of_another(tmp_path, qtbot, echoing):
    engine = EngineProcess("job", tmp_path, "tensorflow")
    engine.log.write_text("words of an earlier process\n")
    with qtbot.waitSignal(engine.ended) as ended:
        engine.start()
        engine.send(Pause())
    assert ended.args[0].last_words == ""
    engine.deleteLater()


def test_replaced_engine_is_waited_for_as_the_others_are(qtbot, tmp_path, echoing, monkeypatch):
    ended, shutdown = [], EngineProcess.shutdown
    monkeypatch.setattr(EngineProcess, "shutdown", lambda engine: (ended.append(engine.backend), shutdown(engine)))
    session = Session(tmp_path, tmp_path)
    for backend in ("tensorflow", "jax"):
        session.job.warm_up(backend)
    session.close()
    session.job.warm_up("torch")
    session.start_explorer()
    assert sorted(ended) == ["jax", "tensorflow"]
    assert not any(engine.is_running() for engine in session.findChildren(EngineProcess))
