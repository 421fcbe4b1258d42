"""The median rule for pruning trials, whose decisions do not depend on timing."""

from engine.runs import Run
from engine.search import statistics
from engine.search.folder import SearchFolder
from engine.search.scheduler import TrialScheduler


class MedianPruner:
    """Pruner that compares the loss curve of a trial with those of completed trials.

    Args:
        search: folder of the search.
        trials: the trials of the search.
    """

    def __init__(self, search: SearchFolder, trials: TrialScheduler) -> None:
        self.search, self.trials = search, trials
        self._curves: dict[int, list[float]] = {}

    def find_prune_epoch(self, number: int, run: Run, curve: list[float]) -> int | None:
        """Return the epoch at which to prune a trial. Returns None if it should continue, or early stopping is off.

        With K parallel trials, trial n is compared with the trials up to n - K, which have surely ended by then.

        Args:
            number: number of the trial.
            run: its run.
            curve: its validation losses so far, one per epoch.
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
