"""What else there is to ask of a channel or a network, a page each."""

from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout

from gui.panels.layers.channel_pages import KernelsPage, PreferredInputPage, TopActivationsPage
from gui.panels.layers.compare_page import ComparePage
from gui.panels.layers.lesion_page import LesionPage
from gui.panels.layers.page import LayersPage
from gui.panels.layers.presenter import LayersPresenter
from gui.panels.layers.saliency_page import SaliencyPage
from gui.widgets.card import PADDING
from gui.widgets.chip import FilterChip

PAGES_PX = 178


class ChannelToolsCard(QFrame):
    """The page that is seen follows what is chosen; the others ask nothing."""

    def __init__(self, showing: LayersPresenter) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.lesion, self.both, self.favorites = LesionPage(showing), ComparePage(showing), TopActivationsPage(showing)
        self.kernels, self.preferred = KernelsPage(showing), PreferredInputPage(showing)
        self.saliency = SaliencyPage(showing)
        self.pages: tuple[LayersPage, ...] = (
            *(self.lesion, self.kernels, self.favorites, self.preferred, self.saliency, self.both),
        )
        self._stack, self._group = QStackedWidget(), QButtonGroup(self)
        self._stack.setFixedHeight(PAGES_PX)
        line = QHBoxLayout()
        line.setSpacing(6)
        self.chips = []
        for at, page in enumerate(self.pages):
            chip = FilterChip(page.title, checked=not at)
            self.chips.append(chip)
            self._group.addButton(chip, at)
            line.addWidget(chip)
            self._stack.addWidget(page)
        line.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(PADDING, PADDING - 2, PADDING, PADDING)
        column.setSpacing(10)
        column.addLayout(line)
        column.addWidget(self._stack)
        self._group.idToggled.connect(self._on_toggled)
        self.setAccessibleName("more about the channel")

    def page(self) -> LayersPage:
        """The page that is seen."""
        return self.pages[self._stack.currentIndex()]

    def choose(self, page: LayersPage) -> None:
        self.chips[self.pages.index(page)].setChecked(True)

    def follow(self) -> None:
        """Turn the page that is seen to what is chosen now, once that is there."""
        if self.lesion.presenter.seen is not None or self.page() is self.lesion:
            self.page().refresh()

    def _on_toggled(self, at: int, on: bool) -> None:
        if on:
            self.page().deactivate()
            self._stack.setCurrentIndex(at)
            self.follow()
