"""All channels of the chosen layer, and one channel large, with its statistics over the dataset."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QSlider, QStackedWidget

from gui.formatting import format_number, format_percent
from gui.panel import NEARLY_ALL
from gui.panels.layers.network import LayerSummary
from gui.panels.layers.state import SORTS, ColorScale, Numbers
from gui.pixmaps import Array
from gui.widgets.buttons import IconButton
from gui.widgets.card import Card
from gui.widgets.channel_mosaic import TILE_PX, ChannelMosaic, MosaicData
from gui.widgets.color_bar import ColorBar
from gui.widgets.combo_boxes import ElidedComboBox
from gui.widgets.image_view import BoxOverlay, ImageView
from gui.widgets.labels import ElidedLabel, label
from gui.widgets.linked_images import LinkedImage, LinkedImages
from gui.widgets.view_state import ViewState

PICTURE_PX = 258
NAMES = ("Mean", "SD", "Zeros", "Min to max", "Receptive field", "Kernel", "Layer parameters")
NONE = "\u2014"
SCALES = {True: "Common scale", False: "Scale per channel"}
COLORS = {False: "Sequential colors", True: "Diverging colors"}
SHORT, ARROW_PX = 5, 54
MAX_LARGE = 4
BAR_PX, SLIDER_PX = 120, 84
# Width below which the header has no room for the color bar and the slider.
NARROW_PX = 830


def texts(box: QComboBox) -> list[str]:
    """Return the entries of a combo box."""
    return [box.itemText(at) for at in range(box.count())]


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
            value = self.values[name] = ElidedLabel()
            grid.addWidget(label(name, role="quiet"), row, 0)
            grid.addWidget(value, row, 1, Qt.AlignmentFlag.AlignRight)
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
            facts["Layer parameters"] = format_number(layer.parameters)
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


class TileSlider(QSlider):
    """Slider of the size of the channels, which fill the view until it is moved; a double-click lets them fill it."""

    def __init__(self, mosaic: ChannelMosaic) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._mosaic = mosaic
        self.setRange(*TILE_PX)
        self.setFixedWidth(SLIDER_PX)
        self.setAccessibleName("size of the channels")
        self.setToolTip("Size of the channels (Ctrl+wheel); double-click: as large as all of them fit")
        self.valueChanged.connect(mosaic.set_tile)
        mosaic.tile_changed.connect(self._show_size)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._mosaic.set_tile(None)

    def _show_size(self, side: int) -> None:
        with QSignalBlocker(self):
            self.setValue(side)


class MosaicCard(Card):
    """A card with order, scale and color map in the header; Enter enlarges the channel, and goes back."""

    sort_chosen = Signal(str)
    color_scale_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__("Channels")
        self.mosaic, self.large, self._has_bar = ChannelMosaic(), LinkedImages(MAX_LARGE), False
        self.sort, self.scale, self.colors = ElidedComboBox(), ElidedComboBox(), ElidedComboBox()
        self.bar, self.enlarge = ColorBar(), IconButton("maximise", "Enlarge the channel (Enter)", checkable=True)
        self.field = BoxOverlay(self.large.cells[0].view)
        self._pages, self._second_line = QStackedWidget(), QHBoxLayout()
        for page in (self.mosaic, self.large):
            self._pages.addWidget(page)
        self._second_line.addStretch(1)
        self.add(self._second_line)
        self.add(self._pages, 1)
        self._fill()
        self.bar.setFixedWidth(BAR_PX)
        self.tile = TileSlider(self.mosaic)
        for part in (self.bar, self.tile, self.sort, self.scale, self.colors, self.enlarge):
            self.add_action(part)
        for box in (self.sort, self.scale, self.colors):
            self._header.setStretchFactor(box, 1)
        self.mosaic.enlarge_wanted.connect(self.enlarge.toggle)
        self.large.close_wanted.connect(lambda: self.enlarge.setChecked(False))
        self.enlarge.toggled.connect(self._on_enlarged)

    def _fill(self) -> None:
        for key, title in SORTS.items():
            self.sort.addItem(f"By {title}", key)
        for shared, title in SCALES.items():
            self.scale.addItem(title, shared)
        for signed, title in COLORS.items():
            self.colors.addItem(title, signed)
        for box, name in ((self.sort, "order of the channels"), (self.scale, "scale"), (self.colors, "color map")):
            box.setAccessibleName(name)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(SHORT)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.setMaximumWidth(box.fontMetrics().horizontalAdvance(max(texts(box), key=len)) + ARROW_PX)
        self.sort.activated.connect(lambda _: self.sort_chosen.emit(self.sort.currentData()))
        for box in (self.scale, self.colors):
            box.activated.connect(
                lambda _: self.color_scale_chosen.emit(ColorScale(self.scale.currentData(), self.colors.currentData()))
            )

    def show_choice(self, sort: str, color_scale: ColorScale) -> None:
        """Show the chosen order and color scale."""
        self.sort.setCurrentIndex(self.sort.findData(sort))
        self.scale.setCurrentIndex(self.scale.findData(color_scale.shared))
        self.colors.setCurrentIndex(self.colors.findData(color_scale.signed))

    def show_channels(
        self, title: str, subtitle: str, channels: MosaicData, limits: tuple[float, float] | None
    ) -> None:
        """Show the channels of a layer; limits of the scale where one is for all of them."""
        self.set_title(title)
        self.set_subtitle(subtitle)
        self.mosaic.set_channels(channels)
        self._has_bar = limits is not None
        self._fit_header()
        if limits is not None:
            self.bar.set_range(channels.scale, *limits)

    def show_message(self, text: str) -> None:
        """Show a text in place of the channels."""
        self.set_title("Channels")
        self.set_subtitle("")
        self.enlarge.setChecked(False)
        self.mosaic.set_channels(None, text)
        self.bar.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_header()

    def _fit_header(self) -> None:
        """Give the choices of a narrow card a line of their own, and leave out the bar, which the channel has too."""
        is_wide = self.width() >= NARROW_PX
        self.bar.setVisible(is_wide and self._has_bar)
        self.tile.setVisible(is_wide)
        boxes = (self.sort, self.scale, self.colors)
        if is_wide == (self._second_line.count() == 1):
            return
        for place, box in enumerate(boxes):
            if is_wide:
                self._second_line.removeWidget(box)
                self._header.insertWidget(self._header.indexOf(self.enlarge), box, 1)
            else:
                self._header.removeWidget(box)
                self._second_line.insertWidget(place, box, NEARLY_ALL)

    def show_large(self, pictures: Sequence[LinkedImage]) -> None:
        self.large.show_pictures(pictures)

    def is_large(self) -> bool:
        return self._pages.currentWidget() is self.large

    def shown(self) -> QStackedWidget:
        """Return the widget that holds the images, for a figure."""
        return self._pages

    def _on_enlarged(self, on: bool) -> None:
        self._pages.setCurrentWidget(self.large if on else self.mosaic)
        (self.large.cells[1].view if on else self.mosaic).setFocus()
