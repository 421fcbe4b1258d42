"""Top bar: name, menus, and three facts: the dataset, the device, and the disclaimer."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenuBar, QWidget

from engine.messages import Ready
from gui.field_editors import choice_title
from gui.loaded_data import LoadedData
from gui.panel import DISCLAIMER
from gui.widgets.chip import Chip
from gui.widgets.labels import grouped, label

HEIGHT = 40


class TopBar(QFrame):
    """Name, menus and chips."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "top-bar")
        self.setFixedHeight(HEIGHT)
        self.menus, self.waiting = QMenuBar(), True
        self.data, self.device, self.mark = Chip("No dataset loaded"), Chip("Engine starting"), Chip(DISCLAIMER)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 14, 0)
        row.setSpacing(10)
        row.addWidget(label("Engram", role="title"))
        row.addWidget(self.menus, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        for chip in (self.data, self.device, self.mark):
            row.addWidget(chip)

    def show_data(self, data: LoadedData) -> None:
        sizes = {"training": data.size("train"), "test": data.size("test")}
        if len(data.leaked):
            sizes = {"training": sizes["training"], "deduplicated test": sizes["test"] - len(data.leaked)}
        counts = " · ".join(f"{grouped(size)} {name}" for name, size in sizes.items() if size or "deduplicated" in name)
        self.data.setText(f"{data.title} · {counts} images")
        size = f"{data.config.size} × {data.config.size} px, {data.config.fit}"
        self.data.setAccessibleDescription(size)

    def show_device(self, ready: Ready) -> None:
        self.waiting = False
        self.device.setText(f"{choice_title(ready.backend)} · {ready.device}")
        self.device.set_tone("accent")

    def show_waiting(self, backend: str) -> None:
        """Show that an engine is importing its backend."""
        self.waiting = True
        self.device.setText(f"{choice_title(backend)} · starting")
        self.device.set_tone("")

    def show_lost(self, text: str = "Engine stopped") -> None:
        self.waiting = False
        self.device.setText(text)
        self.device.set_tone("danger")
