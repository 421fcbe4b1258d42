"""Dataset settings that are valid, and loading a dataset as an undo step."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtGui import QUndoCommand, QUndoStack

from engine import config as settings
from engine.config import DataConfig
from engine.errors import ConfigError
from gui.loaded_data import source_title
from gui.session import Session


class LoadDataCommand(QUndoCommand):
    """Undo step that loads a source; undoing loads the previous one again, quickly, from the cache."""

    def __init__(self, session: Session, config: DataConfig, before: DataConfig) -> None:
        super().__init__(f"load {source_title(config)}")
        self._session, self._config, self._before = session, config, before

    def redo(self) -> None:
        self._session.load_data(self._config)

    def undo(self) -> None:
        self._session.load_data(self._before)


def load_data_undoable(session: Session, undo: QUndoStack, config: DataConfig) -> None:
    """Load a source for all panels; this is an undo step if another one was loaded before."""
    before = session.data.config if session.data else None
    if before is None or before == config:
        session.load_data(config)
    else:
        undo.push(LoadDataCommand(session, config, before))


def data_config(values: Mapping[str, Any]) -> DataConfig:
    """Return the dataset settings alone, without a check that a model can halve the image size often enough.

    That check belongs to the model. Raises ConfigError.
    """
    if values.get("source") in ("", "hf:"):
        raise ConfigError("Choose a folder or dataset, or drop a folder here.")
    return settings.from_flat({**values, "filters": (32,)}).data
