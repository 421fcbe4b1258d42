"""The dialog that shows duplicate images side by side."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from engine.messages import (
    DuplicateGroup,
    GroupedImage,
    LabelConflict,
    LabeledImage,
    NearDuplicate,
    NearDuplicateGroup,
)
from gui.formatting import format_count
from gui.loaded_data import PARTS, LoadedData
from gui.widgets.image_grid import ImageGrid
from gui.widgets.labels import FilterChip, label
from gui.widgets.number_model import TableColumn, TableRow
from gui.widgets.number_table import NumberTable

GROUPS = (TableColumn("First image", str, False), TableColumn("Kind", str, False), TableColumn("Images"))
MEMBERS = (
    TableColumn("File", str, False),
    TableColumn("Set", str, False),
    TableColumn("Difference or label", str, False),
)
PICTURE_PX = 190
FIRST = "first of the group"
KINDS = {"identical": "identical pixels", "near": "near-duplicates", "labels": "conflicting labels"}
LEFT_OUT = "left out"


class DuplicatesDialog(QDialog):
    """Groups at the left; at the right the images of the selected one and how they differ."""

    def __init__(self, data: LoadedData, groups: Sequence[DuplicateGroup | LabelConflict], parent: QWidget) -> None:
        super().__init__(parent)
        self._data, self._groups = data, groups
        self._rows = {name: row for row, name in enumerate(data.names)}
        self.across = FilterChip("across training and test", checked=any(map(_leaks, groups)))
        self.kinds = {kind: FilterChip(title) for kind, title in KINDS.items()}
        self.table, self.members = NumberTable(GROUPS, sortable=True), NumberTable(MEMBERS)
        self.pictures, self.count = ImageGrid(PICTURE_PX), label(role="caption")
        self.setWindowTitle(f"Duplicate images in {data.title}")
        self.resize(1160, 720)
        self._lay_out()
        for chip in (self.across, *self.kinds.values()):
            chip.toggled.connect(self.refresh)
        self.table.chosen.connect(self._on_chosen)
        self.finished.connect(self.deleteLater)
        self.refresh()
        self.table.setFocus()

    def _lay_out(self) -> None:
        self.table.setAccessibleName("groups of duplicate images")
        self.members.setAccessibleName("images of the group")
        self.pictures.setAccessibleName("thumbnails of the group")
        self.table.setSelectionMode(NumberTable.SelectionMode.SingleSelection)
        chips, column, split = QHBoxLayout(), QVBoxLayout(self), QSplitter(Qt.Orientation.Horizontal)
        for part in (self.across, *self.kinds.values(), self.count):
            chips.addWidget(part)
        chips.addStretch()
        right = QSplitter(Qt.Orientation.Vertical)
        right.addWidget(self.pictures)
        right.addWidget(self.members)
        right.setSizes([430, 200])
        split.addWidget(self.table)
        split.addWidget(right)
        split.setSizes([440, 680])
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column.addLayout(chips)
        column.addWidget(split, 1)
        column.addWidget(buttons)

    def shown(self) -> list[int]:
        """Return the numbers of the groups that the chips let through."""
        kinds = [kind for kind, chip in self.kinds.items() if chip.isChecked()] or list(KINDS)
        return [
            number
            for number, group in enumerate(self._groups)
            if _kind(group) in kinds and (_leaks(group) or not self.across.isChecked())
        ]

    def refresh(self) -> None:
        """Show the groups that the chips let through; select the first if none is selected."""
        shown = self.shown()
        self.table.set_rows([self._row(number) for number in shown])
        self.count.setText(f"{format_count(len(shown))} of {format_count(len(self._groups))} groups")
        if shown and not self.table.chosen_keys():
            self.table.select([str(shown[0])])
        if not shown:
            self._show([])

    def _row(self, number: int) -> TableRow:
        group = self._groups[number]
        names = [member.name for member in group.members]
        return TableRow(
            str(number), (names[0].split("/", 1)[-1], KINDS[_kind(group)], len(names)), tip="\n".join(names)
        )

    def _on_chosen(self, keys: list[str]) -> None:
        if keys:
            self._show(self._groups[int(keys[0])].members)

    def _show(self, members: Sequence[GroupedImage]) -> None:
        """Show the images of one group, and how each differs."""
        differences = [
            describe_difference(member) or (FIRST if at == 0 else "identical pixels")
            for at, member in enumerate(members)
        ]
        self.members.set_rows(
            [
                TableRow(member.name, (member.name, PARTS.get(member.split, LEFT_OUT), what), tip=tip(member, what))
                for member, what in zip(members, differences, strict=True)
            ]
        )
        members = [member for member in members if member.name in self._rows]
        pictures = [self._data.thumbnails[self._rows[member.name]] for member in members]
        captions = [f"{PARTS[member.split]} · {short(member.name)}" for member in members]
        self.pictures.set_images(np.stack(pictures) if pictures else np.zeros((0, 1, 1), np.uint8), captions)


def describe_difference(member: GroupedImage) -> str:
    """Return how a near-duplicate differs from its first image, or the label in a conflict; empty if neither."""
    if isinstance(member, LabeledImage):
        return member.label
    return ", ".join(member.seen) if isinstance(member, NearDuplicate) else ""


def tip(member: GroupedImage, what: str) -> str:
    """Return all that is known of an image of a group."""
    compared = isinstance(member, NearDuplicate) and member.like
    return "\n".join(filter(None, (member.name, f"{what}, compared with {compared}" if compared else what)))


def _leaks(group: DuplicateGroup | LabelConflict) -> bool:
    return isinstance(group, DuplicateGroup) and group.across


def _kind(group: DuplicateGroup | LabelConflict) -> str:
    if isinstance(group, LabelConflict):
        return "labels"
    return "near" if isinstance(group, NearDuplicateGroup) else "identical"


def short(name: str) -> str:
    """Return the file name alone; its folders are in the table and in the tooltip."""
    return name.rsplit("/", 1)[-1]
