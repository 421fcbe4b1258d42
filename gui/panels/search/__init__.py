"""The Search panel: a space put together, trials watched as lines, table and curves, the good ones looked at."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget

from engine.messages import Search
from gui.panel import Desk, Panel, column_of
from gui.panels.search.actions import Actions
from gui.panels.search.change_card import ChangeCard
from gui.panels.search.order_card import OrderCard
from gui.panels.search.plot_card import PlotCard
from gui.panels.search.trials_card import TrialsCard
from gui.panels.search.watch import Watch
from gui.theme import GAP


class SearchPanel(Panel):
    """What is searched at the left, how it goes in the middle, what it comes to at the right."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.watch = Watch(self.session, self)
        self.doing = Actions(desk, self.watch, self)
        self.order, self.change = OrderCard(desk), ChangeCard(desk)
        self.plot, self.trials = PlotCard(), TrialsCard()
        self.left, self.splitter = QStackedWidget(), QSplitter(Qt.Orientation.Vertical)
        self._shown_name = ""
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        for card in (self.order, self.change):
            self.left.addWidget(column_of(card))
        for part in (self.plot, self.trials):
            self.splitter.addWidget(part)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(GAP)
        self.splitter.setSizes([430, 340])
        self.place(self.left, self.splitter)

    def _connect(self) -> None:
        watch, do, plot, trials = self.watch, self.doing, self.plot, self.trials
        watch.changed.connect(self.refresh)
        watch.said.connect(plot.notice.show_notice)
        do.said.connect(lambda text, kind: plot.notice.show_notice(text, kind))
        self.shown.connect(lambda: watch.set_awake(True))
        self.session.runs_changed.connect(self.refresh)
        self.order.wanted.connect(self._on_wanted)
        self.order.changed.connect(self.remembered)
        self.change.applied.connect(do.apply)
        plot.chosen.connect(self.open)
        plot.new_wanted.connect(lambda: self.open(""))
        plot.settings.toggled.connect(self.left.setVisible)
        plot.go_on_wanted.connect(lambda: do.go_on())
        plot.pause_wanted.connect(do.pause)
        plot.stop_wanted.connect(do.stop)
        trials.stop_wanted.connect(lambda number: do.wish("stop-trial", number))
        trials.compare_wanted.connect(self._on_compare_wanted)
        trials.keep_wanted.connect(do.keep)
        trials.enqueue_wanted.connect(do.try_by_hand)

    def open(self, name: str) -> None:
        """Look at a search, or put a new one together for an empty name."""
        self.plot.notice.show_notice("")
        self.watch.open(name)
        self.remembered.emit()

    def refresh(self) -> None:
        """Show what is known of the search that is looked at."""
        found, name = self.watch.found, self.watch.name
        self.plot.show_names(self.watch.names(), name)
        self.plot.show_found(found, self.session.job)
        self.change.show_found(found)
        self.left.setCurrentIndex(int(found is not None))
        if name != self._shown_name:
            self._shown_name = name
            self.plot.settings.setChecked(not name)
        self.left.setVisible(not name or self.plot.settings.isChecked())
        self.trials.show_found(found)

    def show_wish(self, what: Any) -> None:
        """Open a search, or go on with it."""
        kind, name = what
        self.open(name)
        if kind == "resume" and self.watch.found is not None:
            self.doing.go_on()

    def memory(self) -> dict[str, Any]:
        return {"search": self.watch.name, "order": self.order.memory(), "sizes": self.splitter.sizes()}

    def recall(self, kept: dict[str, Any]) -> None:
        if isinstance(kept.get("order"), dict):
            self.order.recall(kept["order"])
        sizes = kept.get("sizes")
        if isinstance(sizes, list) and sum(size for size in sizes if isinstance(size, int)) > 0:
            self.splitter.setSizes([size for size in sizes if isinstance(size, int)])
        if kept.get("search") in self.watch.names():
            self.open(kept["search"])

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.watch.set_awake(False)

    def _on_wanted(self, order: Search) -> None:
        self.doing.begin(order)
        self.remembered.emit()

    def _on_compare_wanted(self, numbers: list[int]) -> None:
        found = self.watch.found
        runs = [trial.run for trial in found.trials if trial.number in numbers and trial.run] if found else []
        self.wished.emit("compare", ("runs", runs))
