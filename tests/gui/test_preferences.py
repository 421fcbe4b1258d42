"""What is remembered between sessions."""

import os
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

from gui.preferences import SettingsStore

VALUES = [7, -1.5, True, None, "text", "zwölf", "@Variant(x", [1, "a,b"], {}, [], {"a": [1, {"b": "@x"}], "c": '"\\'}]


class Planted:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path("unpickled"),)


def test_value_is_there_for_the_next_session(qapp):
    SettingsStore().set("a/b", {"x": [1, "zwölf"], "y": None})
    assert SettingsStore().get("a/b", {}) == {"x": [1, "zwölf"], "y": None}


def test_missing_value_and_value_of_another_kind_are_the_default(qapp):
    memory = SettingsStore()
    assert memory.get("nothing", 7) == 7
    memory.set("a", "text")
    assert memory.get("a", {}) == {}
    memory._settings.setValue("b", "{broken")
    assert memory.get("b", []) == []


@pytest.fixture
def file(qapp, tmp_path, monkeypatch):
    """The settings file, which only this test uses."""
    monkeypatch.chdir(tmp_path)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "config"))
    yield Path(SettingsStore()._settings.fileName())
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, os.environ["XDG_CONFIG_HOME"])


def plant(file, change=lambda text: text):
    settings = QSettings(str(file), QSettings.Format.IniFormat)
    settings.setValue("preferences", Planted())
    settings.sync()
    del settings
    file.write_text(change(file.read_text()))
    # Qt reads a file again only when its size or its time, in milliseconds, has changed.
    os.utime(file, (0, 0))


@pytest.mark.parametrize("hidden", [False, True])
def test_a_value_that_qt_would_unpickle_is_never_asked_for(file, hidden):
    plant(file, lambda text: text.replace("@Variant", "\\x40Variant") if hidden else text)
    assert "Variant" in file.read_text()
    memory = SettingsStore()
    assert memory.get("preferences", {}) == {}
    memory.set("preferences", {"theme": "dark"})
    assert not Path("unpickled").exists()
    assert file.with_name(f"{file.name}.refused").exists()
    assert SettingsStore().get("preferences", {}) == {"theme": "dark"}


def test_qt_would_unpickle_it_otherwise(file):
    plant(file)
    QSettings(str(file), QSettings.Format.IniFormat).value("preferences")
    assert Path("unpickled").exists()


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_kind_of_value_is_kept(file, value):
    SettingsStore().set("a/b c", value)
    SettingsStore().set("top", value)
    kept = SettingsStore()
    assert [kept.get(key, type(value)() if value is not None else None) for key in ("a/b c", "top")] == [value] * 2
    assert not file.with_name(f"{file.name}.refused").exists()


def test_a_value_that_cannot_be_applied_gives_way_to_the_default(qapp, capsys):
    store, applied = SettingsStore(), []
    store.set("sizes", [1, "x"])
    store.restore("sizes", [], lambda sizes: applied.append([size + 1 for size in sizes]))
    assert applied == [[]]
    assert SettingsStore().get("sizes", [5]) == []
    assert "TypeError" in capsys.readouterr().err
    store.set("recent", ["/a", 5, None])
    assert store.texts("recent") == ["/a"]
