"""Pruning: a trial that is worse than the median of the others ends early."""

import math
import statistics
from collections.abc import Sequence

from engine.runs import Run
from engine.search import folder
from engine.search.folder import SearchFolder
from engine.search.scheduler import TrialScheduler

# The median of fewer trials says little.
MIN_TRIALS = 5
# A first epoch says little.
MIN_EPOCHS = 2


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
                self._curves[row.number] = folder.list_val_losses(Run(self.search.root / row.run))[: row.epochs]
        epoch = find_prune_epoch(curve, [self._curves[known] for known in self._curves if known <= before])
        return epoch if epoch is not None and epoch < run.config.training.epochs else None


def find_prune_epoch(curve: Sequence[float], others: Sequence[Sequence[float]]) -> int | None:
    """Return the first epoch at which to prune a trial: its best loss so far is above the median of the others' there.

    The median stopping rule of Google Vizier (Golovin et al. 2017).

    Args:
        curve: validation losses of the trial, one per epoch.
        others: those of completed trials.

    Returns:
        The epoch, from 1. Returns None if it should continue, or there is too little to compare with.
    """
    for epoch in range(MIN_EPOCHS, len(curve) + 1):
        known = [_best_until(other, epoch) for other in others if len(other) >= epoch]
        if len(known) >= MIN_TRIALS and _best_until(curve, epoch) > statistics.median(known):
            return epoch
    return None


def _best_until(curve: Sequence[float], epoch: int) -> float:
    return min((loss for loss in curve[:epoch] if math.isfinite(loss)), default=math.inf)
