"""What window tests stand on: settings of their own, the dark theme, series colours from the start."""

import gc

import pytest
from PySide6.QtCore import QSettings

from gui import palette, theme


@pytest.fixture(autouse=True, scope="session")
def _spare_the_collector():
    """Leave what was imported out of the collections that look for leaks after each test: ten times faster."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _own_settings(tmp_path):
    """No test reads or writes the user's settings, or another test's."""
    for kind in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
        QSettings.setPath(kind, QSettings.Scope.UserScope, str(tmp_path / "settings"))


@pytest.fixture(autouse=True)
def _fresh_colours():
    palette.forget_series()
    palette.use(palette.DARK)


@pytest.fixture
def dressed(qapp):
    """Return a function that dresses the program in a theme; it is undressed after the test."""
    yield lambda mode: theme.apply(qapp, mode)
    qapp.setStyleSheet("")
    palette.use(palette.DARK)
