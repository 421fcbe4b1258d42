"""All channels of the chosen layer, or one of them enlarged beside the image."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QStackedWidget

from gui.panels.layers.channel_order import SORTS, ColorScale
from gui.widgets.box_overlay import BoxOverlay
from gui.widgets.buttons import IconButton
from gui.widgets.card import Card
from gui.widgets.channel_mosaic import ChannelMosaic, MosaicData
from gui.widgets.color_bar import ColorBar
from gui.widgets.linked_images import LinkedImage, LinkedImages

SCALES = {True: "Common scale", False: "Scale per channel"}
COLORS = {False: "Sequential color map", True: "Diverging color map"}
MAX_LARGE = 4
BAR_PX = 120


class MosaicCard(Card):
    """Order, scale and color map are chosen in the header; Enter enlarges the channel, and goes back."""

    sort_chosen = Signal(str)
    color_scale_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__("Channels")
        self.mosaic, self.large = ChannelMosaic(), LinkedImages(MAX_LARGE)
        self.sort, self.scale, self.colors = QComboBox(), QComboBox(), QComboBox()
        self.bar, self.enlarge = ColorBar(), IconButton("maximise", "Enlarge the channel (Enter)", checkable=True)
        self.field = BoxOverlay(self.large.cells[0].view)
        self._pages = QStackedWidget()
        for page in (self.mosaic, self.large):
            self._pages.addWidget(page)
        self.add(self._pages, 1)
        self._fill()
        self.bar.setFixedWidth(BAR_PX)
        for part in (self.bar, self.sort, self.scale, self.colors, self.enlarge):
            self.add_action(part)
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
        self.bar.setVisible(limits is not None)
        if limits is not None:
            self.bar.set_range(channels.scale, *limits)

    def show_message(self, text: str) -> None:
        """Show a text in place of the channels."""
        self.set_title("Channels")
        self.set_subtitle("")
        self.enlarge.setChecked(False)
        self.mosaic.set_channels(None, text)
        self.bar.hide()

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
