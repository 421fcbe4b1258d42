"""First start: a screenful of phantoms at once, some more soon, and the rest of the dataset in the background."""

from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer

from engine.config import DataConfig
from engine.errors import ConfigError
from gui.loaded_data import LoadedData
from gui.session import Session, data_config

# The first fill half of the panel and take a fifth of the time of the second.
FIRST_PHANTOMS = 48, 240
FILE_WAIT_MS = 3000


class FirstImages(QObject):
    """Loads the dataset of the last session, or `config` if there is none that is valid.

    A first one of many phantoms comes in steps, so that there is something to see at once.

    Args:
        session: what loads it.
        saved: settings of the dataset of the last session.
        config: those of the first start.
    """

    def __init__(self, session: Session, saved: dict[str, Any], config: DataConfig) -> None:
        super().__init__(session)
        known = _read_config(saved)
        counts = FIRST_PHANTOMS if known is None and config.source == "phantom" else ()
        first = [count for count in counts if count < config.phantom_count]
        self._session, self._has_begun = session, False
        self._steps = [*(config.model_copy(update={"phantom_count": count}) for count in first), known or config]

    def load(self) -> None:
        """Load it now."""
        self._has_begun = True
        now, *self._steps = self._steps

        def load_next(data: LoadedData) -> None:
            # Another dataset may have been chosen in the meantime.
            if data.config == now:
                self.load()

        if self._steps:
            self._session.data_loaded.connect(load_next, Qt.ConnectionType.SingleShotConnection)
        self._session.load_data(now)

    def load_after_file(self) -> None:
        """Load it once the file that is being opened is shown or has failed, or takes long."""
        selection = self._session.selection
        # The file is prepared as the images of the dataset will be.
        self._session.requested_data = self._steps[0]
        for ended in (selection.file_opened, selection.failed):
            ended.connect(self._load_unless_begun, Qt.ConnectionType.SingleShotConnection)
        QTimer.singleShot(FILE_WAIT_MS, self, self._load_unless_begun)

    def _load_unless_begun(self) -> None:
        """Load it, unless that has begun or another dataset was chosen."""
        if not self._has_begun and self._session.loading is None and self._session.data is None:
            self.load()


def is_first_part(config: DataConfig) -> bool:
    """Return whether a dataset is the part of the phantoms that the first start shows at once."""
    return config.source == "phantom" and config.phantom_count in FIRST_PHANTOMS


def _read_config(saved: dict[str, Any]) -> DataConfig | None:
    """Return saved settings of a dataset. Returns None if there are none that are valid."""
    try:
        return data_config(saved) if saved else None
    except ConfigError:
        return None
