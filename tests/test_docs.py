"""What the documents name is there."""

import re
import runpy

import pytest

from tests.conftest import ROOT

PROMISES = (ROOT / "docs" / "testing.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::([\w.]+))?`", PROMISES)))


def is_there(file, name):
    """Return whether a test file exists and defines a test or class; a name that ends in dots is a beginning."""
    path = ROOT / file
    if not path.is_file():
        return False
    word = name.split(".")[-1] if not name.endswith("...") else name.removesuffix("...")
    end = r"\w*" if name.endswith("...") else ""
    return not name or re.search(rf"\b(def|class) {word}{end}\b", path.read_text("utf-8")) is not None


def test_promises_name_tests():
    assert len(NAMED) > 150


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_named_test_is_there(file, name):
    assert is_there(file, name)


@pytest.mark.parametrize("missing", [("tests/nowhere.py", ""), ("tests/test_docs.py", "test_nothing")])
def test_what_is_not_there_is_noticed(missing):
    assert not is_there(*missing)


def test_drawing_of_the_rooms_is_what_the_imports_say():
    drawing = runpy.run_path(str(ROOT / "scripts" / "draw_rooms.py"))
    assert drawing["PICTURE"].read_text("utf-8") == drawing["draw"]()
