"""What the program remembers between sessions: small values by name, written when they change."""

import json
from typing import Any, TypeVar

from PySide6.QtCore import QSettings

Value = TypeVar("Value")


class SettingsStore:
    """A settings file that nothing in it can break: a value that cannot be read is the default."""

    def __init__(self, settings: QSettings | None = None) -> None:
        self._settings = settings or QSettings(
            QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Engram", "Engram"
        )

    def get(self, key: str, default: Value) -> Value:
        """Return what was kept under a name, if it is of the default's kind."""
        try:
            kept = json.loads(str(self._settings.value(key)))
        except ValueError:
            return default
        return kept if isinstance(kept, type(default)) else default

    def set(self, key: str, value: Any) -> None:
        """Keep a value; it is on disk when this returns, so a crash does not lose it."""
        text = json.dumps(value)
        if self._settings.value(key) != text:
            self._settings.setValue(key, text)
            self._settings.sync()
