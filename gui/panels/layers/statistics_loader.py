"""The numbers of every channel over the data set: asked for when nothing else is waited for, then kept."""

from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.config import DataConfig
from engine.messages import ComputeChannelStatistics, RequestFailed, RequestProgress
from gui.panels.layers.channel_order import Numbers
from gui.panels.layers.state import LayersState
from gui.session import Session

PANEL, SPLIT = "layers-statistics", "validation"
Key = tuple[str, str]


class StatisticsLoader(QObject):
    """Asks for a run at a time; tells how far it is."""

    changed = Signal()
    progressed = Signal()

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._found: dict[Key, dict[str, Numbers]] = {}
        self._images: dict[Key, int] = {}
        self._failed: dict[Key, str] = {}
        self._asked: Key | None = None
        self._wanted: Key | None = None
        self._progress = ""
        session.answered.connect(self._on_answered)
        session.refused.connect(self._on_refused)
        session.progressed.connect(self._on_progressed)

    def request_for(self, choice: LayersState) -> None:
        """There is time for what takes long: have the run that is looked at counted."""
        if choice.scan is not None:
            self.request(choice.run, choice.scan.data)

    def request(self, run: str, data: DataConfig) -> None:
        """Have the channels of a run counted over the scans of a data set, unless they are."""
        key = self._wanted = run, data.model_dump_json()
        if key in self._found or key in self._failed or (key == self._asked and self._is_working()):
            return
        self._asked, self._progress = key, ""
        self._session.ask(ComputeChannelStatistics, PANEL, run=run, data=data, split=SPLIT)
        self.progressed.emit()

    def numbers(self, run: str, layer: str) -> tuple[Numbers, str]:
        """What was counted of a layer, and over what; nothing while it is not there."""
        key = self._wanted
        if key is None or key[0] != run or key not in self._found:
            return {}, ""
        return self._found[key].get(layer, {}), f"over {self._images[key]:,} {SPLIT} images"

    def state(self, run: str) -> str:
        """What is going on, in words; nothing when the numbers are there."""
        key = self._wanted
        if key is None or key[0] != run or key in self._found:
            return ""
        if key in self._failed:
            return self._failed[key]
        return f"Computing statistics over the dataset{self._progress}. Until then: this image only."

    def _is_working(self) -> bool:
        return self._session.explorer.is_waiting(PANEL)

    def _on_answered(self, panel: str, content: dict[str, Any]) -> None:
        if panel != PANEL or self._asked is None:
            return
        self._images[self._asked] = content["images"]
        self._found[self._asked] = {
            name: {key: np.asarray(value) for key, value in numbers.items()}
            for name, numbers in content["layers"].items()
        }
        self.changed.emit()

    def _on_refused(self, panel: str, refused: RequestFailed) -> None:
        if panel == PANEL and self._asked is not None:
            self._failed[self._asked] = f"No statistics over the dataset: {refused.reason}"
            self.progressed.emit()

    def _on_progressed(self, progress: RequestProgress) -> None:
        if progress.panel == PANEL:
            self._progress = f": {progress.done:,} of {progress.total:,}"
            self.progressed.emit()
