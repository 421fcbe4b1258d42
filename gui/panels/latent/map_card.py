"""The map of scans: its legend, its points, and the scan under the pointer."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.loaded_data import LoadedData
from gui.panels.latent.external_scan import ExternalScan
from gui.panels.latent.latent_map import LatentMap, Place, to_scatter
from gui.pixmaps import image_of
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.labels import label
from gui.widgets.legend import Legend
from gui.widgets.scatter.model import EMPTY
from gui.widgets.scatter.widget import ScatterPlot

HINT = "hover: preview · click: select · drag: lasso · Shift+drag: box"


class MapCard(Card):
    """Shows a map; chosen tells the place of a scan, grouped the places of those in a lasso."""

    chosen = Signal(object)
    grouped = Signal(object)
    pointed = Signal(str)
    hidden_changed = Signal()
    figure_wanted, points_wanted, copy_wanted = Signal(), Signal(), Signal()

    def __init__(self) -> None:
        super().__init__("Map", HINT)
        self.plot, self.legend, self.note, self.figure = ScatterPlot(), Legend(), label(role="caption"), QWidget()
        self.mapped: LatentMap | None = None
        self._data: LoadedData | None = None
        self.guest: ExternalScan | None = None
        self._hidden: dict[str, list[str]] = {}
        self._color = "class"
        column = QVBoxLayout(self.figure)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.legend)
        column.addWidget(self.plot, 1)
        column.addWidget(self.note)
        self.note.setWordWrap(True)
        self.add(self.figure, 1)
        wishes = (("Figure…", self.figure_wanted), ("CSV…", self.points_wanted), ("Copy as Python", self.copy_wanted))
        for text, wanted in wishes:
            button = Button(text)
            button.clicked.connect(wanted)
            self.add_action(button)
        self.plot.preview = self._preview
        self.legend.changed.connect(self._on_legend_changed)
        self.plot.chosen.connect(lambda at: self.mapped and self.chosen.emit(self.mapped.key_at(at)))
        self.plot.lassoed.connect(self._on_lassoed)
        self.plot.pointed.connect(self._on_pointed)

    def show_message(self, text: str) -> None:
        """Show a sentence in the place of a map."""
        self.mapped = self.guest = None
        self.legend.show_marks((), (), False, ())
        self.note.setText("")
        self.plot.set_empty_text(text)
        self.plot.show_points(EMPTY)

    def show_map(self, mapped: LatentMap, data: LoadedData, colour: str) -> None:
        """Show a map; the same one in other colours lies where it lay."""
        stays = self.mapped is not None and mapped.points is self.mapped.points
        self.mapped, self._data, self._color = mapped, data, colour
        scatter = to_scatter(mapped, colour)
        self.plot.show_points(scatter, stays)
        counts = np.bincount(scatter.groups, minlength=len(scatter.marks)).tolist()
        plain = scatter.values is not None
        self.legend.show_marks(scatter.marks, counts, plain, self._hidden.get(colour, ()))
        self.plot.set_hidden(self.legend.hidden())
        self.show_external_scan(self.guest if stays else None)

    def show_external_scan(self, guest: ExternalScan | None) -> None:
        """Show where a scan from a file lies, and say it; None takes it away."""
        self.guest = guest
        self.plot.set_guest(guest.point if guest else None, guest.title if guest else "")
        notes = (self.mapped.note if self.mapped else "", guest.note if guest else "")
        self.note.setText(" ".join(filter(None, notes)))

    def show_chosen(self, chosen: Place | None, group: Sequence[Place], letters: dict[Place, str]) -> None:
        """Mark the chosen scan, the scans that have a letter, and the group."""
        if self.mapped is None:
            return
        rings = {self.mapped.find(place): letter for place, letter in letters.items()}
        if chosen is not None:
            rings.setdefault(self.mapped.find(chosen), "")
        self.plot.set_rings({at: letter for at, letter in rings.items() if at >= 0})
        self.plot.select([at for place in group if (at := self.mapped.find(place)) >= 0])

    def hidden(self) -> dict[str, list[str]]:
        """The entries of the legend that are switched off, for each way of colouring."""
        return {colour: titles for colour, titles in self._hidden.items() if titles}

    def hide_groups(self, hidden: Mapping[str, Collection[str]]) -> None:
        """Switch entries of the legend off."""
        self._hidden = {colour: list(titles) for colour, titles in hidden.items()}

    def _preview(self, at: int) -> tuple[QImage | None, Sequence[str]]:
        if self.mapped is None or self._data is None:
            return None, ()
        split, index = self.mapped.key_at(at)
        row = int(self._data.rows(split)[index])
        return image_of(self._data.thumbnails[row]), self.mapped.text(at)

    def _on_legend_changed(self, hidden: list[int]) -> None:
        self._hidden[self._color] = self.legend.hidden_titles()
        self.plot.set_hidden(hidden)
        self.hidden_changed.emit()

    def _on_lassoed(self, at: list[int]) -> None:
        if self.mapped is not None:
            self.grouped.emit(tuple(self.mapped.key_at(each) for each in at))

    def _on_pointed(self, at: int) -> None:
        self.pointed.emit(" · ".join(self.mapped.text(at)) if self.mapped and at >= 0 else "")
