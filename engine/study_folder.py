"""A study is a folder: its runs, its results, tables, figures, one page. Opening one needs no Keras.

study.json        its progress and every number of it
study.html        the page, one self-contained file
measured.json     the results, with fingerprints of their inputs
runs/             the runs that were trained for it, and their searches
tables/           Tables 1 to 4 and the numbers, each as CSV and Markdown
figures/          Figures 5 to 13, each as PNG and PDF
*.log             output of a process that died while it trained a run
"""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import runs
from engine.errors import StudyError
from engine.run_damage import read_record


@dataclass(frozen=True)
class StudyFolder:
    """Folder of one study."""

    path: Path

    @property
    def record(self) -> Path:
        """Return the file of its state and numbers."""
        return self.path / "study.json"

    @property
    def page(self) -> Path:
        """Return the file of its page."""
        return self.path / "study.html"

    @property
    def runs(self) -> Path:
        """Return the folder of its runs."""
        return self.path / "runs"

    @property
    def tables(self) -> Path:
        """Return the folder of its tables."""
        return self.path / "tables"

    @property
    def figures(self) -> Path:
        """Return the folder of its figures."""
        return self.path / "figures"

    @property
    def measured(self) -> Path:
        """Return the file of its results, from which they are reused."""
        return self.path / "measured.json"

    def read(self) -> dict[str, Any]:
        """Return the content of study.json; empty if it does not exist yet.

        Raises:
            StudyError: it cannot be read.
        """
        try:
            return dict(json.loads(read_record(self.record)))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, RecursionError) as error:
            advice = "Delete the file: it is rebuilt from the runs."
            raise StudyError(f"{self.record} cannot be read ({error}).", advice) from None

    def write(self, content: Mapping[str, Any]) -> None:
        """Write study.json atomically. Numbers that are not finite become null."""
        runs.write_text_atomic(self.record, json.dumps(to_json_safe(content), indent=2))

    def state(self) -> str:
        """Return 'new', 'running', 'finished', 'stopped', 'failed' or 'interrupted' (its process died)."""
        if self.is_busy():
            return "running"
        state = str(self.read().get("state", "new"))
        return "interrupted" if state == "running" else state

    def is_busy(self) -> bool:
        """Return whether a living process works on it."""
        return runs.is_locked(self.path)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Create the folder and hold it while working on it.

        Raises:
            StudyError: another process works on it, or the folder cannot be made.
        """
        busy = StudyError(f"Another process is working on the study in {self.path}.", "Stop it there first.")
        with ExitStack() as held:
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                held.enter_context(runs.lock_folder(self.path, busy))
            except OSError as error:
                what = f"The study cannot be saved in {self.path} ({error.strerror or error})."
                raise StudyError(what, "Choose another folder.") from None
            yield


def to_json_safe(content: Any) -> Any:
    """Return the content with every number that JSON cannot represent as None."""
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {key: to_json_safe(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [to_json_safe(value) for value in content]
    return content
