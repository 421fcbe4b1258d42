"""Child processes find this engine, and run nothing that lies in the current folder."""

import os
import re
import subprocess

import pytest

from engine.child_process import HOME, child_environment, module_command, run_module
from tests.conftest import ROOT


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """Make a folder with a numpy of its own the current one, and name it in PYTHONPATH in the ways that mean it."""
    (tmp_path / "numpy.py").write_text("open('ran', 'w').close()\n")
    (tmp_path / "json.py").write_text("open('ran', 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", str(HOME)]))
    return tmp_path


@pytest.mark.parametrize("module", ["engine.data.raster", "engine.processes.explorer_worker"])
def test_no_module_of_the_current_folder_runs(planted, module):
    run_module(module_command(module, "--help"), timeout_s=240)
    assert not (planted / "ran").exists()


def test_planted_module_would_run_otherwise(planted):
    command = [part for part in module_command("engine.data.raster", "--help") if part != "-P"]
    subprocess.run(
        command, env={**child_environment(), "PYTHONPATH": f".{os.pathsep}{HOME}"}, capture_output=True, check=False
    )
    assert (planted / "ran").exists()


def test_every_process_is_started_in_this_way():
    sources = [*(ROOT / "engine").rglob("*.py"), *(ROOT / "gui").rglob("*.py")]
    found = [path.name for path in sources if re.search(r"sys\.executable", path.read_text("utf-8"))]
    assert found == ["child_process.py"]
