"""Which run is looked into, of which scans, laid out and coloured how; and what must be known of it."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QWidget

from gui.loaded_data import PARTS, SPLITS
from gui.panels.latent.latent_map import COLORS
from gui.run_record import RunRecord
from gui.widgets.card import Card
from gui.widgets.chip import FilterChip
from gui.widgets.labels import label
from gui.widgets.notice import NoticeBox

METHODS = {"pca": "Principal components", "tsne": "t-SNE", "umap": "UMAP"}
LABEL_PX = 52


class MapOptionsCard(Card):
    """Run, scans, map, colour."""

    changed = Signal()
    color_changed = Signal()

    def __init__(self) -> None:
        super().__init__("Latent space")
        self.run, self.method, self.color, self.notice = QComboBox(), QComboBox(), QComboBox(), NoticeBox()
        self.splits = {split: FilterChip(PARTS[split], True) for split in SPLITS}
        for box, titles in ((self.method, METHODS), (self.color, COLORS)):
            for key, title in titles.items():
                box.addItem(title, key)
        self.run.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._lay_out()
        for box in (self.run, self.method):
            box.activated.connect(self.changed)
        for chip in self.splits.values():
            chip.toggled.connect(self._on_split_toggled)
        self.color.activated.connect(self.color_changed)

    def _lay_out(self) -> None:
        form, chips = QFormLayout(), QWidget()
        line = QHBoxLayout(chips)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        for chip in self.splits.values():
            line.addWidget(chip)
        line.addStretch()
        form.setVerticalSpacing(6)
        form.setHorizontalSpacing(8)
        rows = {"Run": self.run, "Images": chips, "Map": self.method, "Color": self.color}
        for title, field in rows.items():
            text = label(title, role="quiet")
            text.setFixedWidth(LABEL_PX)
            text.setBuddy(field)
            field.setAccessibleName(title.lower())
            form.addRow(text, field)
        self.add(form)
        self.add(self.notice)

    def list_runs(self, records: list[RunRecord]) -> None:
        """Offer these runs, the first one where the chosen one is gone."""
        names = [record.name for record in records]
        if [self.run.itemText(at) for at in range(self.run.count())] == names:
            return
        kept = self.run.currentText()
        with QSignalBlocker(self.run):
            self.run.clear()
            self.run.addItems(names)
            self.run.setCurrentIndex(max(self.run.findText(kept), 0) if names else -1)

    def values(self) -> dict[str, Any]:
        """What is chosen."""
        return {
            "run": self.run.currentText(),
            "method": self.method.currentData(),
            "colour": self.color.currentData(),
            "splits": [split for split, chip in self.splits.items() if chip.isChecked()],
        }

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Choose these, those of them that there are."""
        for name, box in (("method", self.method), ("colour", self.color), ("run", self.run)):
            wanted = values.get(name)
            at = self.run.findText(str(wanted)) if box is self.run else box.findData(wanted)
            if at >= 0:
                box.setCurrentIndex(at)
        splits = values.get("splits")
        if isinstance(splits, list) and set(splits) & set(SPLITS):
            for split, chip in self.splits.items():
                with QSignalBlocker(self):
                    chip.setChecked(split in splits)

    def show_methods(self, methods: Mapping[str, str]) -> None:
        """Gray out the maps that cannot be made here, and say why."""
        model = self.method.model()
        for at in range(self.method.count()):
            why = methods.get(self.method.itemData(at), "")
            self.method.setItemData(at, why, Qt.ItemDataRole.ToolTipRole)
            item = model.item(at) if isinstance(model, QStandardItemModel) else None
            if item is not None:
                item.setEnabled(not why)

    def _on_split_toggled(self) -> None:
        """At least one stays."""
        if not any(chip.isChecked() for chip in self.splits.values()):
            sender = self.sender()
            if isinstance(sender, FilterChip):
                sender.setChecked(True)
            return
        self.changed.emit()
