"""Child processes find this engine, and run nothing that lies in the current folder."""

import os
import re
import subprocess
import sys

import pytest

from engine.child_process import HOME, child_environment, module_command, run_process
from tests.conftest import ROOT


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """Make a folder with a numpy of its own the current one, and name it in PYTHONPATH in the ways that mean it."""
    (tmp_path / "numpy.py").write_text("open('ran', 'w').close()\n")
    (tmp_path / "json.py").write_text("open('ran', 'w').close()\n")
    (tmp_path / "engine.py").write_text("open('ran', 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", str(HOME)]))
    return tmp_path


@pytest.mark.parametrize("module", ["engine.data.raster", "engine.processes.explorer_worker"])
def test_no_module_of_the_current_folder_runs(planted, module):
    run_process(module_command(module, "--help"), timeout_s=240)
    assert not (planted / "ran").exists()


def test_planted_module_would_run_otherwise(planted):
    environment = {**child_environment(), "PYTHONPATH": f".{os.pathsep}{HOME}"}
    subprocess.run([sys.executable, "-m", "json.tool", "--help"], env=environment, capture_output=True, check=False)
    assert (planted / "ran").exists()


def test_every_process_is_started_in_this_way():
    sources = [*(ROOT / "engine").rglob("*.py"), *(ROOT / "gui").rglob("*.py")]
    found = [path.name for path in sources if re.search(r"sys\.executable", path.read_text("utf-8"))]
    assert found == ["child_process.py"]


PLANTED = ("json", "numpy", "keras", "typing", "argparse", "pathlib", "pydantic", "tensorflow", "PySide6", "filelock")


@pytest.fixture
def foreign(tmp_path):
    """A folder that somebody sent: each of its modules says that it ran."""
    for name in PLANTED:
        (tmp_path / f"{name}.py").write_text(f"open('ran-{name}', 'w').close()\nraise SystemExit(99)\n")
    return tmp_path


COMMANDS = {
    "module": ("-m", "engine", "runs"),
    "module that trains": ("-m", "engine", "train", "--data", "nowhere"),
    "app": (str(ROOT / "main.py"), "--version"),
    "installed command": ("-c", "import sys; sys.path.remove(''); from engine.cli import main; main(['runs'])"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_program_started_in_a_foreign_folder_runs_none_of_its_modules(foreign, command):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *command], cwd=foreign, env=environment, capture_output=True, check=False)
    assert [path.name for path in foreign.glob("ran-*")] == []
    assert done.returncode in (0, 3), done.stderr.decode()


def test_program_started_in_its_own_source_tree_finds_itself():
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "engine", "--version"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
