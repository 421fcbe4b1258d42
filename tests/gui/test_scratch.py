"""The folder of throw-away files: a living window keeps its own, a dead one's is swept up."""

import subprocess
import sys

from gui.scratch import PREFIX, Scratch
from tests.conftest import ROOT

KILLED = (
    "import os, sys; from pathlib import Path; from gui.scratch import Scratch; Scratch(Path(sys.argv[1])); os._exit(9)"
)


def test_folder_is_new_and_goes_with_the_window(tmp_path):
    first, second = Scratch(tmp_path), Scratch(tmp_path)
    assert first.path != second.path
    assert first.path.is_dir()
    first.remove()
    assert not first.path.exists()
    assert second.path.is_dir()
    second.remove()


def test_folder_of_a_killed_window_is_swept_up_by_the_next(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False)
    (left,) = tmp_path.glob(f"{PREFIX}*")
    scratch = Scratch(tmp_path)
    assert not left.exists()
    scratch.remove()
