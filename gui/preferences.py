"""Values that the app saves between sessions, among them the user's preferences, and the preferences dialog."""

import json
import os
import re
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QWidget,
)

from engine import runs
from engine.config import AUTO_BACKEND, TrainingConfig
from engine.config import list_fields as describe
from engine.errors import EngramError
from gui.field_editors import choice_title
from gui.theme import Mode
from gui.widgets.buttons import Button
from gui.widgets.labels import label

Value = TypeVar("Value")
KEY = "preferences"
# The raw text of one JSON value, bare or in quotes as a whole; Qt writes a quotation mark as \".
JSON_VALUE = re.compile(r'"(?:\\"|[\[{tfn0-9-])(?:[^"\\]|\\.)*"|(?:\\"|[\[{tfn0-9-])(?:[^",\\]|\\.)*|')
THEMES: dict[Mode, str] = {"system": "System default", "dark": "Dark", "light": "Light"}


class SettingsStore:
    """Settings file whose content can break nothing: an unreadable value gives the default.

    Qt unpickles a value such as `@Variant(...)`, which runs code. Engram stores JSON alone, so a file with anything
    else is set aside before Qt reads a value of it.
    """

    def __init__(self, settings: QSettings | None = None) -> None:
        self._settings = settings or _open_settings()
        file = Path(self._settings.fileName())
        if not _is_json_alone(file):
            file.replace(file.with_name(f"{file.name}.refused"))
            # Qt keeps what it read of a file that is gone, but reads one that has changed again.
            file.touch()
            self._settings.sync()

    def get(self, key: str, default: Value) -> Value:
        """Return the value under a name, if it has the default's type, else the default."""
        try:
            kept = json.loads(str(self._settings.value(key)))
        except (ValueError, RecursionError):
            return default
        return kept if isinstance(kept, type(default)) else default

    def texts(self, key: str) -> list[str]:
        """Return a stored list of texts, without what is no text."""
        kept: list[Any] = self.get(key, [])
        return [each for each in kept if isinstance(each, str)]

    def restore(self, key: str, default: Value, apply: Callable[[Value], object]) -> None:
        """Apply the value under a name, or the default if the value has the right type but cannot be applied."""
        try:
            apply(self.get(key, default))
        except (EngramError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RuntimeError):
            traceback.print_exc()
            self.set(key, default)
            apply(default)

    def set(self, key: str, value: Any) -> None:
        """Store a value; it is on disk when this returns, so a crash does not lose it."""
        text = json.dumps(value)
        if self._settings.value(key) != text:
            self._settings.setValue(key, text)
            self._settings.sync()


def _open_settings() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Engram", "Engram")


def _is_json_alone(file: Path) -> bool:
    """Return whether every value of a settings file is JSON text as Qt writes it; also if there is no file."""
    try:
        lines = file.read_bytes().decode("latin-1").split("\n")
    except OSError:
        return True
    values = [line.partition("=")[2].strip() for line in lines if "=" in line and line.lstrip()[:1] not in ("[", ";")]
    return all(JSON_VALUE.fullmatch(value) for value in values)


@dataclass(frozen=True)
class Preferences:
    """Theme, runs folder (empty: the default), backend of new runs, permission to download data."""

    theme: Mode = "system"
    runs: str = ""
    backend: str = "tensorflow"
    download: bool = False


def load(memory: SettingsStore) -> Preferences:
    """Return the saved preferences, with the default for each that is missing or of the wrong type."""
    kept: dict[str, Any] = memory.get(KEY, {})
    plain = asdict(Preferences())
    sane = {field.name: kept[field.name] for field in fields(Preferences) if _fits(kept, field.name, plain)}
    return Preferences(**(sane | ({} if sane.get("theme") in THEMES else {"theme": "system"})))


def save(memory: SettingsStore, preferences: Preferences) -> None:
    memory.set(KEY, asdict(preferences))


def runs_root(preferences: Preferences) -> Path:
    """Return the runs folder: that of the environment, else the preferred one, else the default."""
    chosen = preferences.runs and "\0" not in preferences.runs and not os.environ.get("ENGRAM_RUNS")
    return Path(preferences.runs).expanduser() if chosen else runs.default_root()


def backends() -> tuple[str, ...]:
    """Return the backends that the app's processes can be started with."""
    choices = next(spec.choices for spec in describe(TrainingConfig) if spec.name == "backend")
    return tuple(name for name in choices if name != AUTO_BACKEND)


def _fits(kept: dict[str, Any], name: str, plain: dict[str, Any]) -> bool:
    return isinstance(kept.get(name), type(plain[name]))


class PreferencesDialog(QDialog):
    """Theme, runs folder, default backend, downloads."""

    def __init__(self, now: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self.ask_folder: Callable[[QWidget, str, str], str] = QFileDialog.getExistingDirectory
        self.theme, self.backend = QComboBox(), QComboBox()
        self.runs = QLineEdit(now.runs)
        self.download = QCheckBox("Allow downloads from the Hugging Face Hub")
        for mode, title in THEMES.items():
            self.theme.addItem(title, mode)
        for name in backends():
            self.backend.addItem(choice_title(name), name)
        self.theme.setCurrentIndex(self.theme.findData(now.theme))
        self.backend.setCurrentIndex(max(self.backend.findData(now.backend), 0))
        self.runs.setPlaceholderText(str(runs.default_root()))
        self.download.setChecked(now.download)
        self._lay_out()

    def chosen(self) -> Preferences:
        return Preferences(
            theme=self.theme.currentData(),
            runs=self.runs.text().strip(),
            backend=self.backend.currentData(),
            download=self.download.isChecked(),
        )

    def _lay_out(self) -> None:
        browse = Button("Browse…", icon_name="folder")
        browse.clicked.connect(self._on_browse_clicked)
        place = QHBoxLayout()
        place.addWidget(self.runs, 1)
        place.addWidget(browse)
        form = QFormLayout(self)
        form.setContentsMargins(20, 20, 20, 16)
        form.setVerticalSpacing(12)
        form.setHorizontalSpacing(16)
        place.setSpacing(8)
        form.addRow("Theme", self.theme)
        form.addRow("Runs folder", place)
        form.addRow("", label("Existing runs stay in the old folder.", role="caption"))
        form.addRow("Default backend", self.backend)
        form.addRow("Downloads", self.download)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form.addRow(buttons)
        self.setMinimumWidth(520)

    def _on_browse_clicked(self) -> None:
        folder = self.ask_folder(self, "Runs folder", self.runs.text() or str(runs.default_root()))
        if folder:
            self.runs.setText(folder)
