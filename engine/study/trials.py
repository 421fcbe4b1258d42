"""What came of the runs of a study: their order by loss, and the best of each model."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.config import RunConfig
from engine.errors import StudyError
from engine.runs import Run
from engine.study import paper
from engine.study.plan import point_of
from engine.study.space import Point

SHORT = {"learning_rate": "lr", "epochs": "epochs", "batch_size": "batch", "latent": "latent"}


@dataclass(frozen=True)
class Trial:
    """A run and its score: the smallest validation loss (nan before the first epoch ended).

    Args:
        run: the run.
        config: its settings.
        state: how it ended.
        rows: numbers of its epochs.
    """

    run: Run
    config: RunConfig
    state: str
    rows: Sequence[Mapping[str, float]]

    @property
    def model(self) -> str:
        """'ae' or 'vae'."""
        return self.config.model.model

    @property
    def point(self) -> Point:
        """Its values of the settings that the study searched."""
        return point_of(self.config)

    @property
    def best(self) -> Mapping[str, float]:
        """Numbers of its best epoch; empty before the first ended."""
        told = [row for row in self.rows if math.isfinite(row.get("val_loss", math.nan))]
        return min(told, key=lambda row: row["val_loss"], default={})

    @property
    def loss(self) -> float:
        """Its score."""
        return self.best.get("val_loss", math.nan)

    @property
    def title(self) -> str:
        """Its settings in one line."""
        return " · ".join(f"{SHORT[name]} {value:g}" for name, value in self.point.items())

    def content(self) -> dict[str, Any]:
        """What study.json says of it."""
        return {
            "name": self.run.name,
            "model": self.model,
            "state": self.state,
            "epochs_done": len(self.rows),
            "best_epoch": int(self.best["epoch"]) if self.best else None,
            "best_loss": self.loss,
            **self.point,
        }


def told(runs: Iterable[Run]) -> list[Trial]:
    """Read what came of runs."""
    return [Trial(run, run.config, run.state(), run.history()) for run in runs]


def ranked(trials: Iterable[Trial], model: str) -> list[Trial]:
    """The trials of a model that have a score and a model file, the best first."""
    scored = [each for each in trials if each.model == model and each.best and each.run.model_path.is_file()]
    return sorted(scored, key=lambda each: each.loss)


def best_of_each(trials: Sequence[Trial]) -> dict[str, Trial]:
    """The best trial of each model.

    Raises:
        StudyError: a model has none.
    """
    best = {model: ranked(trials, model)[:1] for model in paper.MODELS}
    for model, found in best.items():
        if not found:
            what = f"None of the study's {model.upper()} runs came to the end of an epoch."
            raise StudyError(what, "See study.log, remove the runs that failed, and start the study again.")
    return {model: found[0] for model, found in best.items()}
