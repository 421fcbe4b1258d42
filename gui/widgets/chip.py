"""Chips: a short fact in a frame, or a filter that switches on and off."""

from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from gui.widgets.elided_label import ElidedLabel
from gui.widgets.labels import set_style_property

Tone = Literal["", "accent", "warning", "danger"]


class Chip(ElidedLabel):
    """Short fact in a frame."""

    def __init__(self, text: str = "", tone: Tone = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent=parent)
        self.setProperty("kind", "chip")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.set_tone(tone)

    def set_tone(self, tone: Tone) -> None:
        set_style_property(self, tone=tone)


class FilterChip(QPushButton):
    """Small button that stays pressed; a check mark shows this as well as the color."""

    def __init__(self, text: str, checked: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._text = text
        self.setProperty("kind", "chip")
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text)
        self.toggled.connect(self._show_state)
        self.setChecked(checked)

    def _show_state(self, checked: bool) -> None:
        self.setText(f"✓ {self._text}" if checked else self._text)
