"""What the user does with the scans: adds, changes, turns to and takes away."""

from PySide6.QtCore import QObject, Signal

from gui.panels.layers.controller import LayersController
from gui.panels.layers.presenter import LayersPresenter
from gui.panels.layers.scans import ScanRef
from gui.panels.layers.state import MOST_SCANS


class ScanActions(QObject):
    """Every change of the scans goes through here; changed says that another one is looked at."""

    changed = Signal()

    def __init__(self, showing: LayersPresenter, actions: LayersController) -> None:
        super().__init__(actions)
        self._showing, self._choice, self._actions = showing, showing.choice, actions

    def select_scan(self, at: int) -> None:
        """Look at another of the scans."""
        self._choice.at = at
        self._actions.request_activations()
        self.changed.emit()

    def set_scans(self, scans: list[ScanRef], at: int) -> None:
        """Have these scans, and stand at one of them."""
        self._choice.scans = scans[:MOST_SCANS]
        self.select_scan(min(max(at, 0), max(len(self._choice.scans) - 1, 0)))

    def change_scan(self, scan: ScanRef) -> None:
        """Put another scan in the place of the chosen one."""
        scans = list(self._choice.scans)
        scans[self._choice.at : self._choice.at + 1] = [scan]
        self.set_scans(scans, self._choice.at)

    def add_scan(self, scan: ScanRef | None) -> None:
        """Have one more; where there is no room, the last one gives way."""
        scans = self._choice.scans
        if scan is not None:
            kept = scans[: MOST_SCANS - 1]
            self.set_scans([*kept, scan], len(kept))

    def add_next(self) -> None:
        """Have the next scan of the data set that is not among them."""
        self.add_scan(self._showing.cards.scans.picker.after({scan.key for scan in self._choice.scans}))

    def remove_scan(self) -> None:
        """Take the chosen scan away, unless it is the only one."""
        scans, at = list(self._choice.scans), self._choice.at
        if len(scans) > 1:
            del scans[at]
            self.set_scans(scans, min(at, len(scans) - 1))
