"""The statistics of every channel over the dataset: requested when nothing else is pending, then kept."""

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.config import DataConfig
from engine.messages import ComputeChannelStatistics, ComputeChannelStatisticsReply, RequestFailed
from gui.panels.layers.channel_order import Numbers
from gui.panels.layers.state import LayersState
from gui.session import Session

PANEL, SPLIT = "layers-statistics", "validation"


class StatisticsLoader(QObject):
    """Requests the statistics of one run at a time.

    changed says that statistics arrived, progressed that the text about them is another.
    """

    changed = Signal()
    progressed = Signal()

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._found: dict[ComputeChannelStatistics, dict[str, Numbers]] = {}
        self._images: dict[ComputeChannelStatistics, int] = {}
        self._failed: dict[ComputeChannelStatistics, str] = {}
        self._pending: ComputeChannelStatistics | None = None
        self._wanted: ComputeChannelStatistics | None = None
        self._progress = ""

    def request_for(self, choice: LayersState) -> None:
        """Request the statistics of the chosen run over the dataset of the chosen image."""
        if choice.scan is not None:
            self.request(choice.run, choice.scan.data)

    def request(self, run: str, data: DataConfig) -> None:
        """Request the statistics of a run over a dataset, unless they are known or pending, or failed before."""
        message = self._wanted = ComputeChannelStatistics(panel=PANEL, run=run, data=data, split=SPLIT)
        if message in self._found or message in self._failed or message == self._pending:
            return
        self._pending, self._progress = message, ""
        handle = self._session.request(message)
        handle.finished.connect(lambda reply: self._on_finished(message, reply))
        handle.failed.connect(lambda failure: self._on_failed(message, failure))
        handle.progressed.connect(self._on_progressed)
        self.progressed.emit()

    def numbers(self, run: str, layer: str) -> tuple[Numbers, str]:
        """Return the statistics of a layer, and over what they are; empty if they are not known yet."""
        wanted = self._wanted
        if wanted is None or wanted.run != run or wanted not in self._found:
            return {}, ""
        return self._found[wanted].get(layer, {}), f"over {self._images[wanted]:,} {SPLIT} images"

    def state(self, run: str) -> str:
        """Return a sentence about statistics that are pending or failed; empty if they are known."""
        wanted = self._wanted
        if wanted is None or wanted.run != run or wanted in self._found:
            return ""
        if wanted in self._failed:
            return self._failed[wanted]
        return f"Computing statistics over the dataset{self._progress}. Until then: this image only."

    def _on_finished(self, message: ComputeChannelStatistics, reply: ComputeChannelStatisticsReply) -> None:
        self._pending = None
        self._images[message] = reply.images
        self._found[message] = {
            layer: {name: np.asarray(values) for name, values in numbers} for layer, numbers in reply.layers.items()
        }
        self.changed.emit()

    def _on_failed(self, message: ComputeChannelStatistics, failure: RequestFailed) -> None:
        self._pending = None
        self._failed[message] = f"No statistics over the dataset: {failure.reason}"
        self.progressed.emit()

    def _on_progressed(self, done: int, total: int) -> None:
        self._progress = f": {done:,} of {total:,}"
        self.progressed.emit()
