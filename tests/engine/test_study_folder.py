"""A study's folder: read, written, held."""

import json
import math
import subprocess
import sys

import pytest

from engine.errors import StudyError
from engine.study_folder import StudyFolder, to_json_safe
from tests.engine.conftest import ROOT


def test_empty_folder_is_a_new_study(tmp_path):
    assert StudyFolder(tmp_path).read() == {}
    assert StudyFolder(tmp_path / "none").state() == "new"


def test_numbers_that_json_does_not_know_become_null(tmp_path):
    study = StudyFolder(tmp_path)
    study.write({"state": "finished", "a": [math.nan, {"b": math.inf}], "c": (1.5,)})
    assert study.read() == {"state": "finished", "a": [None, {"b": None}], "c": [1.5]}
    assert study.state() == "finished"
    assert to_json_safe({"a": math.nan}) == {"a": None}


def test_record_that_cannot_be_read_is_a_sentence(tmp_path):
    study = StudyFolder(tmp_path)
    study.record.write_text("{")
    with pytest.raises(StudyError, match=r"cannot be read.*Delete the file"):
        study.read()


def test_study_that_is_held_is_running_and_one_whose_process_died_is_interrupted(tmp_path):
    study = StudyFolder(tmp_path / "study")
    code = (
        "import sys; from pathlib import Path; from engine.study_folder import StudyFolder\n"
        "study = StudyFolder(Path(sys.argv[1]))\n"
        "with study.lock():\n"
        "    study.write({'state': 'running'}); print('held', flush=True); sys.stdin.read()"
    )
    held = subprocess.Popen(
        [sys.executable, "-c", code, str(study.path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with held:
        assert held.stdout.readline() == b"held\n"
        assert study.state() == "running"
        with pytest.raises(StudyError, match="Another process is working on the study"), study.lock():
            pass
        held.kill()
        held.wait()
    assert study.state() == "interrupted"
    with study.lock():
        assert json.loads(study.record.read_text())["state"] == "running"


def test_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match="cannot be saved in"), StudyFolder(tmp_path / "file" / "study").lock():
        pass
