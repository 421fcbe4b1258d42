"""Which running trials are given up: the median rule, in an order that time has no say in."""

from engine.runs import Run
from engine.search import statistics
from engine.search.folder import SearchFolder
from engine.search.scheduler import TrialScheduler


class MedianPruner:
    """Compares the curve of a trial with those of trials that are over.

    Args:
        search: where the runs lie.
        trials: of the search.
    """

    def __init__(self, search: SearchFolder, trials: TrialScheduler) -> None:
        self.search, self.trials = search, trials
        self._curves: dict[int, list[float]] = {}

    def find_prune_epoch(self, number: int, run: Run, curve: list[float]) -> int | None:
        """The epoch after which a trial is hopeless; None while there is hope, or when nobody asked for early stopping.

        It is judged by the trials that are surely over by then, K running side by side: all up to its number - K.

        Args:
            number: of the trial.
            run: its run.
            curve: its validation losses so far, one an epoch.
        """
        settings = self.trials.spec.settings
        if not settings.early_stopping:
            return None
        before = number - settings.parallel
        for row in self.trials.all():
            if row.number <= before and row.score is not None and row.number not in self._curves:
                self._curves[row.number] = statistics.list_val_losses(Run(self.search.root / row.run))[: row.epochs]
        epoch = statistics.find_prune_epoch(curve, [self._curves[known] for known in self._curves if known <= before])
        return epoch if epoch is not None and epoch < run.config.training.epochs else None
