"""A short run of `make fuzz`, and a look at whether it would notice."""

import os
import sys

import pytest

from tests.fuzz.mutation import mutate_json
from tests.fuzz.runner import HANG_S, Target, fuzz, fuzz_here
from tests.fuzz.targets import SLOW, TARGETS

INPUTS = 25
# A record or a cache skips what it cannot read, so these refuse nothing.
LENIENT = {"events", "history", "results", "cache", "preferences", "mask", "state", "notes", "series"}


@pytest.mark.filterwarnings("ignore")  # as the readers' processes do
@pytest.mark.parametrize("name", [name for name in TARGETS if name not in SLOW])
def test_mutated_files_are_read_or_refused_with_a_sentence(name, capsys):
    report = fuzz_here(name, TARGETS[name], INPUTS, seed=0)
    assert not report.findings, capsys.readouterr().out
    assert report.inputs == INPUTS
    assert report.refused > 0 or name in LENIENT


JSON = [name for name, target in TARGETS.items() if target.mutate is mutate_json or name == "preferences"]


@pytest.mark.parametrize("name", JSON)
def test_a_json_file_that_is_nested_too_deeply_is_read_or_refused(name, tmp_path, monkeypatch):
    nested = b'[General]\npreferences="%s"\n' % (b"[" * 9000) if name == "preferences" else b"[" * 9000
    monkeypatch.setattr("tests.fuzz.runner.make_input", lambda *words: nested)
    assert not fuzz_here(name, TARGETS[name], 1, seed=0).findings


def spoil(file):
    """Read a file in a way that has every fault."""
    number = int(file.read_bytes())
    if number == 0:
        raise KeyError("base")
    if number == 1:
        os._exit(7)
    if number == 2:
        while True:
            pass
    if number == 3:
        bytearray(b"x") * 2**27


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
def test_every_kind_of_fault_is_noticed(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("tests.fuzz.runner.HANG_S", HANG_S / 10)
    monkeypatch.setattr("tests.fuzz.runner.MAX_GROWTH_BYTES", 2**26)
    monkeypatch.setattr("tests.fuzz.runner.make_input", lambda name, target, seeds, seed, number: b"%d" % number)
    report = fuzz("spoiled", Target(lambda: [b"0"], spoil), 5, 0)
    assert report.inputs == 5
    found = [finding.splitlines()[-1] for finding in report.findings]
    assert found == ["KeyError: 'base'", "1 died of signal 0, exit code 7", "2 took 0.2 s", "3 grew by more than 1 GB"]
    assert len(list(tmp_path.glob("engram-finding-spoiled-0-*"))) == 4
