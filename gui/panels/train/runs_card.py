"""The card of runs in Train: the choice of those whose curves are shown."""

from PySide6.QtCore import Signal

from gui.run_list_view import RunListView
from gui.session import Session
from gui.widgets.card import Card
from gui.widgets.labels import label

EMPTY = "No runs yet. Press 'Start training'; runs are listed here."


class RunsCard(Card):
    """List of the runs; chosen carries the names of the selected ones."""

    chosen = Signal(list)
    state_changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__("Runs")
        self._session = session
        self.list = RunListView(session)
        self.table, self._empty = self.list.tree, label(EMPTY, role="quiet", wrap=True)
        self.add(self._empty)
        self.add(self.list, 1)
        self.table.chosen.connect(self.chosen)
        self.list.state_changed.connect(self.state_changed)
        self.refresh()

    def refresh(self) -> None:
        """Show how many runs there are; the list follows them by itself."""
        count = len(self._session.runs.records)
        self.set_subtitle(str(count) if count else "")
        self._empty.setVisible(not count)
        self.list.setVisible(bool(count))
