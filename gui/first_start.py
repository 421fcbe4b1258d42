"""First start: a few phantoms at once, the rest of the dataset in the background."""

from PySide6.QtCore import Qt

from engine.config import DataConfig
from gui.loaded_data import LoadedData
from gui.session import Session

FIRST_PHANTOMS = 240


def load_first_images(session: Session, config: DataConfig) -> None:
    """Load a dataset of many phantoms in two steps, so that there is something to see within seconds."""
    if config.source != "phantom" or config.phantom_count <= FIRST_PHANTOMS:
        session.load_data(config)
        return
    few = config.model_copy(update={"phantom_count": FIRST_PHANTOMS})

    def load_all(data: LoadedData) -> None:
        # Another dataset may have been chosen in the meantime.
        if data.config == few and session.requested_data == few:
            session.load_data(config)

    session.data_loaded.connect(load_all, Qt.ConnectionType.SingleShotConnection)
    session.load_data(few)
