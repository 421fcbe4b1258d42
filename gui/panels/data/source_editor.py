"""The editor of a source: phantoms, a folder, or a Hugging Face dataset."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from gui.widgets.buttons import IconButton

PHANTOM, FOLDER, HUB = "phantom", "folder", "hf"
TITLES = {PHANTOM: "Phantoms", FOLDER: "Folder", HUB: "Hugging Face"}
EXAMPLE = "benschill/brain-tumor-collection"
PREFIX = "hf:"


def kind_of(source: str) -> str:
    """Return the kind of a source from its notation."""
    return PHANTOM if source == PHANTOM else HUB if source.startswith(PREFIX) else FOLDER


class SourceEditor(QWidget):
    """An editor with a kind and, below it, the location; each kind keeps its typed text."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind, self.place, self.browse = QComboBox(), QLineEdit(), IconButton("folder", "Browse for a folder")
        self.ask_folder: Callable[[QWidget, str, str], str] = QFileDialog.getExistingDirectory
        self._typed = {PHANTOM: "", FOLDER: "", HUB: EXAMPLE}
        for kind, title in TITLES.items():
            self.kind.addItem(title, kind)
        self.place.setAccessibleName("Folder or dataset")
        self.kind.setAccessibleName("Source type")
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.place, 1)
        row.addWidget(self.browse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.kind)
        column.addLayout(row)
        self.setFocusProxy(self.kind)
        self.kind.activated.connect(self._on_kind_activated)
        self.place.textEdited.connect(self._on_place_edited)
        self.browse.clicked.connect(self._on_browse_clicked)
        self._show_kind()

    def value(self) -> Any:
        """Return the source in the engine's notation."""
        kind, place = self.kind.currentData(), self.place.text().strip()
        if kind == PHANTOM:
            return PHANTOM
        return PREFIX + place if kind == HUB else place

    def set_value(self, value: Any) -> None:
        kind = kind_of(str(value))
        if kind != PHANTOM:
            self._typed[kind] = str(value).removeprefix(PREFIX)
        with QSignalBlocker(self.kind):
            self.kind.setCurrentIndex(self.kind.findData(kind))
        self._show_kind()

    def _show_kind(self) -> None:
        kind = self.kind.currentData()
        if self.place.text() != self._typed[kind]:
            self.place.setText(self._typed[kind])
        self.place.setPlaceholderText("path to a folder" if kind == FOLDER else "owner/name")
        self.place.setToolTip(self._typed[kind])
        self.place.setVisible(kind != PHANTOM)
        self.browse.setVisible(kind == FOLDER)

    def _on_kind_activated(self) -> None:
        self._show_kind()
        self.edited.emit()

    def _on_place_edited(self, text: str) -> None:
        self._typed[self.kind.currentData()] = text
        self.edited.emit()

    def _on_browse_clicked(self) -> None:
        folder = self.ask_folder(self, "Choose a folder of images", self.place.text() or str(Path.home()))
        if folder:
            self.place.setText(folder)
            self._on_place_edited(folder)
