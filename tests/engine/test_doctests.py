"""The examples in docstrings give what they say."""

import doctest
import importlib
import linecache

import pytest

from tests.conftest import ROOT

MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "engine").rglob("*.py")
    if "    >>> " in path.read_text("utf-8")
)


def test_there_are_examples():
    assert "engine.formatting" in MODULES


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name, monkeypatch):
    # The debugger that doctest makes for each docstring looks at every source file that this process has ever shown.
    monkeypatch.setattr(linecache, "checkcache", lambda *_: None)
    result = doctest.testmod(importlib.import_module(name))
    assert (result.failed, result.attempted > 0) == (0, True)
