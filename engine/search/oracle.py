"""KerasTuner behind an oracle that never repeats a configuration. Imports KerasTuner: import it late.

KerasTuner's own Bayesian oracle proposes configurations that it has tried, takes a loss of +inf for 0, stops after
three failures and cannot be rebuilt after a crash. This one keeps KerasTuner's trials, its ask-and-tell interface
(`create_trial`, `update_trial`, `end_trial`) and its acquisition, and leaves the choice to `engine.search.samplers`. It
writes no files: the database is the record, and an oracle that is replayed from its trials is in the same state.
"""

import json
import math
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import keras_tuner
import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from engine.config import RunConfig
from engine.search.samplers import ALGORITHMS, IDLE, SamplerContext, Status, Suggestion, suggest_hyperband
from engine.search.space import AnyDimension, Categorical, Space, config_key
from engine.search.storage import Trial

OBJECTIVE = "val_loss"
NO_LIMIT = 10**9


class Oracle(keras_tuner.oracles.BayesianOptimizationOracle):
    """Oracle with KerasTuner's ask-and-tell interface.

    Args:
        space: the settings that vary.
        base: the settings that do not.
        algorithm: 'bayesian', 'random', 'grid' or 'hyperband'.
        seed: seed of the proposals; 0 is a seed like any other.
    """

    def __init__(self, space: Space, base: RunConfig, algorithm: str, seed: int) -> None:
        self.space, self.base, self.algorithm, self.proposal_seed = space, base, algorithm, seed
        self.rows: dict[int, Trial] = {}
        self._keys: set[str] = set()
        self._chosen: Suggestion | None = None
        super().__init__(
            objective=keras_tuner.Objective(OBJECTIVE, "min"),
            max_trials=NO_LIMIT,
            hyperparameters=to_hyperparameters(space),
            allow_new_entries=False,
            tune_new_entries=False,
            seed=seed + 1,  # 0 would draw a random seed.
            max_consecutive_failed_trials=NO_LIMIT,
        )
        self.verbose = 0

    def ask(self) -> Suggestion | Status | None:
        """Propose the next trial; `IDLE` while it depends on running trials. Returns None if the space is exhausted.

        The proposal must come back as a row of the database, by `register`.
        """
        asked = self.create_trial(_name(len(self.rows) + 1))
        return IDLE if asked.status == "IDLE" else self._chosen

    def register(self, row: Trial) -> None:
        """Add a trial that is now in the database: the proposal of `ask`, or a trial from another source."""
        if _name(row.number) not in self.ongoing_trials:
            self._chosen = Suggestion(row.config, row.place)
            self.create_trial(_name(row.number))
        self._chosen = None
        self._keys |= {config_key(row.config, self.base), self._without_epochs(row.config)}
        self.rows[row.number] = replace(row, state="running", score=None)

    def tell(self, row: Trial) -> None:
        """Record how a trial ended. One without a finite score is invalid: never repeated, and never good."""
        asked = self.ongoing_trials[_name(row.number)]
        if row.score is not None and math.isfinite(row.score):
            self.update_trial(asked.trial_id, {OBJECTIVE: row.score}, step=row.best_epoch or 0)
            asked.status = "COMPLETED"
        else:
            asked.status, asked.message = "FAILED", row.reason
        self.end_trial(asked)
        self.rows[row.number] = row

    def has_result(self, number: int) -> bool:
        """Return whether `tell` has recorded the end of a trial."""
        return self.rows[number].is_done

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the values of a new trial to KerasTuner."""
        chosen = self._chosen or self._suggest()
        if isinstance(chosen, Suggestion):
            self._chosen = chosen
            return {"status": "RUNNING", "values": to_tuner_values(chosen.values)}
        return {"status": "IDLE" if chosen is IDLE else "STOPPED", "values": None}

    def _suggest(self) -> Suggestion | Status | None:
        rows = list(self.rows.values())
        view = SamplerContext(
            space=self.space,
            is_new=self._is_new,
            scored=[(row.config, row.score) for row in rows if row.score is not None and math.isfinite(row.score)],
            pending=[row.config for row in rows if not row.is_done],
            rng=np.random.default_rng([self.proposal_seed, len(rows)]),
            regression=self.gpr,
        )
        if self.algorithm == "hyperband":
            return suggest_hyperband(rows, view, self.base.training.epochs)
        point = ALGORITHMS[self.algorithm](view)
        return None if point is None else Suggestion(point)

    def _is_new(self, values: Mapping[str, Any]) -> bool:
        kept = self._without_epochs(values) if self.algorithm == "hyperband" else config_key(values, self.base)
        return kept not in self._keys

    def _without_epochs(self, values: Mapping[str, Any]) -> str:
        return "any epochs " + config_key({**values, "epochs": 0}, self.base)

    def _make_gpr(self) -> GaussianProcessRegressor:
        """Return a Gaussian process with a length scale for each feature, and noise."""
        width = sum(dimension.width for dimension in self.space.dimensions)
        shape = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(np.ones(width), (1e-1, 1e2), nu=2.5)
        kernel = shape + WhiteKernel(1e-3, (1e-6, 1e-1))
        return GaussianProcessRegressor(kernel, normalize_y=True, random_state=self.seed)

    def save(self) -> None:
        """Do nothing: the database is the record.

        A crash would cut KerasTuner's own JSON files, which it writes in place.
        """

    def _save_trial(self, trial: Any) -> None:
        """Do nothing, as `save`."""


def _name(number: int) -> str:
    return f"trial-{number}"


def to_hyperparameters(space: Space) -> keras_tuner.HyperParameters:
    """Convert a space to KerasTuner's hyperparameters."""
    made = keras_tuner.HyperParameters()
    for dimension in space.dimensions:
        with ExitStack() as conditions:
            for parent, wanted in dimension.when.items():
                conditions.enter_context(made.conditional_scope(parent, [_carried(value) for value in wanted]))
            _declare(made, dimension)
    return made


def _declare(made: keras_tuner.HyperParameters, dimension: AnyDimension) -> None:
    if isinstance(dimension, Categorical):
        made.Choice(dimension.name, [_carried(value) for value in dimension.values])
        return
    low, high, sampling = dimension.low, dimension.high, "log" if dimension.log else "linear"
    if dimension.whole:
        made.Int(dimension.name, int(low), int(high), sampling=sampling)
    else:
        made.Float(dimension.name, low, high, sampling=sampling)


def to_tuner_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert values to types that KerasTuner can hold."""
    return {name: _carried(value) for name, value in values.items()}


def _carried(value: Any) -> Any:
    """Encode tuples of numbers, such as filters, as text."""
    return json.dumps(value) if isinstance(value, tuple) else value


def replay(oracle: Oracle, trials: Iterable[Trial]) -> Oracle:
    """Register the trials of the database with a new oracle, without any of their results."""
    for trial in trials:
        oracle.register(trial)
    return oracle
