"""What a study measured, kept beside a fingerprint of what it was measured on, so that it is not measured again."""

import hashlib
import json
from pathlib import Path
from typing import Any

from engine import runs
from engine.runs import Run

FORMAT = 1  # of what is measured; numbers of another one are measured anew


def fingerprint(*parts: Any) -> str:
    """A hash of what numbers depend on: anything that JSON can hold."""
    text = json.dumps([FORMAT, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def model_fingerprint(run: Run) -> str:
    """A hash of a run's best weights and settings."""
    weights = hashlib.sha256(run.model_path.read_bytes()).hexdigest()
    return fingerprint(weights, run.config.model_dump(mode="json"))


class ResultCache:
    """The file of what was measured.

    Args:
        path: the file; one that is missing or cannot be read holds nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parts = _read(path)

    def get(self, part: str, mark: str) -> Any:
        """What was measured of a part under this fingerprint; None when nothing was."""
        known = self._parts.get(part)
        return known["content"] if isinstance(known, dict) and known.get("fingerprint") == mark else None

    def keep(self, part: str, mark: str, content: Any) -> None:
        """Write down what was measured of a part."""
        self._parts[part] = {"fingerprint": mark, "content": content}
        runs.write_text_atomic(self.path, json.dumps(self._parts, indent=2))


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}
