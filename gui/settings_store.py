"""Values that the app remembers between sessions, by name, written when they change."""

import json
from typing import Any, TypeVar

from PySide6.QtCore import QSettings

Value = TypeVar("Value")


class SettingsStore:
    """Settings file whose content can break nothing: an unreadable value gives the default."""

    def __init__(self, settings: QSettings | None = None) -> None:
        self._settings = settings or QSettings(
            QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Engram", "Engram"
        )

    def get(self, key: str, default: Value) -> Value:
        """Return the value under a name, if it has the default's type, else the default."""
        try:
            kept = json.loads(str(self._settings.value(key)))
        except ValueError:
            return default
        return kept if isinstance(kept, type(default)) else default

    def set(self, key: str, value: Any) -> None:
        """Store a value; it is on disk when this returns, so a crash does not lose it."""
        text = json.dumps(value)
        if self._settings.value(key) != text:
            self._settings.setValue(key, text)
            self._settings.sync()
