"""First start: a few phantoms at once, the rest of the dataset in the background."""

from typing import Any

from PySide6.QtCore import Qt

from engine.config import DataConfig
from engine.errors import ConfigError
from gui.loaded_data import LoadedData
from gui.session import Session, data_config

FIRST_PHANTOMS = 240


def load_first_images(session: Session, saved: dict[str, Any], config: DataConfig) -> None:
    """Load the dataset of the last session, or `config` if there is none that is valid.

    A first one of many phantoms comes in two steps, so that there is something to see within seconds.
    """
    known = _read_config(saved)
    if known is not None or config.source != "phantom" or config.phantom_count <= FIRST_PHANTOMS:
        session.load_data(known or config)
        return
    few = config.model_copy(update={"phantom_count": FIRST_PHANTOMS})

    def load_all(data: LoadedData) -> None:
        # Another dataset may have been chosen in the meantime.
        if data.config == few:
            session.load_data(config)

    session.data_loaded.connect(load_all, Qt.ConnectionType.SingleShotConnection)
    session.load_data(few)


def is_first_part(config: DataConfig) -> bool:
    """Return whether a dataset is the part of the phantoms that the first start shows at once."""
    return config.source == "phantom" and config.phantom_count == FIRST_PHANTOMS


def _read_config(saved: dict[str, Any]) -> DataConfig | None:
    """Return saved settings of a dataset. Returns None if there are none that are valid."""
    try:
        return data_config(saved) if saved else None
    except ConfigError:
        return None
