"""Runs of a study: their order by loss, and the best of each model."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine import config
from engine.config import RunConfig, SearchConfig
from engine.errors import StudyError
from engine.reproduction import published
from engine.runs import Run
from engine.search.space import Space
from engine.search.storage import Trial as Row

Point = Mapping[str, Any]
SHORT = {"learning_rate": "lr", "epochs": "epochs", "batch_size": "batch", "latent": "latent"}


@dataclass(frozen=True)
class StudyRun:
    """A run and its score: the smallest validation loss (nan before the first epoch has ended).

    Args:
        run: the run.
        config: its settings.
        state: how it ended.
        rows: metrics of its epochs, as far as they count.
        counts: whether it has a score; a trial that failed, or that the user stopped, has none.
    """

    run: Run
    config: RunConfig
    state: str
    rows: Sequence[Mapping[str, float]]
    counts: bool = True

    @property
    def model(self) -> str:
        """Return the name of the model, 'ae' or 'vae'."""
        return self.config.model.model

    @property
    def point(self) -> Point:
        """Return the values of the settings that the study searched."""
        flat = config.to_flat(self.config)
        return {name: flat[name] for name in published.claim(self.model).space.names}

    @property
    def best(self) -> Mapping[str, float]:
        """Return the metrics of its best epoch; empty before the first has ended, and if the run does not count."""
        scored = [row for row in self.rows if self.counts and math.isfinite(row.get("val_loss", math.nan))]
        return min(scored, key=lambda row: row["val_loss"], default={})

    @property
    def loss(self) -> float:
        """Return the score of the run."""
        return self.best.get("val_loss", math.nan)

    @property
    def title(self) -> str:
        """Return the settings in one line."""
        return " · ".join(f"{SHORT[name]} {value:g}" for name, value in self.point.items())

    def content(self) -> dict[str, Any]:
        """Return its entry in study.json."""
        return {
            "name": self.run.name,
            "model": self.model,
            "state": self.state,
            "epochs_done": len(self.rows),
            "best_epoch": int(self.best["epoch"]) if self.best else None,
            "best_loss": self.loss,
            **self.point,
        }


@dataclass(frozen=True)
class SearchSummary:
    """Result of a search.

    Args:
        space: the search space.
        settings: settings of the search.
        scored: the proposed values with their scores, in the order proposed.
    """

    space: Space
    settings: SearchConfig
    scored: Sequence[tuple[Mapping[str, Any], float]]


def from_run(run: Run) -> StudyRun:
    """Return the result of a run outside a search."""
    return StudyRun(run, run.config, run.state(), run.history())


def from_trial(row: Row, run: Run) -> StudyRun:
    """Return the result of a trial, as its search's database has it."""
    state = run.state() if row.state == "running" else row.state
    rows = run.history()[: row.epochs] if row.is_done else run.history()
    return StudyRun(run, run.config, state, rows, row.score is not None or not row.is_done)


def ranked(trials: Iterable[StudyRun], model: str) -> list[StudyRun]:
    """Return the trials of a model that have a score and a model file, the best first."""
    scored = [each for each in trials if each.model == model and each.best and each.run.model_path.is_file()]
    return sorted(scored, key=lambda each: each.loss)


def best_of_each(trials: Sequence[StudyRun]) -> dict[str, StudyRun]:
    """Return the best trial of each model.

    Raises:
        StudyError: a model has none.
    """
    best = {model: ranked(trials, model)[:1] for model in published.MODELS}
    for model, found in best.items():
        if not found:
            what = f"None of the study's {model.upper()} runs completed an epoch."
            raise StudyError(what, "See the log files in its folder, then start the study again.")
    return {model: found[0] for model, found in best.items()}
