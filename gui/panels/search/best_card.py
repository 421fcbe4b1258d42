"""The best score so far, trial by trial."""

from gui.formatting import format_number
from gui.panels.search.plot_data import running_best
from gui.panels.search.snapshot import SearchSnapshot
from gui.panels.search.trial_rows import score_title
from gui.widgets.card import Card
from gui.widgets.curves.plot import CurvePlot
from gui.widgets.curves.series import SeriesStyle

EMPTY = "The best validation loss appears here after the first finished trial."
KEY = "best so far"


class BestCard(Card):
    """The running best score as a falling line; where it is level, no trial improved it."""

    def __init__(self) -> None:
        super().__init__("Best so far")
        self.plot = CurvePlot("validation loss", "trial")
        self.plot.set_empty_text(EMPTY)
        self.plot.canvas.setMinimumHeight(110)
        self.add(self.plot, 1)

    def set_snapshot(self, found: SearchSnapshot | None) -> None:
        numbers, bests = running_best(found) if found else ([], [])
        if found and numbers:
            self.plot.canvas.set_x_limit(numbers[-1])
            self.plot.set_series(KEY, numbers, bests, SeriesStyle(score_title(found), "role:accent"))
            self.plot.mark_best(KEY, found.best.number if found.best else None)
        else:
            self.plot.keep_series([])
        best = found.best if found else None
        self.set_subtitle(f"{format_number(best.score)} in trial {best.number}" if best else "")
