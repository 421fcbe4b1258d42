"""The trials in a table: those that the brush leaves, in the order of any column."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu

from gui.panels.search.found import Found
from gui.panels.search.trial_rows import columns, rows, score_title
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.number_table import NumberTable
from gui.widgets.text import label

EMPTY = "The trials stand here once the search proposes them."
STATE = -1


class TrialsCard(Card):
    """Number, values, score, time and what became of each trial; the chosen one is looked at beside."""

    chosen = Signal(int)
    hovered = Signal(str)
    stop_wanted = Signal(int)
    keep_wanted = Signal(int)
    compare_wanted = Signal(list)
    enqueue_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("Trials")
        self.table = NumberTable([], sortable=True)
        self.table.setAccessibleName("trials")
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.enqueue = Button("Try by hand…", icon_name="plus")
        self.empty = label(EMPTY, role="quiet", wrap=True)
        self.add_action(self.enqueue)
        self.add(self.empty)
        self.add(self.table, 1)
        self._found: Found | None = None
        self._shape: tuple[object, ...] = ()
        self.table.chosen.connect(lambda keys: self.chosen.emit(int(keys[-1])) if keys else None)
        self.table.hovered.connect(self.hovered)
        self.table.customContextMenuRequested.connect(self._on_menu_wanted)
        self.enqueue.clicked.connect(self.enqueue_wanted)
        self.show_found(None)

    def show_found(self, found: Found | None, kept: Sequence[str] | None = None) -> None:
        """Show the trials that are kept, all of them for None."""
        self._found = found
        self.enqueue.setVisible(found is not None)
        self.empty.setVisible(found is None or not found.trials)
        self.table.setVisible(found is not None and bool(found.trials))
        if found is None:
            self.set_subtitle("")
            return
        self._shape_for(found)
        shown = rows(found, kept)
        self.table.set_rows(shown)
        brushed = kept is not None and len(shown) < len(found.trials)
        self.set_subtitle(f"{len(shown)} of {len(found.trials)} brushed" if brushed else str(len(found.trials) or ""))

    def _shape_for(self, found: Found) -> None:
        """Have the columns of this search, the best trials first."""
        wanted = columns(found)
        shape = (found.search.path, *(column.title for column in wanted))
        if shape != self._shape:
            self._shape = shape
            self.table.set_columns(wanted, STATE)
            at = [column.title for column in wanted].index(score_title(found))
            self.table.sortByColumn(at, Qt.SortOrder.AscendingOrder)

    def choose(self, number: int) -> None:
        """Choose one trial."""
        if self.table.chosen_keys() != [str(number)]:
            self.table.choose([str(number)])

    def menu(self, number: int) -> QMenu:
        """What can be done with a trial now."""
        menu, found = QMenu(self), self._found
        trial = found.trial(number) if found else None
        is_over = trial is not None and trial.is_over
        has_model = trial is not None and trial.score is not None
        stop = menu.addAction("Stop this trial", lambda: self.stop_wanted.emit(number))
        stop.setEnabled(trial is not None and not is_over and found is not None and found.busy)
        keep = menu.addAction("Keep as run…", lambda: self.keep_wanted.emit(number))
        keep.setEnabled(is_over and has_model)
        chosen = [int(key) for key in self.table.chosen_keys()] or [number]
        compare = menu.addAction("Open in Compare", lambda: self.compare_wanted.emit(chosen))
        compare.setEnabled(bool(trial and trial.epochs))
        return menu

    def _on_menu_wanted(self, at: QPoint) -> None:
        key = self.table.key_at(at) or next(iter(self.table.chosen_keys()), None)  # the menu key points nowhere
        if key is not None:
            menu = self.menu(int(key))
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(self.table.viewport().mapToGlobal(at))
