"""Run folders from strangers, and damaged ones: listed with the reason, never trained, and no trouble to the others."""

import contextlib
import io
import itertools
import json
import os
import sys

import pytest

import engine
from engine import cli, runs
from engine.cli.console import ConsoleProgress
from engine.config import RunConfig
from engine.errors import RunDamaged
from engine.messages import EpochEnded, Log
from engine.run_damage import check_folder, read_record
from gui.run_record import EventFileTail

NESTED = "[" * 200_000 + "]" * 200_000


@pytest.fixture
def run(tmp_path):
    made = runs.create_run(RunConfig(), "one", tmp_path / "runs")
    runs.create_run(RunConfig(), "whole", tmp_path / "runs")
    return made


def list_states(run, capsys):
    assert cli.main(["runs", "--json", "--runs", str(run.path.parent)]) == 0
    listed = json.loads(capsys.readouterr().out)
    return {each["run"]: (each["state"], each.get("reason", "")) for each in listed}


@pytest.mark.parametrize("content", ["[1, 2]", "null", "5", '"x"', "{", "", NESTED], ids=lambda text: text[:6])
def test_odd_settings_are_a_damaged_run_and_the_others_are_listed(run, content, capsys):
    (run.path / "config.json").write_text(content)
    states = list_states(run, capsys)
    assert states["whole"] == ("new", "")
    state, reason = states["one"]
    assert state == "damaged"
    assert "config.json" in reason


def make_folder(path):
    path.mkdir()


def make_pipe(path):
    os.mkfifo(path)


def make_link(path):
    path.symlink_to(path.parents[2] / "outside")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        *itertools.product(
            ["events.jsonl", "lock", "history.csv", "provenance.json"], [make_folder, make_pipe, make_link]
        ),
        *itertools.product(["view.json", "tracking.json", "evaluation.json"], [make_pipe, make_link]),
    ],
)
def test_an_odd_file_is_a_damaged_run_and_the_others_are_listed(run, name, make, capsys):
    make(run.path / name)
    states = list_states(run, capsys)
    assert states["whole"] == ("new", "")
    state, reason = states["one"]
    assert (state, name in reason) == ("damaged", True)


@pytest.mark.parametrize("name", ["config.json", "events.jsonl"])
def test_a_file_without_end_is_a_damaged_run_and_is_not_read(run, name, capsys):
    with (run.path / name).open("r+b" if name == "config.json" else "wb") as file:
        file.truncate(2**40)
    state, reason = list_states(run, capsys)["one"]
    assert (state, name in reason, "too large" in reason) == ("damaged", True, True)


@pytest.mark.parametrize("make", [make_pipe, lambda path: path.symlink_to("/dev/zero"), make_folder])
def test_a_record_that_is_no_file_is_not_read(tmp_path, make):
    make(tmp_path / "a.json")
    with pytest.raises(ValueError, match="no file"):
        read_record(tmp_path / "a.json")


def test_a_folder_of_the_user_in_a_run_is_none_of_our_business(run, tmp_path):
    (run.path / "figures").mkdir()
    (run.path / "scans").symlink_to(tmp_path)
    check_folder(run.path)


def test_an_epoch_with_odd_metrics_is_listed(run, capsys):
    run.append(EpochEnded(run="one", epoch=1, metrics={"epoch": float("nan")}, best=True))
    assert list_states(run, capsys)["one"] == ("new", "")


LINKS = (
    *("events.jsonl", "history.csv", "provenance.json", "model.keras", "previews", "checkpoint", "lock"),
    *("previews/epoch-00001.npy", "checkpoint/new", "checkpoint/epoch-00001", "checkpoint/epoch-00001/state.json"),
)


@pytest.mark.parametrize("name", LINKS)
def test_a_link_out_of_the_run_is_refused_before_anything_is_written(run, name, tmp_path):
    outside, link = tmp_path / "outside", run.path / name
    (outside / "epoch-00009").mkdir(parents=True)
    (outside / "epoch-00009" / "kept").write_text("kept")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RunDamaged, match="link out of its folder"):
        engine.resume(run)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_inside_the_run_is_none_of_our_business(run):
    (run.path / "previews").mkdir()
    (run.path / "previews" / "last.npy").symlink_to("epoch-00001.npy")
    check_folder(run.path)


def test_runs_folder_that_may_only_be_read_is_listed(run, capsys, monkeypatch):
    from filelock import FileLock

    def refuse(self):
        raise OSError(30, "Read-only file system", str(run.path / "lock"))

    (run.path / "lock").touch()
    monkeypatch.setattr(FileLock, "_acquire", refuse)
    assert list_states(run, capsys) == {"one": ("new", ""), "whole": ("new", "")}


def test_the_lock_of_another_user_is_seen_where_it_may_only_be_read(run, capsys, monkeypatch, start_python):
    from filelock import FileLock

    from tests.engine.test_runs import HOLD

    holder = start_python(HOLD, run.path)
    assert holder.stdout.readline().strip() == b"held"

    def refuse(self):
        raise OSError(13, "Permission denied", str(run.path / "lock"))

    monkeypatch.setattr(FileLock, "_acquire", refuse)
    assert list_states(run, capsys)["one"] == ("running", "")


def test_settings_with_a_mark_of_the_byte_order_in_front_are_read(run, capsys):
    settings = run.path / "config.json"
    settings.write_bytes(b"\xef\xbb\xbf" + settings.read_bytes())
    assert list_states(run, capsys)["one"] == ("new", "")


@pytest.mark.parametrize(("count", "read"), [(900, 2), (1_100, 1)])
def test_a_record_of_lines_that_are_no_events_is_given_up(run, count, read):
    epoch = EpochEnded(run="one", epoch=1, metrics={}, best=True)
    run.append(epoch)
    with (run.path / "events.jsonl").open("a") as file:
        file.write("{}\n" * count)
    run.append(epoch)
    assert len(list(run.events())) == read
    assert len(EventFileTail(run.path / "events.jsonl").read()) == read


def test_no_name_gives_the_terminal_a_command(run, capsys):
    red = "\x1b[31m"
    run.path.rename(run.path.with_name(f"a{red}b"))
    for words in (["runs"], ["evaluate", red], ["train", "--data", red], [red]):
        with contextlib.suppress(SystemExit):
            cli.main(["--runs", str(run.path.parent), *words])
    said = "".join(capsys.readouterr())
    assert said.count("\ufffd[31m") == 6
    assert "\x1b" not in said


def test_no_progress_line_gives_the_terminal_a_command():
    stream = io.StringIO()
    ConsoleProgress(stream)(Log(text="\x1b[31mred"))
    assert stream.getvalue() == "\ufffd[31mred\n"


def test_closed_streams_are_no_error(run, monkeypatch):
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    assert cli.main(["runs", "--runs", str(run.path.parent)]) == 0
    assert cli.main(["runs", "delete", "one", "--runs", str(run.path.parent)]) == 2
    for name in ("stdin", "stdout", "stderr"):
        getattr(sys, name).close()


class Full(io.StringIO):
    def write(self, text):
        raise OSError(28, "No space left on device")


def test_a_reader_that_is_gone_stops_no_job_and_changes_no_exit_status(run, monkeypatch):
    ConsoleProgress(Full())(Log(text="a"))
    monkeypatch.setattr(sys, "stderr", Full())
    assert cli.main(["evaluate", "gone", "--runs", str(run.path.parent)]) == 3
