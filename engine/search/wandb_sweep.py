"""Search proposed by a W&B sweep instead of KerasTuner, with trials that are trained and stored like any other.

This needs W&B's server and a login. W&B may propose the same values twice, whose score then comes from the database
without another training.
"""

import json
import queue
import subprocess
import threading
from collections.abc import Mapping
from typing import IO, Any

import yaml

from engine import config, tracking
from engine.child_process import module_command, start_process
from engine.errors import ConfigError, SearchError
from engine.search import search_spec, space
from engine.search.folder import SearchFolder
from engine.search.scheduler import TrialScheduler
from engine.search.search_spec import SearchSpec
from engine.search.space import AnyDimension, Categorical, lists_to_tuples
from engine.search.storage import Trial, TrialResult, TrialStorage

OBJECTIVE = "val_loss"
METHODS = {"bayesian": "bayes", "random": "random", "grid": "grid"}


def to_sweep_config(spec: SearchSpec) -> dict[str, Any]:
    """Return a specification as W&B's sweep configuration.

    Raises:
        ConfigError: W&B's sweeps do not support a part of the specification.
    """
    search_spec.check_sweepable(spec.space, spec.settings)
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
    """Return the sweep as YAML, which `wandb sweep FILE` takes."""
    return str(yaml.safe_dump(to_sweep_config(spec), sort_keys=False))


class WandbScheduler(TrialScheduler):
    """Scheduler of a search that W&B proposes.

    Args:
        storage: database of the search.
        spec: the specification of the search.
        search: folder of the search.
    """

    def __init__(self, storage: TrialStorage, spec: SearchSpec, search: SearchFolder) -> None:
        super().__init__(storage, spec)
        tracking.check_sweep()
        self._asked: queue.Queue[dict[str, Any]] = queue.Queue()
        self._awaited: int | None = None
        self._is_over = False
        self._log = search.path / "sweep.log"
        with self._log.open("wb") as words:
            self._agent = start_process(
                module_command("engine.tracking.agent"),
                tracking.QUIET,
                # W&B writes into the working directory.
                cwd=search.path,
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
                # The queue reports the end of the agent.
                return

    def propose(self) -> Trial | None:
        """Return the next trial from W&B. Returns None if it proposes nothing new."""
        try:
            message = self._asked.get_nowait()
        except queue.Empty:
            return None
        if "sweep" in message:
            self.storage.set_attrs(sweep=message["sweep"])
        self._is_over = self._is_over or "over" in message
        if "gone" in message and not self._is_over:
            raise SearchError("The W&B agent ended before the sweep did.", f"Its output is in {self._log}.")
        return self._on_values(message["values"]) if "values" in message else None

    def _on_values(self, values: Mapping[str, Any]) -> Trial | None:
        """Add a trial, or send the score of an existing one back at once."""
        chosen = lists_to_tuples({name: values[name] for name in self.spec.space.names})
        try:
            built = config.to_flat(config.from_flat(chosen, self.spec.base))
            chosen = {name: built[name] for name in chosen}
        # These values contradict each other, as the trial will report.
        except ConfigError:
            pass
        row = self._add(chosen, "wandb", {})
        if row is None:
            known = space.config_key(chosen, self.spec.base)
            self._send({"score": next(each.score for each in self.rows.values() if each.key == known)})
        else:
            self._awaited = row.number
        return row

    def finish(self, number: int, result: TrialResult) -> Trial:
        """Record the result of a trial, and report its score to W&B."""
        row = super().finish(number, result)
        if number == self._awaited:
            self._awaited = None
            self._send({"score": row.score})
        return row

    def record_epoch(self, number: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Record a completed epoch of a running trial, and report it to W&B."""
        if number == self._awaited:
            self._send({"epoch": epoch, "metrics": dict(metrics)})
        super().record_epoch(number, epoch, metrics)

    def is_done(self) -> bool:
        """Return whether no trial is pending and the sweep is over, or nothing new is left to propose."""
        return self.next_pending(set()) is None and (self._is_over or self.has_enough() or self.is_space_exhausted())

    def close(self) -> None:
        """Leave the sweep, and end the agent."""
        try:
            if self._agent.stdin is not None:
                self._agent.stdin.close()
            self._agent.wait(tracking.PATIENCE_S)
        except (subprocess.TimeoutExpired, OSError):
            self._agent.kill()
            self._agent.wait()
