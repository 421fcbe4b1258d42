"""Cache of a study's results, each stored with a fingerprint of its inputs, so that it is computed once."""

import hashlib
import json
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
    """Cache file of results.

    Args:
        path: the file; a missing or unreadable one counts as empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parts = _read(path)

    def get(self, part: str, mark: str) -> Any:
        """Return the result of a part with this fingerprint; None if there is none."""
        known = self._parts.get(part)
        return known.get("content") if isinstance(known, dict) and known.get("fingerprint") == mark else None

    def keep(self, part: str, mark: str, content: Any) -> None:
        """Save the result of a part."""
        self._parts[part] = {"fingerprint": mark, "content": content}
        runs.write_text_atomic(self.path, json.dumps(self._parts, indent=2))


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(read_record(path)))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
