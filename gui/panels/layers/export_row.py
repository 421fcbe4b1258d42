"""What can be taken away: the figure, the numbers, a script."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from gui.widgets.buttons import Button


class ExportRow(QWidget):
    """Three buttons."""

    figure_wanted = Signal()
    numbers_wanted = Signal()
    copy_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.figure, self.numbers, self.copy = Button("Figure…"), Button("Values…"), Button("Copy as Python")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        wishes = (self.figure_wanted, self.numbers_wanted, self.copy_wanted)
        tips = (
            "Save the channels as shown, as PNG or PDF",
            "Save statistics of every channel of the layer, as CSV",
            "Copy a Python script that computes the same",
        )
        for button, wish, tip in zip((self.figure, self.numbers, self.copy), wishes, tips, strict=True):
            button.clicked.connect(wish)
            button.setToolTip(tip)
            button.setProperty("kind", "chip")
            line.addWidget(button)
        line.addStretch()
