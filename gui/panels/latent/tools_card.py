"""The tools for the latent space, one page at a time."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QTabBar

from gui.panels.latent.group_page import GroupPage
from gui.panels.latent.latent_map import LatentState, Place
from gui.panels.latent.page import LatentPage
from gui.panels.latent.path_pages import InterpolationPage, TraversalPage
from gui.panels.latent.sampling_pages import PosteriorPage, SamplesPage
from gui.session import Session
from gui.widgets.card import Card

TITLES = {
    "group": ("Group", "Members and mean of a selection"),
    "between": ("Interpolation", "Interpolate between two images"),
    "walk": ("Traversal", "Vary one latent dimension"),
    "samples": ("Samples", "Generate synthetic images from the model"),
    "spread": ("Posterior SD", "SD of decoded posterior samples"),
}
NO_MAP = "The map is not ready yet."


class ToolsCard(Card):
    """A tab bar and its pages; only the visible page sends requests."""

    turned = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__("Explore")
        self.group, self.between = GroupPage(session), InterpolationPage(session)
        made: tuple[LatentPage, ...] = (
            self.group, self.between, TraversalPage(session), SamplesPage(session), PosteriorPage(session),
        )  # fmt: skip
        self.pages = {page.name: page for page in made}
        self.tabs, self._stack = QTabBar(), QStackedWidget()
        self._scene: LatentState | None = None
        self.tabs.setDrawBase(False)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideRight)
        self.tabs.setAccessibleName("latent space tools")
        for name, page in self.pages.items():
            title, tip = TITLES[name]
            self.tabs.setTabToolTip(self.tabs.addTab(title), tip)
            self._stack.addWidget(page)
            page.show_message(NO_MAP)
        self.add_action(self.tabs)
        self._stack.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)  # a small screen cuts it
        self.add(self._stack, 1)
        self.tabs.currentChanged.connect(self._on_tab_changed)

    def name(self) -> str:
        """Return the name of the visible page."""
        return list(self.pages)[self.tabs.currentIndex()]

    def page(self) -> LatentPage:
        """Return the visible page."""
        return self.pages[self.name()]

    def show_page(self, name: str) -> None:
        """Show a page."""
        if name in self.pages:
            self.tabs.setCurrentIndex(list(self.pages).index(name))

    def add_scan(self, place: Place) -> None:
        """Pass on that an image was selected."""
        self.between.add_endpoint(place)

    def set_state(self, scene: LatentState | None, message: str = NO_MAP) -> None:
        """Work on a scene, or show a message if there is none."""
        self._scene = scene
        if scene is None:
            for page in self.pages.values():
                page.scene = None
                page.request.reset()
                page.show_message(message)
        else:
            self.page().set_state(scene)

    def _on_tab_changed(self, at: int) -> None:
        self._stack.setCurrentIndex(at)
        if self._scene is not None:
            self.page().set_state(self._scene)
        self.turned.emit()
