"""One scan from a file, in the place of the data set."""

from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider

from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.text import label

KINDS = {"picture": "Picture", "dicom": "DICOM", "nifti": "NIfTI"}


@dataclass(frozen=True)
class OpenedScan:
    """A file, its slices, and what is known of it."""

    path: str
    name: str
    kind: str
    slices: int
    orientation: str | None
    notes: tuple[str, ...]
    slice: int

    @property
    def title(self) -> str:
        return f"{self.name} · slice {self.slice + 1} of {self.slices}" if self.slices > 1 else self.name


def from_answer(path: str, content: dict[str, Any]) -> OpenedScan:
    """Read an answer to OpenScan; the middle slice is shown first."""
    letters = content["orientation"]
    return OpenedScan(
        path=path,
        name=content["name"],
        kind=content["kind"],
        slices=content["slices"],
        orientation="".join(letters) if letters else None,
        notes=tuple(content["notes"]),
        slice=content["slices"] // 2,
    )


def orientation_text(letters: str | None) -> str:
    """Return what is at the four sides, in words."""
    if letters is None:
        return "Orientation unknown."
    sides = zip(("left", "right", "top", "bottom"), letters, strict=True)
    return f"Orientation: {', '.join(f'{side} {letter}' for side, letter in sides)}."


class ScanCard(Card):
    """Name, slice slider, orientation, notes, and the way back."""

    slice_changed = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__("Scan")
        self._scan: OpenedScan | None = None
        self.name, self._facts = label(wrap=True), label(role="caption", wrap=True)
        self.slider, self._at, self.back = (
            QSlider(Qt.Orientation.Horizontal),
            label(role="caption"),
            Button("Back to the data set"),
        )
        self.slider.setAccessibleName("slice")
        line = QHBoxLayout()
        line.addWidget(self.slider, 1)
        line.addWidget(self._at)
        for part in (self.name, line, self._facts):
            self.add(part)
        self.body.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        self.slider.valueChanged.connect(self._on_slider_changed)
        self.back.clicked.connect(self.closed)
        self.hide()

    def show_scan(self, scan: OpenedScan | None) -> None:
        self._scan = scan
        self.setVisible(scan is not None)
        if scan is None:
            return
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, scan.slices - 1)
            self.slider.setValue(scan.slice)
        for part in (self.slider, self._at):
            part.setVisible(scan.slices > 1)
        self._at.setText(f"{scan.slice + 1} / {scan.slices}")
        self.name.setText(scan.name)
        kind = KINDS.get(scan.kind, scan.kind)
        self._facts.setText("\n".join([f"{kind}. {orientation_text(scan.orientation)}", *scan.notes]))

    def _on_slider_changed(self, value: int) -> None:
        if self._scan is not None:
            self._scan = replace(self._scan, slice=value)
            self._at.setText(f"{value + 1} / {self._scan.slices}")
            self.slice_changed.emit(self._scan)
