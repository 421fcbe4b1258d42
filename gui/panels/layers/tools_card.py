"""Further tools for a channel or a network, one page each."""

from collections.abc import Mapping

from PySide6.QtCore import QObject
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QStackedWidget, QVBoxLayout

from gui.panels.layers.channel_pages import KernelsPage, PreferredInputPage, SaliencyPage, TopActivationsPage
from gui.panels.layers.compare_page import ComparePage
from gui.panels.layers.controller import LayersController
from gui.panels.layers.lesion_page import LesionPage
from gui.panels.layers.page import LayersPage
from gui.panels.layers.presenter import LayersPresenter
from gui.selection import ImageRef
from gui.widgets.card import PADDING
from gui.widgets.flow_layout import FlowLayout
from gui.widgets.labels import FilterChip

PAGES_PX, STACKED_PX = 178, 352
# Width of the card below which the lesion and its curve stand below each other.
NARROW_PX = 900


class ChannelToolsCard(QFrame):
    """A card of pages, of which the visible one follows the choice; the others request nothing."""

    def __init__(self, presenter: LayersPresenter) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.lesion, self.both = LesionPage(presenter), ComparePage(presenter)
        self.favorites = TopActivationsPage(presenter)
        self.kernels, self.preferred = KernelsPage(presenter), PreferredInputPage(presenter)
        self.saliency = SaliencyPage(presenter)
        self.pages: tuple[LayersPage, ...] = (
            *(self.lesion, self.kernels, self.favorites, self.preferred, self.saliency, self.both),
        )
        self._stack, self._group = QStackedWidget(), QButtonGroup(self)
        self._stack.setFixedHeight(PAGES_PX)
        line = FlowLayout(gap=6)
        self.chips = []
        for at, page in enumerate(self.pages):
            chip = FilterChip(page.title, checked=not at)
            self.chips.append(chip)
            self._group.addButton(chip, at)
            line.addWidget(chip)
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(PADDING, PADDING - 2, PADDING, PADDING)
        column.setSpacing(10)
        column.addLayout(line)
        column.addWidget(self._stack)
        self._group.idToggled.connect(self._on_toggled)
        self.setAccessibleName("more about the channel")

    def page(self) -> LayersPage:
        """Return the visible page."""
        return self.pages[self._stack.currentIndex()]

    def choose(self, page: LayersPage) -> None:
        self.chips[self.pages.index(page)].setChecked(True)

    def follow(self) -> None:
        """Refresh the visible page, once there are activations."""
        if self.lesion.presenter.seen is not None or self.page() is self.lesion:
            self.page().refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

    def _fit_height(self) -> None:
        """Give the page of the lesion the height that it needs in a narrow card."""
        is_stacked = self.width() < NARROW_PX
        self.lesion.set_stacked(is_stacked)
        self._stack.setFixedHeight(STACKED_PX if is_stacked and self.page() is self.lesion else PAGES_PX)

    def _on_toggled(self, at: int, on: bool) -> None:
        if on:
            self.page().deactivate()
            self._stack.setCurrentIndex(at)
            self._fit_height()
            self.follow()


class ToolsFollower(QObject):
    """The connection of the pages with the rest of the panel."""

    def __init__(self, more: ChannelToolsCard, controller: LayersController, parent: QObject) -> None:
        super().__init__(parent)
        self._more, self._controller = more, controller
        self._presenter = more.lesion.presenter
        self._runs: Mapping[str, str] = {}
        loader = self._presenter.loader
        self._presenter.shown.connect(self._on_shown)
        loader.network_found.connect(self._on_network_found)
        controller.layer_changed.connect(self._on_layer_changed)
        controller.channel_changed.connect(self._on_channel_changed)
        controller.unit_changed.connect(self._on_unit_changed)
        self._presenter.cards.channel.unit_chosen.connect(lambda row, column: controller.choose_unit((row, column)))
        more.saliency.whole_wanted.connect(lambda: controller.choose_unit(None))
        controller.scan_changed.connect(self._on_scan_changed)
        more.lesion.layer_wanted.connect(controller.choose_layer)
        more.both.network_wanted.connect(loader.open)
        more.favorites.scan_wanted.connect(self._on_scan_wanted)

    def offer(self, runs: Mapping[str, str]) -> None:
        """Offer runs to compare with, folder to name."""
        self._runs = runs
        self._more.both.offer(runs)

    def _on_shown(self, wanted: bool) -> None:
        """Refresh the page for new activations; those of another image matter to the comparison only."""
        if wanted or self._more.page() is self._more.both:
            self._more.follow()

    def _on_network_found(self) -> None:
        if self._more.page() is self._more.both:
            self._more.follow()

    def _on_layer_changed(self) -> None:
        self._presenter.set_other(None)
        self._more.both.offer(self._runs)

    def _on_channel_changed(self) -> None:
        if self._more.page() is not self._more.lesion:
            self._more.follow()

    def _on_unit_changed(self) -> None:
        """Show the saliency of the selected unit."""
        if self._more.page() is self._more.saliency:
            self._more.follow()
        elif self._presenter.choice.unit is not None:
            self._more.choose(self._more.saliency)

    def _on_scan_changed(self) -> None:
        self._more.lesion.show_scan()
        self._more.both.offer(self._runs)

    def _on_scan_wanted(self, split: str, index: int) -> None:
        data = self._presenter.cards.scans.picker.data
        if data is not None:
            self._controller.add_scan(ImageRef(data.names[int(data.rows(split)[index])], data.config, split, index))
