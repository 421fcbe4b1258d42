"""A short run of `scripts/fuzz.py`, and a look at whether it would notice."""

import runpy

import pytest

from tests.conftest import ROOT

FUZZ = runpy.run_path(str(ROOT / "scripts" / "fuzz.py"))


@pytest.mark.parametrize("name", FUZZ["TARGETS"])
def test_mutated_files_are_read_or_refused_with_a_sentence(name, capsys):
    report = FUZZ["fuzz"](name, 200, seed=0)
    assert report.findings == 0, capsys.readouterr().out
    assert report.inputs == 200
    # A record skips what it cannot read, so it refuses nothing.
    assert report.refused > 0 or name == "events"


def test_an_error_that_is_not_readable_is_noticed(tmp_path):
    def fail(file):
        raise KeyError("base")

    target = FUZZ["Target"](lambda folder: folder / "a", fail)
    assert "KeyError" in FUZZ["read"](target, tmp_path / "a")
