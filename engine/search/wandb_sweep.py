"""W&B proposes instead of KerasTuner: a sweep of its own, whose trials are trained and kept like any other.

W&B needs its server for that, and a login; it may ask for the same values twice, which are then answered from the
ledger and not trained again.
"""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import IO, Any

import yaml

from engine import config, tracking
from engine.errors import ConfigError, SearchError
from engine.search import folder, space
from engine.search.dimensions import AnyDimension, Categorical, lists_to_tuples
from engine.search.folder import SearchFolder, SearchSpec
from engine.search.scheduler import TrialScheduler
from engine.search.storage import Trial, TrialStorage

OBJECTIVE = "val_loss"
METHODS = {"bayesian": "bayes", "random": "random", "grid": "grid"}


def to_sweep_config(spec: SearchSpec) -> dict[str, Any]:
    """A plan as W&B describes a sweep.

    Raises:
        ConfigError: the plan has something that W&B's sweeps have not.
    """
    folder.check_sweepable(spec.space, spec.settings)
    return {
        "method": METHODS[spec.settings.algorithm],
        "metric": {"name": OBJECTIVE, "goal": "minimize"},
        "parameters": {dimension.name: _parameter(dimension) for dimension in spec.space.dimensions},
    }


def _parameter(dimension: AnyDimension) -> dict[str, Any]:
    if isinstance(dimension, Categorical):
        return {"values": [list(value) if isinstance(value, tuple) else value for value in dimension.values]}
    ends = dimension.to_dict()
    kinds = {(False, False): "uniform", (False, True): "int_uniform", (True, False): "log_uniform_values"}
    kind = kinds.get((dimension.log, dimension.whole), "q_log_uniform_values")
    return {"distribution": kind, "min": ends["low"], "max": ends["high"]}


def to_sweep_yaml(spec: SearchSpec) -> str:
    """The sweep as YAML, such as `wandb sweep FILE` takes."""
    return str(yaml.safe_dump(to_sweep_config(spec), sort_keys=False))


class WandbScheduler(TrialScheduler):
    """The trials of a search that W&B proposes.

    Args:
        storage: of the search.
        spec: what is searched.
        search: where it lies.
    """

    def __init__(self, storage: TrialStorage, spec: SearchSpec, search: SearchFolder) -> None:
        super().__init__(storage, spec)
        tracking.check_sweep()
        self._asked: queue.Queue[dict[str, Any]] = queue.Queue()
        self._awaited: int | None = None
        self._is_over = False
        self._log = search.path / "sweep.log"
        with self._log.open("wb") as words:
            self._agent = subprocess.Popen(
                [sys.executable, "-m", "engine.tracking.agent"],
                env=tracking.environment(),
                cwd=search.path,  # W&B writes where it stands
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                start_new_session=True,
            )
        threading.Thread(target=self._listen, args=(self._agent.stdout,), daemon=True).start()
        self._send(
            {
                "config": to_sweep_config(spec),
                "sweep": storage.attrs().get("sweep"),
                "trials": max(1, spec.settings.trials - len(self.rows)),
                "folder": str(search.path),
            }
        )

    def _listen(self, lines: IO[bytes]) -> None:
        for line in lines:
            try:
                self._asked.put(json.loads(line))
            except ValueError:
                continue
        lines.close()
        self._asked.put({"gone": self._agent.wait()})

    def _send(self, content: Mapping[str, Any]) -> None:
        if self._agent.stdin is not None:
            try:
                self._agent.stdin.write((json.dumps(content) + "\n").encode())
                self._agent.stdin.flush()
            except OSError:
                return  # its end comes by the queue

    def propose(self) -> Trial | None:
        """What W&B wants tried; None while it wants nothing new."""
        try:
            told = self._asked.get_nowait()
        except queue.Empty:
            return None
        if "sweep" in told:
            self.storage.set_attrs(sweep=told["sweep"])
        self._is_over = self._is_over or "over" in told
        if "gone" in told and not self._is_over:
            raise SearchError("The W&B agent ended before the sweep did.", f"Its output is in {self._log}.")
        return self._on_values(told["values"]) if "values" in told else None

    def _on_values(self, values: Mapping[str, Any]) -> Trial | None:
        """A new trial, or at once the score of one that is over."""
        chosen = lists_to_tuples({name: values[name] for name in self.spec.space.names})
        try:
            built = config.to_flat(config.from_flat(chosen, self.spec.base))
            chosen = {name: built[name] for name in chosen}
        except ConfigError:  # these values do not go together, as the trial will say
            pass
        row = self._add(chosen, "wandb", {})
        if row is None:
            known = space.config_key(chosen, self.spec.base)
            self._send({"score": next(each.score for each in self.rows.values() if each.key == known)})
        else:
            self._awaited = row.number
        return row

    def update(self, number: int, **changes: Any) -> Trial:
        """Change what is known of a trial, and let W&B know."""
        row = super().update(number, **changes)
        if row.is_done and number == self._awaited:
            self._awaited = None
            self._send({"score": row.score})
        return row

    def record_epoch(self, number: int, epoch: int, metrics: Mapping[str, float]) -> Trial:
        """Hear of an epoch of a trial that runs, and let W&B know."""
        if number == self._awaited:
            self._send({"epoch": epoch, "metrics": dict(metrics)})
        return super().record_epoch(number, epoch, metrics)

    def is_done(self) -> bool:
        """Whether no trial waits and the sweep is over, or has nothing new to ask for."""
        return self.next_pending(set()) is None and (self._is_over or self.has_enough() or self.is_space_exhausted())

    def close(self) -> None:
        """Leave the sweep."""
        try:
            if self._agent.stdin is not None:
                self._agent.stdin.close()
            self._agent.wait(tracking.PATIENCE_S)
        except (subprocess.TimeoutExpired, OSError):
            self._agent.kill()
            self._agent.wait()
