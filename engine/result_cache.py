"""The one cache of results on disk, by a key or a fingerprint of their inputs, so that they are computed once."""

import hashlib
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine import runs
from engine.config import DataConfig
from engine.run_damage import read_record
from engine.runs import Run

FORMAT = 1  # version of the results; those of another version are recomputed
# Settings of data and training that former versions did not have, with the value that means what these versions did.
LATER_SETTINGS = {
    "config_name": "",
    "image_column": "",
    "label_column": "",
    "split_by": "image",
    "test_patients": 0,
    "fold": 1,
    "groups": "",
    "group_pattern": "",
    "precision": "float32",
    "group_by": "known",
    "folders_are": "auto",
    "plane": "axial",
    "slices": "brain",
    "slice_step": 1,
    "series": "",
    "mask_label": 0,
}


def fingerprint(*parts: Any) -> str:
    """Return a hash of the inputs of a result: anything that JSON can hold."""
    text = json.dumps([FORMAT, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def model_fingerprint(run: Run) -> str:
    """Return a hash of a run's best weights and settings."""
    weights = hashlib.sha256(run.model_path.read_bytes()).hexdigest()
    settings = run.config.model_dump(mode="json")
    older = {name: _drop_later(settings[name]) for name in ("data", "training")}
    return fingerprint(weights, settings | older)


def describe_data(config: DataConfig) -> dict[str, Any]:
    """Return the settings of the data as inputs of a result, so that results of former versions are found."""
    return _drop_later(config.model_dump(mode="json"))


def _drop_later(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value != LATER_SETTINGS.get(name, ...)}


class ResultCache:
    """Cache file of results that can be computed again: a JSON object.

    Args:
        path: the file; a missing or unreadable one counts as empty.
        max_results: how many results stay, the newest ones.
    """

    def __init__(self, path: Path, max_results: int = sys.maxsize) -> None:
        self.path, self._max_results = path, max_results
        self._results = _read(path)

    def get(self, key: str, mark: str | None = None) -> Any:
        """Return the result of a key, with `mark` only one with this fingerprint. Returns None if there is none."""
        known = self._results.get(key)
        if mark is None:
            return known
        return known.get("content") if isinstance(known, dict) and known.get("fingerprint") == mark else None

    def keep(self, key: str, content: Any, mark: str | None = None) -> None:
        """Save the result of a key, with its fingerprint; if that is not possible, it is computed again next time."""
        older = [(other, result) for other, result in self._results.items() if other != key]
        own = content if mark is None else {"fingerprint": mark, "content": content}
        self._results = dict([*older[max(len(older) - self._max_results + 1, 0) :], (key, own)])
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            runs.write_text_atomic(self.path, json.dumps(self._results, indent=2))


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(read_record(path)))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
