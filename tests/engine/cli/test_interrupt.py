"""Ctrl-C while the images are loaded: nothing is saved, and the exit status says so."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from engine import cli, runs
from engine.cli.program import INTERRUPTED
from engine.data.folder import FolderSource
from engine.messages import JobEnded
from tests.conftest import ROOT


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for number in range(40):
        Image.fromarray(np.full((32, 32), number, np.uint8)).save(images / f"{number}.png")
    return images


@pytest.fixture
def _interrupted(monkeypatch):
    """Send SIGINT once, while the first file is hashed."""
    digest, sent = FolderSource.digest, []

    def interrupt(self, index):
        if not sent:
            sent.append(index)
            os.kill(os.getpid(), signal.SIGINT)
        return digest(self, index)

    monkeypatch.setattr(FolderSource, "digest", interrupt)


@pytest.mark.usefixtures("_interrupted")
def test_training_ends_as_a_stopped_run(folder, tmp_path, capsys):
    words = ["--data", folder, "--size", 32, "--run", "one", "--runs", tmp_path, "--json"]
    assert cli.main(["train", *map(str, words)]) == INTERRUPTED
    assert json.loads(capsys.readouterr().out)["state"] == "stopped"
    run = runs.open_run("one", tmp_path)
    [ended] = [event for event in run.events() if isinstance(event, JobEnded)]
    assert (ended.state, ended.epoch, ended.reason) == ("stopped", 0, "")
    assert not run.model_path.exists()


@pytest.mark.usefixtures("_interrupted")
def test_curves_end_without_a_result(folder, trained, tmp_path, capsys):
    trained(epochs=1, at=tmp_path / "first")
    assert cli.main(["denoise-curve", "first", "--data", str(folder), "--runs", str(tmp_path)]) == INTERRUPTED
    assert capsys.readouterr().out == "Stopped.\n"


def test_ctrl_c_while_the_words_are_parsed_is_a_line(monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.parser, "parse", interrupt)
    assert cli.main(["runs"]) == 130
    assert capsys.readouterr().err == "\nInterrupted.\n"


START = """
import os, signal, sys
from engine import backend, cli
from engine.cli.console import GracefulInterrupt
from engine.cli.console import CommandResult
from engine.config import TrainingConfig

# A shell's job in the background inherits that SIGINT is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

def interrupt(*_):
    os.kill(os.getpid(), signal.{name})
    return CommandResult("went on", {{}})
"""
# As a library is imported: the exception of a signal is swallowed there.
BY_A_JOB = """
def load(name):
    try:
        interrupt()
    except BaseException:
        pass
    print("went on")

backend.configure = lambda training: None
backend.importlib.import_module = load
with GracefulInterrupt():
    backend.import_on_backend("x", TrainingConfig())
"""
BY_A_COMMAND = """
cli.importlib.import_module = interrupt
cli.main(["runs"])
"""
BEFORE_ANY = """
from engine import __main__
__main__.importlib.import_module = interrupt
__main__.main()
"""
AT_THE_END = """
import atexit
from engine import __main__
atexit.register(print, "went on")
cli.main = lambda: 130
__main__.main()
"""


@pytest.mark.parametrize(
    ("code", "name", "status", "said"),
    [
        (BY_A_JOB, "SIGINT", 130, "Interrupted."),
        (BY_A_JOB, "SIGTERM", 143, "Interrupted."),
        (BY_A_COMMAND, "SIGINT", 130, "Interrupted."),
        (BEFORE_ANY, "SIGINT", -signal.SIGINT, ""),
        (AT_THE_END, "SIGINT", 130, ""),
    ],
)
def test_ctrl_c_ends_the_process_at_once_while_nothing_can_be_lost(code, name, status, said):
    command = [sys.executable, "-c", START.format(name=name) + code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (status, "", said)
