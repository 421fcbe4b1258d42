"""One channel, large: its values, its color bar, and its statistics over the dataset."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel

from gui.formatting import format_number, format_percent
from gui.panels.layers.channel_order import ColorScale, Numbers
from gui.panels.layers.network import LayerSummary
from gui.pixmaps import Array
from gui.widgets.box_overlay import BoxOverlay
from gui.widgets.card import Card
from gui.widgets.color_bar import ColorBar
from gui.widgets.image_view import ImageView
from gui.widgets.labels import label
from gui.widgets.view_state import ViewState

PICTURE_PX = 258
NAMES = ("Mean", "SD", "Zeros", "Min to max", "Receptive field", "Kernel", "Parameters of the layer")
NONE = "\u2014"


class ChannelCard(Card):
    """A card with its own view state; hovering reports the unit under the cursor, a click selects it."""

    hovered = Signal(int, int)
    # row, column
    unit_chosen = Signal(int, int)
    hover_ended = Signal()

    def __init__(self, state: ViewState) -> None:
        super().__init__("Channel")
        self.view, self.bar = ImageView(state), ColorBar()
        self.unit = BoxOverlay(self.view)
        self.source = label(role="caption", wrap=True)
        self.values: dict[str, QLabel] = {}
        self.view.setFixedHeight(PICTURE_PX)
        self.view.set_orientation("")
        self.view.set_empty_text("Choose a run and a layer.")
        self.view.hovered.connect(self.hovered)
        self.view.hover_ended.connect(self.hover_ended)
        self.view.clicked.connect(lambda x, y: self.unit_chosen.emit(y, x))
        for part in (self.view, self.bar):
            self.add(part)
        self._add_facts()
        self.add(self.source)

    def _add_facts(self) -> None:
        grid = QGridLayout()
        grid.setVerticalSpacing(3)
        for row, name in enumerate(NAMES):
            value = self.values[name] = label()
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(label(name, role="quiet"), row, 0)
            grid.addWidget(value, row, 1)
        grid.setColumnStretch(1, 1)
        self.add(grid)

    def show_channel(self, channel: int, values: Array, limits: tuple[float, float], color_scale: ColorScale) -> None:
        """Show the values of one channel, (h, w), with colors between its limits."""
        low, high = limits
        self.set_title(f"Channel {channel}")
        self.view.state.set_default_view(window=high - low, level=(low + high) / 2, limit=max(abs(low), abs(high)))
        self.view.set_image(np.asarray(values), color_scale.scale)
        self.view.setAccessibleName(f"channel {channel}, from {format_number(low, 3)} to {format_number(high, 3)}")
        self.bar.set_range(color_scale.scale, low, high)

    def mark(self, unit: tuple[int, int] | None) -> None:
        """Draw a box around a unit, (row, column), or none."""
        self.unit.set_box((unit[1], unit[0], 1, 1) if unit else None)

    def show_nothing(self, text: str) -> None:
        """Show a text in place of the image."""
        self.set_title("Channel")
        self.view.set_image(None)
        self.view.set_empty_text(text)
        for value in self.values.values():
            value.setText(NONE)
        self.source.setText("")

    def show_facts(self, layer: LayerSummary | None, numbers: Numbers, channel: int, source: str) -> None:
        """Show the statistics of the channel and the facts of its layer; `source` says what the statistics cover."""
        facts = dict.fromkeys(NAMES, NONE) | _numbers(numbers, channel)
        if layer is not None:
            facts["Receptive field"] = layer.field_text
            facts["Kernel"] = layer.kernel_text or NONE
            facts["Parameters of the layer"] = format_number(layer.parameters)
        for name, text in facts.items():
            self.values[name].setText(text)
        self.source.setText(source)


def _numbers(numbers: Numbers, channel: int) -> dict[str, str]:
    """Return the statistics of one channel as texts, without those that are unknown."""

    def one(name: str) -> float | None:
        values: Sequence[float] | None = numbers.get(name)  # type: ignore[assignment]
        return float(values[channel]) if values is not None and channel < len(values) else None

    found = {"Mean": format_number(one("mean"), 3), "SD": format_number(one("spread"), 3)}
    zeros, low, high = one("zeros"), one("lowest"), one("highest")
    if zeros is not None:
        found["Zeros"] = format_percent(zeros)
    if low is not None and high is not None:
        found["Min to max"] = f"{format_number(low, 3)} to {format_number(high, 3)}"
    return found
