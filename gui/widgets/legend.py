"""Legend whose entries can be switched off."""

from collections.abc import Collection, Sequence
from itertools import pairwise

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QWidget

from gui import palette
from gui.widgets.flow_layout import FlowLayout
from gui.widgets.labels import FilterChip
from gui.widgets.scatter.model import Mark
from gui.widgets.scatter.paint import sprite

ICON_PX = 14
RATIO = 3.0


class Legend(QWidget):
    """One chip for each group with its mark; `changed` carries the groups that are switched off."""

    changed = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._flow = FlowLayout(self, gap=6)
        self._chips: list[FilterChip] = []
        self._marks: Sequence[Mark] = ()
        # Control from which the Tab key goes to the first chip.
        self.tab_after: QWidget | None = None

    def show_marks(self, marks: Sequence[Mark], counts: Sequence[int], plain: bool, hidden: Collection[str]) -> None:
        """Show these groups with the number of points in each; `plain` says that their color has no meaning."""
        for chip in self._chips:
            chip.hide()
            chip.deleteLater()
            self._flow.takeAt(0)
        self._marks = [Mark(mark.title, "role:quiet", mark.shape) for mark in marks] if plain else list(marks)
        self._chips = [
            FilterChip(f"{mark.title} {count}", mark.title not in hidden)
            for mark, count in zip(marks, counts, strict=True)
        ]
        for chip, mark in zip(self._chips, self._marks, strict=True):
            chip.setIconSize(QSize(ICON_PX, ICON_PX))
            chip.setToolTip(f"Show or hide {mark.title}")
            chip.toggled.connect(self._on_toggled)
            self._flow.addWidget(chip)
            chip.show()
        for before, after in pairwise(filter(None, (self.tab_after, *self._chips))):
            QWidget.setTabOrder(before, after)
        self._tint()
        self.updateGeometry()

    def hidden(self) -> list[int]:
        """Return the groups that are switched off."""
        return [place for place, chip in enumerate(self._chips) if not chip.isChecked()]

    def hidden_titles(self) -> list[str]:
        return [self._marks[place].title for place in self.hidden()]

    def chip(self, place: int) -> FilterChip:
        return self._chips[place]

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()

    def _tint(self) -> None:
        for chip, mark in zip(self._chips, self._marks, strict=True):
            color = palette.find_series_color(mark.series)
            chip.setIcon(QIcon(sprite(mark.shape, color, palette.current().field, RATIO)))

    def _on_toggled(self) -> None:
        """Emit the groups that are switched off; keep at least one group on."""
        if self._chips and len(self.hidden()) == len(self._chips):
            sender = self.sender()
            if isinstance(sender, FilterChip):
                with QSignalBlocker(self):
                    sender.setChecked(True)
            return
        self.changed.emit(self.hidden())
