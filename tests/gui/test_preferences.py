"""What is remembered between sessions."""

from gui.preferences import SettingsStore


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
