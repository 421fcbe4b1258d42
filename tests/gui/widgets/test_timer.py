"""Timers are made the same in every locale."""

import ast
import locale

import pytest
from PySide6.QtCore import QObject

from gui.widgets.timer import make_timer
from tests.conftest import ROOT

TURKISH = "tr_TR.UTF-8"  # the capital of its i is no I


@pytest.fixture(params=["C", TURKISH])
def _letters(request):
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, request.param)
    except locale.Error:
        pytest.skip(f"the locale {request.param} is not installed: localedef -i tr_TR -f UTF-8 {TURKISH}")
    yield
    locale.setlocale(locale.LC_CTYPE, before)


@pytest.mark.usefixtures("_letters", "qapp")
@pytest.mark.parametrize("single_shot", [True, False])
def test_timer_has_its_interval_in_every_locale(single_shot):
    parent = QObject()
    timer = make_timer(parent, 40, single_shot)
    assert (timer.interval(), timer.isSingleShot(), timer.isActive()) == (40, single_shot, False)


def properties_with_i(source):
    """Return the keywords of Qt classes that begin with i: in a Turkish locale their setters are not found."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("Q"):
            yield from (word.arg for word in node.keywords if word.arg and word.arg.startswith("i"))


def test_no_property_that_begins_with_i_is_set_by_keyword():
    assert list(properties_with_i("QTimer(self, interval=3)")) == ["interval"]
    for path in sorted((ROOT / "gui").rglob("*.py")):
        assert not list(properties_with_i(path.read_text("utf-8"))), path
