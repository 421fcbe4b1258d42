"""Top bar of the window: name, menus, and chips of what is current."""

from typing import cast

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenuBar, QWidget

from engine.messages import Ready
from gui.field_editors import choice_title
from gui.formatting import format_count
from gui.loaded_data import LoadedData
from gui.panel import DISCLAIMER, DISCLAIMER_END
from gui.widgets.buttons import ElidedButton
from gui.widgets.labels import Chip, label

TOP_BAR_PX = 40
# Least width of the chips of the current image and run, in a bar that is narrow and in one that is wide.
CHIP_PX, WIDE_PX = (84, 150), 960
# Wordings of the chips of dataset, engine and mark, from the longest to the shortest.
WORDINGS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (2, 1, 0), (2, 1, 1))


class TopBar(QFrame):
    """Name, menus and chips."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "top-bar")
        self.setFixedHeight(TOP_BAR_PX)
        self.menus, self.waiting = QMenuBar(), True
        self._selection: list[ElidedButton] = []
        self._is_wide = False
        self.data, self.device, self.mark = Chip("No dataset loaded"), Chip("Engine starting"), Chip()
        self.mark.show_fact(DISCLAIMER, DISCLAIMER_END)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 10, 0)
        row.setSpacing(8)
        row.addWidget(label("Engram", role="title"))
        row.addWidget(self.menus, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        for chip in (self.data, self.device, self.mark):
            row.addWidget(chip)

    def add_selection(self, chip: ElidedButton) -> None:
        """Add a chip with the current image or run, before those of dataset and engine."""
        row = cast(QHBoxLayout, self.layout())
        row.insertWidget(row.indexOf(self.data), chip)
        self._selection.append(chip)
        chip.set_min_width(CHIP_PX[self._is_wide])

    def event(self, event: QEvent) -> bool:
        """Word the chips again when one of the texts has changed."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit_chips()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten the chips of the current image and run in a narrow window only."""
        super().resizeEvent(event)
        self._fit_chips()
        is_wide = event.size().width() >= WIDE_PX
        if is_wide != self._is_wide:
            self._is_wide = is_wide
            for chip in self._selection:
                chip.set_min_width(CHIP_PX[is_wide])

    def _fit_chips(self) -> None:
        """Word the chips as long as all of them fit; what the user knows anyway is shortened first."""
        chips, row = (self.data, self.device, self.mark), cast(QHBoxLayout, self.layout())
        children = self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
        others = [child for child in children if child not in chips and not child.isHidden()]
        taken = sum(child.sizeHint().width() for child in others) + row.spacing() * row.count()
        room = self.width() - taken - row.contentsMargins().left() - row.contentsMargins().right()
        sizes = [sum(chip.width_of(at) for chip, at in zip(chips, each, strict=True)) for each in WORDINGS]
        best = next((each for each, size in zip(WORDINGS, sizes, strict=True) if size <= room), WORDINGS[-1])
        for chip, wording in zip(chips, best, strict=True):
            chip.set_wording(wording)

    def show_data(self, data: LoadedData) -> None:
        sizes = {"training": data.size("train"), "test": data.size("test")}
        if len(data.leaked):
            sizes = {"training": sizes["training"], "deduplicated test": sizes["test"] - len(data.leaked)}
        counts = " · ".join(
            f"{format_count(size)} {name}" for name, size in sizes.items() if size or "deduplicated" in name
        )
        self.data.show_fact(f"{data.title} · {counts} images", f"{data.title} · {counts}", data.title)
        size = f"{data.config.size} × {data.config.size} px, {data.config.fit}"
        self.data.setAccessibleDescription(size)

    def show_device(self, ready: Ready) -> None:
        self.waiting = False
        self.device.show_fact(f"{choice_title(ready.backend)} · {ready.device}", ready.device)
        self.device.set_tone("accent")

    def show_waiting(self, backend: str) -> None:
        """Show that an engine is importing its backend."""
        self.waiting = True
        self.device.show_fact(f"{choice_title(backend)} · starting", "starting")
        self.device.set_tone("")

    def show_lost(self, text: str = "Engine stopped") -> None:
        self.waiting = False
        self.device.show_fact(text)
        self.device.set_tone("danger")
