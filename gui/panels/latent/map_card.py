"""The cards of the map: run, splits, method and color; the points, their legend and the image under the pointer."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QImage, QResizeEvent, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from engine.messages import FigureGroup
from gui import palette
from gui.loaded_data import PARTS, SPLITS, LoadedData
from gui.panels.latent.latent_map import COLORS, METHODS, ExternalScan, LatentMap, Place, to_scatter
from gui.pixmaps import image_of
from gui.run_chooser import RunChooser
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import Card, NoticeBox
from gui.widgets.labels import FilterChip, fix_width, label
from gui.widgets.legend import Legend
from gui.widgets.scatter.model import EMPTY, Numbers
from gui.widgets.scatter.widget import ScatterPlot

HINT = "hover: preview · click: select · drag: lasso · Shift+drag: box"
# Height of the card below which its notes are shortened.
LOW_PX = 400
LABEL_PX, WIDEST_PX = 50, 2**24 - 1


class MapCard(Card):
    """Shows a map; chosen carries the place of an image, grouped the places of the images in a lasso."""

    chosen = Signal(object)
    grouped = Signal(object)
    pointed = Signal(str)
    hidden_changed = Signal()
    figure_wanted, points_wanted, copy_wanted = Signal(), Signal(), Signal()

    def __init__(self) -> None:
        super().__init__("Map", HINT)
        self.plot, self.legend, self.note, self.figure = ScatterPlot(), Legend(), label(role="caption"), QWidget()
        self.notes = ""
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
        exports = (("Figure…", self.figure_wanted), ("CSV…", self.points_wanted), ("Copy as Python", self.copy_wanted))
        for text, wanted in exports:
            button = Button(text)
            button.clicked.connect(wanted)
            self.add_action(button)
            self.legend.tab_after = button
        self.plot.preview = self._preview
        self.legend.changed.connect(self._on_legend_changed)
        self.plot.chosen.connect(lambda at: self.mapped and self.chosen.emit(self.mapped.key_at(at)))
        self.plot.lassoed.connect(self._on_lassoed)
        self.plot.pointed.connect(self._on_pointed)

    def show_message(self, text: str) -> None:
        """Show a message in place of a map."""
        self.mapped = self.guest = None
        self.legend.show_marks((), (), False, ())
        self.notes = ""
        self._show_notes()
        self.plot.set_empty_text(text)
        self.plot.show_points(EMPTY)

    def show_map(self, mapped: LatentMap, data: LoadedData, color: str) -> None:
        """Show a map; the same map in other colors keeps its view."""
        stays = self.mapped is not None and mapped.points is self.mapped.points
        self.mapped, self._data, self._color = mapped, data, color
        scatter = to_scatter(mapped, color)
        self.plot.show_points(scatter, stays)
        counts = np.bincount(scatter.groups, minlength=len(scatter.marks)).tolist()
        plain = scatter.values is not None
        self.legend.show_marks(scatter.marks, counts, plain, self._hidden.get(color, ()))
        if scatter.marks:
            QWidget.setTabOrder(self.legend.chip(len(scatter.marks) - 1), self.plot)
        self.plot.set_hidden(self.legend.hidden())
        self.show_external_scan(self.guest if stays else None)

    def show_external_scan(self, guest: ExternalScan | None) -> None:
        """Show the position of an image from a file, and a note on it; None removes both."""
        self.guest = guest
        self.plot.set_guest(guest.point if guest else None, guest.title if guest else "")
        patients = self._data.patients.patient_note if self.mapped and self._data else ""
        notes = (self.mapped.note if self.mapped else "", patients, guest.note if guest else "")
        self.notes = " ".join(filter(None, notes))
        self._show_notes()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_notes()

    def _show_notes(self) -> None:
        """Show the notes; a low card leaves its room to the map, shows the first sentence and has the rest as a tip."""
        is_low, first = self.height() < LOW_PX, self.notes.partition("; ")[0].partition(". ")[0]
        self.note.setText(
            f"{first.removesuffix('.')}. …" if is_low and len(first) + 1 < len(self.notes) else self.notes
        )
        self.note.setToolTip(self.notes if is_low else "")

    def show_chosen(self, chosen: Place | None, group: Sequence[Place], letters: dict[Place, str]) -> None:
        """Mark the selected image, the images that have a letter, and the group."""
        if self.mapped is None:
            return
        rings = {self.mapped.find(place): letter for place, letter in letters.items()}
        if chosen is not None:
            rings.setdefault(self.mapped.find(chosen), "")
        self.plot.set_rings({at: letter for at, letter in rings.items() if at >= 0})
        self.plot.select([at for place in group if (at := self.mapped.find(place)) >= 0])

    def to_figure(self) -> tuple[Numbers, tuple[FigureGroup, ...], str, tuple[tuple[float, float, str], ...]]:
        """Return what a figure on paper shows: visible points, groups or the name of their value, marked images."""
        scatter, shown = self.plot.scatter, self.plot.shown()
        third = scatter.groups if scatter.values is None else scatter.values
        groups = [
            FigureGroup(title=mark.title, color=palette.find_series_color(mark.series, palette.LIGHT), shape=mark.shape)
            for mark in scatter.marks
        ]
        marked = [(*scatter.points[at], title) for at, title in self.plot.rings().items()]
        if scatter.extra_point is not None:
            marked.append((*scatter.extra_point, scatter.guest_title))
        points: Numbers = np.column_stack([scatter.points, third])[shown].astype(np.float64)
        return points, tuple(groups) if scatter.values is None else (), scatter.value_title, tuple(marked)

    def hidden(self) -> dict[str, list[str]]:
        """Return the titles that are hidden, for each color mode."""
        return {color: titles for color, titles in self._hidden.items() if titles}

    def hide_groups(self, hidden: Mapping[str, Collection[str]]) -> None:
        """Hide entries of the legend."""
        self._hidden = {color: list(titles) for color, titles in hidden.items()}

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


class MapOptionsCard(Card):
    """Options: run, splits, method, color."""

    changed = Signal()
    color_changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__("Latent space")
        self.run, self.run_name = RunChooser(session, "Run"), ""
        self.method, self.color, self.notice = QComboBox(), QComboBox(), NoticeBox()
        self.splits = {split: FilterChip(PARTS[split], True) for split in SPLITS}
        for box, titles in ((self.method, METHODS), (self.color, COLORS)):
            for key, title in titles.items():
                box.addItem(title, key)
        self._lay_out()
        self.run.chosen.connect(self._on_run_chosen)
        self.method.activated.connect(self.changed)
        for chip in self.splits.values():
            chip.toggled.connect(self._on_split_toggled)
        self.color.activated.connect(self.color_changed)

    def _lay_out(self) -> None:
        form, chips = QFormLayout(), QWidget()
        line = QHBoxLayout(chips)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        for chip in self.splits.values():
            line.addWidget(chip)
        line.addStretch()
        form.setVerticalSpacing(6)
        form.setHorizontalSpacing(4)
        self.run.setMaximumWidth(WIDEST_PX)
        self.run.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        rows = {"Run": self.run, "Images": chips, "Map": self.method, "Color": self.color}
        for title, field in rows.items():
            text = label(title, role="quiet")
            fix_width(text, LABEL_PX)
            text.setBuddy(field)
            field.setAccessibleName(title.lower())
            form.addRow(text, field)
        self.add(form)
        self.add(self.notice)

    def list_runs(self, names: Sequence[str]) -> None:
        """Keep the chosen run if it is among these; else choose the first one."""
        self.run_name = self.run_name if self.run_name in names else next(iter(names), "")
        self.run.show_run(self.run_name)

    def values(self) -> dict[str, Any]:
        """Return the selected options."""
        return {
            "run": self.run_name,
            "method": self.method.currentData(),
            "colour": self.color.currentData(),
            "splits": [split for split, chip in self.splits.items() if chip.isChecked()],
        }

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Select these options; ignore unknown ones."""
        for name, box in (("method", self.method), ("colour", self.color)):
            at = box.findData(values.get(name))
            if at >= 0:
                box.setCurrentIndex(at)
        splits = values.get("splits")
        if isinstance(splits, list) and set(splits) & set(SPLITS):
            for split, chip in self.splits.items():
                with QSignalBlocker(self):
                    chip.setChecked(split in splits)

    def show_methods(self, methods: Mapping[str, str]) -> None:
        """Disable the methods that are not available, and say why."""
        model = self.method.model()
        for at in range(self.method.count()):
            why = methods.get(self.method.itemData(at), "")
            self.method.setItemData(at, why, Qt.ItemDataRole.ToolTipRole)
            item = model.item(at) if isinstance(model, QStandardItemModel) else None
            if item is not None:
                item.setEnabled(not why)

    def _on_run_chosen(self, name: str) -> None:
        self.run_name = name
        self.changed.emit()

    def _on_split_toggled(self) -> None:
        """Keep at least one split selected."""
        if not any(chip.isChecked() for chip in self.splits.values()):
            sender = self.sender()
            if isinstance(sender, FilterChip):
                sender.setChecked(True)
            return
        self.changed.emit()
