"""Which running trials are given up: the median rule, in an order that time has no say in."""

from engine.runs import Run
from engine.search import standing
from engine.search.folder import Search
from engine.search.trials import Trials


class Judge:
    """Compares the curve of a trial with those of trials that are over.

    Args:
        search: where the runs lie.
        trials: of the search.
    """

    def __init__(self, search: Search, trials: Trials) -> None:
        self.search, self.trials = search, trials
        self._curves: dict[int, list[float]] = {}

    def hopeless_at(self, number: int, run: Run, curve: list[float]) -> int | None:
        """The epoch after which a trial is hopeless; None while there is hope, or when nobody asked for early stopping.

        It is judged by the trials that are surely over by then, K running side by side: all up to its number - K.

        Args:
            number: of the trial.
            run: its run.
            curve: its validation losses so far, one an epoch.
        """
        settings = self.trials.plan.settings
        if not settings.early_stopping:
            return None
        before = number - settings.parallel
        for row in self.trials.all():
            if row.number <= before and row.score is not None and row.number not in self._curves:
                self._curves[row.number] = standing.losses(Run(self.search.root / row.run))[: row.epochs]
        epoch = standing.hopeless_at(curve, [self._curves[known] for known in self._curves if known <= before])
        return epoch if epoch is not None and epoch < run.config.training.epochs else None
